#include "base/json.hpp"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/nearest.hpp"

namespace kinora::base {
namespace {

// Builds values from the parser's events. The parser of Boost 1.81 rounds some doubles wrongly and keeps the last of two
// equal keys (two readers that disagree on that are a security hole), so both are done here.
class ValueBuilder {
 public:
  constexpr static std::size_t max_object_size = 1 << 26;
  constexpr static std::size_t max_array_size = 1 << 26;
  constexpr static std::size_t max_key_size = 1 << 26;
  constexpr static std::size_t max_string_size = 1 << 26;  // JsonLimits::bytes is what bounds them
  using error_code = boost::system::error_code;
  using string_view = json::string_view;

  json::value_stack stack;
  std::string duplicate_key;

  ValueBuilder() { stack.reset(); }
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t members, error_code&) {
    keys_.pop_back();
    stack.push_object(members);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t items, error_code&) {
    stack.push_array(items);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code& error) {
    text_.append(part.data(), part.size());
    if (!keys_.back().insert(text_).second) {
      duplicate_key = text_;
      error = json::error::syntax;
      return false;
    }
    stack.push_key(text_);
    text_.clear();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    text_.append(part.data(), part.size());
    stack.push_string(text_);
    text_.clear();
    return true;
  }
  bool on_number_part(string_view part, error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, string_view, error_code&) {
    stack.push_int64(value);
    text_.clear();
    return true;
  }
  bool on_uint64(std::uint64_t value, string_view, error_code&) {
    stack.push_uint64(value);
    text_.clear();
    return true;
  }
  bool on_double(double value, string_view part, error_code& error) {
    text_.append(part.data(), part.size());
    if (std::from_chars(text_.data(), text_.data() + text_.size(), value).ec == std::errc::result_out_of_range) {
      if (std::abs(value) > 1) {
        error = json::error::exponent_overflow;
        return false;
      }
      value = 0;
    }
    stack.push_double(value);
    text_.clear();
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  std::string text_;
  std::vector<std::set<std::string>> keys_;
};

void escape_to(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  out += '"';
}

// UTF-16 order differs from UTF-8 order only between U+E000..U+FFFF and the supplementary planes.
bool utf16_less(std::string_view a, std::string_view b) {
  const auto rank = [](unsigned char c) -> unsigned { return c >= 0xf0 ? 0xedu * 2 + 1 : c * 2u; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) {
    const auto ux = static_cast<unsigned char>(x), uy = static_cast<unsigned char>(y);
    return rank(ux) != rank(uy) ? rank(ux) < rank(uy) : ux < uy;
  });
}

// ECMAScript Number::toString (RFC 8785 section 3.2.2.3).
std::string number_text(double value) {
  if (value == 0) return "0";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  std::string sign;
  if (text.starts_with('-')) {
    sign = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const std::string_view power = text.substr(e + 1 + (text[e + 1] == '+' ? 1 : 0));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  const int n = exponent + 1;  // position of the decimal point
  const int k = static_cast<int>(digits.size());
  if (k <= n && n <= 21) return sign + digits + std::string(static_cast<std::size_t>(n - k), '0');
  if (0 < n && n <= 21) return sign + digits.substr(0, static_cast<std::size_t>(n)) + "." + digits.substr(static_cast<std::size_t>(n));
  if (-6 < n && n <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
  return fmt::format("{}{}{}e{}{}", sign, digits[0], k > 1 ? "." + digits.substr(1) : "", n - 1 < 0 ? "-" : "+", std::abs(n - 1));
}

void canonical_to(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: out += "null"; break;
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; break;
    case json::kind::int64: out += number_text(static_cast<double>(value.get_int64())); break;
    case json::kind::uint64: out += number_text(static_cast<double>(value.get_uint64())); break;
    case json::kind::double_: out += number_text(value.get_double()); break;
    case json::kind::string: escape_to(out, value.get_string()); break;
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const json::value& item : value.get_array()) {
        if (!first) out += ',';
        first = false;
        canonical_to(out, item);
      }
      out += ']';
      break;
    }
    case json::kind::object: {
      std::vector<const json::key_value_pair*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return utf16_less(a->key(), b->key()); });
      out += '{';
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out += ',';
        escape_to(out, members[i]->key());
        out += ':';
        canonical_to(out, members[i]->value());
      }
      out += '}';
      break;
    }
  }
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes)
    return fail(ErrorCode::too_large, fmt::format("JSON of {} bytes is over the limit of {}", text.size(), limits.bytes));
  json::parse_options options;
  options.max_depth = limits.depth;
  json::basic_parser<ValueBuilder> parser(options);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  const std::string& twice = parser.handler().duplicate_key;
  if (!twice.empty()) return fail(ErrorCode::invalid, "JSON object holds the key \"" + twice + "\" twice");
  if (error) return fail(ErrorCode::invalid, "not valid JSON: " + error.message());
  if (used != text.size()) return fail(ErrorCode::invalid, "text follows the JSON value");
  return parser.handler().stack.release();
}

std::string canonical_json(const json::value& value) {
  std::string out;
  canonical_to(out, value);
  return out;
}

ObjectReader::ObjectReader(const json::value& value, std::string pointer, FieldErrors& errors)
    : pointer_(std::move(pointer)), errors_(&errors) {
  object_ = value.if_object();
  if (object_ == nullptr) errors_->push_back({pointer_, "invalid_field", "must be an object"});
}

std::string ObjectReader::pointer(std::string_view key) const {
  std::string out = pointer_ + "/";
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

void ObjectReader::error(std::string_view key, std::string code, std::string detail) {
  errors_->push_back({pointer(key), std::move(code), std::move(detail)});
}

const json::value* ObjectReader::member(std::string_view key) {
  if (object_ == nullptr) return nullptr;
  known_.emplace_back(key);
  const json::value* found = object_->if_contains(key);
  return found != nullptr && found->is_null() ? nullptr : found;
}

const json::value* ObjectReader::required(std::string_view key) {
  const json::value* found = member(key);
  if (found == nullptr && object_ != nullptr) error(key, "missing_field", "is required");
  return found;
}

std::optional<std::string> ObjectReader::string(std::string_view key, std::size_t max_bytes) {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  const json::string* text = found->if_string();
  if (text == nullptr)
    error(key, "invalid_field", "must be a string");
  else if (text->size() > max_bytes)
    error(key, "too_high", fmt::format("must have at most {} bytes", max_bytes));
  else
    return std::string(*text);
  return std::nullopt;
}

std::string ObjectReader::required_string(std::string_view key, std::size_t max_bytes) {
  if (object_ != nullptr && (object_->if_contains(key) == nullptr || object_->at(key).is_null())) {
    known_.emplace_back(key);
    error(key, "missing_field", "is required");
    return {};
  }
  return string(key, max_bytes).value_or("");
}

std::optional<std::int64_t> ObjectReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  std::optional<std::int64_t> value;
  if (found->is_int64())
    value = found->get_int64();
  else if (found->is_double() && std::trunc(found->get_double()) == found->get_double() && std::abs(found->get_double()) < 9e15)
    value = static_cast<std::int64_t>(found->get_double());
  if (!value)
    error(key, "invalid_field", "must be an integer");
  else if (*value < min)
    error(key, "too_low", fmt::format("must be at least {}", min));
  else if (*value > max)
    error(key, "too_high", fmt::format("must be at most {}", max));
  else
    return value;
  return std::nullopt;
}

std::optional<double> ObjectReader::number(std::string_view key, double min, double max) {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number()) {
    error(key, "invalid_field", "must be a number");
    return std::nullopt;
  }
  const double value = found->to_number<double>();
  if (value < min)
    error(key, "too_low", fmt::format("must be at least {}", min));
  else if (value > max)
    error(key, "too_high", fmt::format("must be at most {}", max));
  else
    return value;
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(std::string_view key) {
  const json::value* found = member(key);
  if (found == nullptr) return std::nullopt;
  if (const bool* value = found->if_bool()) return *value;
  error(key, "invalid_field", "must be true or false");
  return std::nullopt;
}

const json::array* ObjectReader::array(std::string_view key, std::size_t max_items) {
  const json::value* found = member(key);
  if (found == nullptr) return nullptr;
  const json::array* items = found->if_array();
  if (items == nullptr)
    error(key, "invalid_field", "must be an array");
  else if (items->size() > max_items)
    error(key, "too_high", fmt::format("must have at most {} items", max_items));
  else
    return items;
  return nullptr;
}

const json::object* ObjectReader::object(std::string_view key) {
  const json::value* found = member(key);
  if (found == nullptr) return nullptr;
  const json::object* value = found->if_object();
  if (value == nullptr) error(key, "invalid_field", "must be an object");
  return value;
}

void ObjectReader::finish() {
  if (object_ == nullptr) return;
  for (const auto& member : *object_) {
    const std::string key(member.key());
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const auto meant = nearest(key, known_);
    error(key, "unknown_field", meant ? "is not a known field; did you mean \"" + *meant + "\"?" : "is not a known field");
  }
}

}  // namespace kinora::base

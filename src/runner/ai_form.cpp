#include "runner/ai_form.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "net/multipart.hpp"

namespace kinora::runner {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> whole(double value) {
  if (!std::isfinite(value) || value != std::floor(value) || std::abs(value) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> to_integer(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= static_cast<std::uint64_t>(INT64_MAX))
    return static_cast<std::int64_t>(value.get_uint64());
  if (value.is_double()) return whole(value.get_double());
  if (value.is_bool()) return value.get_bool() ? 1 : 0;
  if (!value.is_string()) return std::nullopt;
  if (const auto direct = parse_number<std::int64_t>(value.get_string())) return direct;
  const auto number = parse_number<double>(value.get_string());
  return number && trimmed(value.get_string()).find_first_of("eE") == std::string_view::npos ? whole(*number) : std::nullopt;
}

std::optional<double> to_double(const json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (value.is_bool()) return value.get_bool() ? 1.0 : 0.0;
  return value.is_string() ? parse_number<double>(value.get_string()) : std::nullopt;
}

std::optional<bool> to_boolean(const json::value& value) {
  if (value.is_bool()) return value.get_bool();
  if (const auto number = value.is_number() ? std::optional(value.to_number<double>()) : std::nullopt)
    return *number == 1 ? std::optional(true) : *number == 0 ? std::optional(false) : std::nullopt;
  if (!value.is_string()) return std::nullopt;
  std::string word(value.get_string());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* yes : {"true", "1", "on", "yes", "t", "y"})
    if (word == yes) return true;
  for (const char* no : {"false", "0", "off", "no", "f", "n"})
    if (word == no) return false;
  return std::nullopt;
}

// Takes the parts of a form into memory, within the limits.
class Collector final : public net::MultipartParser::Sink {
 public:
  base::Status begin(const net::MultipartPart& part) override {
    name_ = part.name;
    is_file_ = part.filename.has_value();
    data_.clear();
    return {};
  }
  base::Status data(std::string_view bytes) override {
    if (data_.size() + bytes.size() > (is_file_ ? kMaxAiFileBytes : kMaxAiFieldBytes))
      return base::fail(base::ErrorCode::too_large, name_ + " is larger than the limit");
    data_.append(bytes);
    return {};
  }
  base::Status end() override {
    if (is_file_)
      files[name_] = std::move(data_);
    else
      fields[name_] = data_;
    data_.clear();
    return {};
  }
  json::object fields;
  std::map<std::string, std::string, std::less<>> files;

 private:
  std::string name_, data_;
  bool is_file_ = false;
};

}  // namespace

void AiForm::error(std::string_view type, std::string_view name, std::string_view message, const json::value& input) {
  json::array loc{"body"};
  if (!name.empty()) loc.emplace_back(name);
  errors_.push_back(json::object{{"type", type}, {"loc", std::move(loc)}, {"msg", message}, {"input", input}});
}

const json::value* AiForm::find(std::string_view name) const { return fields_.if_contains(name); }

AiForm AiForm::from_json(std::string_view body) {
  AiForm form;
  const auto parsed = base::parse_json(body, {.bytes = kMaxAiJsonBytes});
  if (!parsed)
    form.error("json_invalid", "", "JSON decode error", json::object());
  else if (!parsed->is_object())
    form.error("model_attributes_type", "", "Input should be a valid dictionary or object to extract fields from", *parsed);
  else
    form.fields_ = parsed->get_object();
  return form;
}

net::Task<AiForm> AiForm::from_multipart(net::Request& request) {
  AiForm form;
  form.is_form_ = true;
  const auto boundary = net::multipart_boundary(request.headers.get("content-type").value_or(""));
  if (!boundary) co_return form;  // a body without any field
  Collector collector;
  net::MultipartParser parser(*boundary, collector);
  base::Status status;
  for (;;) {
    auto piece = co_await request.body->read();
    if (!piece) status = base::fail(piece.error());
    if (!piece || piece->empty()) break;
    status = parser.feed(*piece);
    if (!status) break;
  }
  if (status) status = parser.finish();
  if (!status) form.error("value_error", "", "There was an error parsing the body: " + status.error().message, json::object());
  form.fields_ = std::move(collector.fields);
  form.files_ = std::move(collector.files);
  co_return form;
}

template <class T, class Parse>
std::optional<T> AiForm::read(std::string_view name, bool nullable, const char* kind, const char* message, const char* unable,
                              Parse parse) {
  const json::value* value = find(name);
  if (value == nullptr || (nullable && value->is_null())) return std::nullopt;
  if (!nullable && is_form_ && value->get_string().empty()) return std::nullopt;  // an empty field of a form takes the default
  if (auto parsed = parse(*value)) return parsed;
  if (value->is_double() && std::is_same_v<T, std::int64_t>)
    error("int_from_float", name, "Input should be a valid integer, got a number with a fractional part", *value);
  else if (value->is_string() || (value->is_number() && std::is_same_v<T, bool>))
    error(std::string(kind) + "_parsing", name, std::string(message) + unable, *value);
  else
    error(std::string(kind) + "_type", name, message, *value);
  return std::nullopt;
}

std::optional<std::int64_t> AiForm::integer(std::string_view name, bool nullable) {
  return read<std::int64_t>(name, nullable, "int", "Input should be a valid integer", ", unable to parse string as an integer", to_integer);
}
std::optional<double> AiForm::number(std::string_view name) {
  return read<double>(name, false, "float", "Input should be a valid number", ", unable to parse string as a number", to_double);
}
std::optional<bool> AiForm::boolean(std::string_view name) {
  return read<bool>(name, false, "bool", "Input should be a valid boolean", ", unable to interpret input", to_boolean);
}

std::optional<std::string> AiForm::text(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  error("string_type", name, "Input should be a valid string", *value);
  return std::nullopt;
}

std::string AiForm::required_text(std::string_view name) {
  if (find(name) == nullptr) error("missing", name, "Field required", fields_);
  return text(name).value_or("");
}

const std::string* AiForm::required_file(std::string_view name) {
  const auto found = files_.find(name);
  if (found != files_.end()) return &found->second;
  if (const json::value* value = find(name))
    error("value_error", name, "Value error, Expected UploadFile, received: <class 'str'>", *value);
  else
    error("missing", name, "Field required", nullptr);
  return nullptr;
}

}  // namespace kinora::runner

#include "nn/json_config.hpp"

#include <cmath>
#include <limits>

#include "nn/load_error.hpp"
#include "nn/mapped_file.hpp"

namespace kinora::nn {
namespace {

constexpr std::size_t kMaxList = 4096;

bool whole_in(const nlohmann::json& value, std::int64_t min, std::int64_t max) {
  if (value.is_number_unsigned())
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(max) && max >= 0 && value.get<std::int64_t>() >= min;
  return value.is_number_integer() && value.get<std::int64_t>() >= min && value.get<std::int64_t>() <= max;
}

std::string range(std::int64_t min, std::int64_t max) { return "whole number from " + std::to_string(min) + " to " + std::to_string(max); }

// Puts quotes around NaN, Infinity and -Infinity outside of strings: Python writes them, JSON does not know them.
std::string quote_python_numbers(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      out += c;
      out += text[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    std::string_view word;
    if (!in_string)
      for (const std::string_view one : {"-Infinity", "Infinity", "NaN"})
        if (text.substr(i).starts_with(one)) {
          word = one;
          break;
        }
    if (word.empty()) {
      out += c;
    } else {
      out.append("\"").append(word).append("\"");
      i += word.size() - 1;
    }
  }
  return out;
}

}  // namespace

JsonConfig JsonConfig::read(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > kMaxBytes) throw LoadError(path.string(), "", "larger than the limit of 1 MiB");
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

JsonConfig JsonConfig::parse(std::string_view text, std::string file) {
  return {nlohmann::json::parse(quote_python_numbers(text), nullptr, /*allow_exceptions=*/false), std::move(file)};
}

JsonConfig::JsonConfig(nlohmann::json object, std::string file) : object_(std::move(object)), file_(std::move(file)) {
  if (!object_.is_object()) throw LoadError(file_, "", "not a JSON object");
}

const nlohmann::json* JsonConfig::find(std::string_view name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void JsonConfig::refuse(std::string_view name, std::string_view reason) const { throw LoadError(file_, name, reason); }

bool JsonConfig::has(std::string_view name) const { return find(name) != nullptr; }

std::int64_t JsonConfig::integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (!whole_in(*value, min, max)) refuse(name, "must be a " + range(min, max));
  return value->get<std::int64_t>();
}

double JsonConfig::number(std::string_view name, double fallback) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) refuse(name, "must be a finite number");
  return value->get<double>();
}

double JsonConfig::extended(std::string_view name, double fallback) const {
  const auto* value = find(name);
  if (value != nullptr && *value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value != nullptr && *value == "-Infinity") return -std::numeric_limits<double>::infinity();
  return number(name, fallback);
}

bool JsonConfig::flag(std::string_view name, bool fallback) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) refuse(name, "must be true or false");
  return value->get<bool>();
}

std::string JsonConfig::text(std::string_view name, std::string_view fallback) const {
  const auto* value = find(name);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) refuse(name, "must be a text");
  return value->get<std::string>();
}

std::string JsonConfig::choice(std::string_view name, std::string_view fallback, const std::vector<std::string_view>& allowed) const {
  const std::string value = text(name, fallback);
  std::string list;
  for (const auto& one : allowed) {
    if (one == value) return value;
    list.append(list.empty() ? "" : ", ").append(one);
  }
  refuse(name, "is \"" + value.substr(0, 64) + "\"; known: " + list);
}

std::vector<std::int64_t> JsonConfig::integers(std::string_view name, std::vector<std::int64_t> fallback, std::int64_t min,
                                               std::int64_t max, std::size_t size) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (size != 0 && whole_in(*value, min, max)) return std::vector<std::int64_t>(size, value->get<std::int64_t>());
  if (!value->is_array() || value->empty() || value->size() > kMaxList || (size != 0 && value->size() != size))
    refuse(name, "must be a list of " + (size == 0 ? std::string("whole numbers") : std::to_string(size) + " whole numbers"));
  std::vector<std::int64_t> numbers;
  for (const auto& one : *value) {
    if (!whole_in(one, min, max)) refuse(name, "must hold only " + range(min, max));
    numbers.push_back(one.get<std::int64_t>());
  }
  return numbers;
}

std::vector<double> JsonConfig::numbers(std::string_view name, std::vector<double> fallback) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_array() || value->size() > kMaxList) refuse(name, "must be a list of numbers");
  std::vector<double> numbers;
  for (const auto& one : *value) {
    if (!one.is_number() || !std::isfinite(one.get<double>())) refuse(name, "must hold only finite numbers");
    numbers.push_back(one.get<double>());
  }
  return numbers;
}

std::vector<std::string> JsonConfig::texts(std::string_view name, std::vector<std::string> fallback) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_array() || value->size() > kMaxList) refuse(name, "must be a list of texts");
  std::vector<std::string> texts;
  for (const auto& one : *value) {
    if (!one.is_string()) refuse(name, "must hold only texts");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

std::vector<bool> JsonConfig::flags(std::string_view name, std::vector<bool> fallback, std::size_t size) const {
  const auto* value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return std::vector<bool>(size, value->get<bool>());
  if (!value->is_array() || value->size() != size) refuse(name, "must be true, false or a list of " + std::to_string(size) + " of them");
  std::vector<bool> flags;
  for (const auto& one : *value) {
    if (!one.is_boolean()) refuse(name, "must hold only true and false");
    flags.push_back(one.get<bool>());
  }
  return flags;
}

JsonConfig JsonConfig::object(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return {nlohmann::json::object(), file_};
  if (!value->is_object()) refuse(name, "must be an object");
  return {*value, file_};
}

}  // namespace kinora::nn

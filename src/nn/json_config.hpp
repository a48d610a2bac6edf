#pragma once
// Reads the members of a model's JSON configuration. A member that is absent or null takes the default; members that no one asks for are
// ignored (the libraries that write these files add some with every version). Errors: LoadError naming file and member.
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kinora::nn {

class JsonConfig {
 public:
  static constexpr std::uint64_t kMaxBytes = 1 << 20;

  // The file's top object; at most kMaxBytes. Python's NaN, Infinity and -Infinity, which some libraries write, are read as texts.
  static JsonConfig read(const std::filesystem::path& path);
  static JsonConfig parse(std::string_view text, std::string file);
  JsonConfig(nlohmann::json object, std::string file);  // throws when it is no object

  bool has(std::string_view name) const;  // there and not null
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max) const;
  double number(std::string_view name, double fallback) const;    // finite
  double extended(std::string_view name, double fallback) const;  // finite, Infinity or -Infinity
  bool flag(std::string_view name, bool fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  // One of the allowed values, else an error that lists them.
  std::string choice(std::string_view name, std::string_view fallback, const std::vector<std::string_view>& allowed) const;
  // A list of 1 to max_size whole numbers, or one number that stands for `size` equal ones (size 0: a list is required).
  std::vector<std::int64_t> integers(std::string_view name, std::vector<std::int64_t> fallback, std::int64_t min, std::int64_t max,
                                     std::size_t size = 0) const;
  std::vector<double> numbers(std::string_view name, std::vector<double> fallback) const;
  std::vector<std::string> texts(std::string_view name, std::vector<std::string> fallback) const;
  std::vector<bool> flags(std::string_view name, std::vector<bool> fallback, std::size_t size) const;  // or one for all
  JsonConfig object(std::string_view name) const;                                                      // absent: an empty one

  const nlohmann::json& json() const { return object_; }
  const std::string& file() const { return file_; }
  [[noreturn]] void refuse(std::string_view name, std::string_view reason) const;

 private:
  const nlohmann::json* find(std::string_view name) const;  // nullptr when absent or null

  nlohmann::json object_;
  std::string file_;
};

}  // namespace kinora::nn

#pragma once
// JSON at the network edges: Boost.JSON with limits, RFC 8785 canonical text, and a reader that collects every error
// with its RFC 6901 pointer instead of stopping at the first.
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::base {

namespace json = boost::json;

struct JsonLimits {
  std::size_t bytes = 1 << 20;
  std::size_t depth = 32;
};
// invalid: not JSON, trailing text, duplicate object keys, too deep; too_large: more than limits.bytes.
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {});

// RFC 8785 (JCS): sorted keys by UTF-16 code units, shortest numbers, minimal escapes.
std::string canonical_json(const json::value& value);

// One thing wrong with a JSON document.
struct FieldError {
  std::string pointer;  // "/input/scale"
  std::string code;     // missing_field, unknown_field, invalid_field, too_low, too_high, not_allowed
  std::string detail;   // for a person
};

// Reads one object: each accessor records what is wrong; finish() records members that no accessor asked for.
// A default of nullopt-returning accessors means "absent". Example:
//   FieldErrors errors; ObjectReader in(value, "", errors);
//   const auto task = in.required_string("task");  const auto scale = in.integer("scale", 1, 4);  in.finish();
using FieldErrors = std::vector<FieldError>;
class ObjectReader {
 public:
  // When value is no object, an error is recorded and every accessor answers "absent" silently.
  ObjectReader(const json::value& value, std::string pointer, FieldErrors& errors);

  const json::value* member(std::string_view key);  // marks it known; null member and absent are both nullptr
  const json::value* required(std::string_view key);
  std::optional<std::string> string(std::string_view key, std::size_t max_bytes = 4096);
  std::string required_string(std::string_view key, std::size_t max_bytes = 4096);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view key, double min, double max);
  std::optional<bool> boolean(std::string_view key);
  const json::array* array(std::string_view key, std::size_t max_items = 1000);
  const json::object* object(std::string_view key);
  void error(std::string_view key, std::string code, std::string detail);
  std::string pointer(std::string_view key) const;
  void finish();

 private:
  const json::object* object_ = nullptr;
  std::string pointer_;
  FieldErrors* errors_;
  std::vector<std::string> known_;
};

}  // namespace kinora::base

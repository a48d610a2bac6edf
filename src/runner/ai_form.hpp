#pragma once
// The fields of a request to an AI-runner route, from JSON or multipart/form-data, with the leniency and the errors of the reference
// (FastAPI 0.115, pydantic 2): every wrong field becomes an entry of the 422 answer. Pure but for reading the body.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "net/http.hpp"

namespace kinora::runner {

namespace json = base::json;

inline constexpr std::size_t kMaxAiJsonBytes = 1 << 20;
inline constexpr std::size_t kMaxAiFileBytes = 64 << 20;  // a picture
inline constexpr std::size_t kMaxAiFieldBytes = 1 << 20;

class AiForm {
 public:
  // Bodies that are no JSON object, or no proper multipart, give one error entry; so does what is larger than the limits.
  static AiForm from_json(std::string_view body);
  static net::Task<AiForm> from_multipart(net::Request& request);

  // Absent: nullopt, or an entry "missing" from required_*. A value of the wrong kind: an entry.
  std::optional<std::string> text(std::string_view name);
  std::string required_text(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, bool nullable = false);
  std::optional<double> number(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  const std::string* required_file(std::string_view name);  // its bytes; nullptr: an entry was made

  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool wrong() const { return !errors_.empty(); }
  json::object body_422() const { return {{"detail", errors_}}; }  // {"detail": [{"type", "loc", "msg", "input"}]}

 private:
  const json::value* find(std::string_view name) const;
  void error(std::string_view type, std::string_view name, std::string_view message, const json::value& input);
  template <class T, class Parse>
  std::optional<T> read(std::string_view name, bool nullable, const char* kind, const char* message, const char* unable, Parse parse);

  bool is_form_ = false;
  json::object fields_;  // of a form: texts
  std::map<std::string, std::string, std::less<>> files_;
  json::array errors_;
};

}  // namespace kinora::runner

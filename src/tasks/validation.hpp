#pragma once
// Checks a job's input against the catalogue, and describes it as JSON Schema.
//
// Pure; every error is collected (with its RFC 6901 pointer and, where a name is nearly right, "did you mean"), never only the first.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::tasks {

namespace json = base::json;

inline constexpr std::size_t kMaxManyItems = 1024;  // items of a slot that takes many

// Who wrote the input: a client's job may not set internal parameters, the network's own order may.
enum class Author { client, network };

// A media value that stands in a slot, not yet looked at.
struct SlotValue {
  std::string slot;
  std::string pointer;  // "/input/video" or "/input/chunk/3"
  json::value value;
};

struct SplitInput {
  json::object params;           // checked, defaults filled in
  std::vector<SlotValue> media;  // in the catalogue's order of slots
};

// `input`: a client's object that holds media slots and parameters side by side. What is wrong is added to `errors`;
// the returned value is meaningful only if nothing was added.
SplitInput validate_input(const TaskSpec& task, const json::value& input, std::string_view pointer, base::FieldErrors& errors,
                          Author author = Author::client);

// `params`: parameters alone (the `params` of a task order).
json::object validate_params(const TaskSpec& task, const json::value& params, std::string_view pointer, base::FieldErrors& errors,
                             Author author = Author::network);

// JSON Schema 2020-12 of a client's `input` for the task (internal parameters left out). Media values are described as in docs/api.md.
json::object input_schema(const TaskSpec& task);
// JSON Schema 2020-12 of the finished job's `output`.
json::object output_schema(const TaskSpec& task);

// The public description of a task for `GET /v1/tasks` and `kinora models`.
json::object describe(const TaskSpec& task);

}  // namespace kinora::tasks

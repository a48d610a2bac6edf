#include "tasks/order.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ulid.hpp"
#include "tasks/validation.hpp"

namespace kinora::tasks {
namespace {

using base::ErrorCode;
using base::FieldErrors;
using base::ObjectReader;

bool is_http_url(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return false;
  return std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// A plain name for a file of ours: no folder, no control characters.
bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text != "." && text != ".." &&
         std::none_of(text.begin(), text.end(), [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
}

OrderInput read_input(const json::value& value, std::string pointer, const TaskSpec& task, FieldErrors& errors) {
  OrderInput input;
  ObjectReader in(value, std::move(pointer), errors);
  input.slot = in.required_string("slot", 64);
  if (!input.slot.empty() && task.find_input(input.slot) == nullptr) in.error("slot", "not_allowed", "is no input of this task");
  input.url = in.required_string("url", kMaxUrlBytes);
  if (!input.url.empty() && !is_http_url(input.url)) in.error("url", "invalid_field", "must be an http or https URL");
  input.name = in.string("name", 255).value_or("");
  if (!input.name.empty() && !is_plain_name(input.name)) in.error("name", "invalid_field", "must be a file name without folders");
  input.bytes = in.integer("bytes", 0, kMaxInputBytes);
  input.sha256 = in.string("sha256", 64);
  if (input.sha256 && !is_sha256(*input.sha256)) in.error("sha256", "invalid_field", "must be 64 lower-case hex digits");
  return input;
}

void read_inputs(ObjectReader& in, const TaskSpec& task, TaskOrder& order, FieldErrors& errors) {
  const json::array* items = in.array("inputs", kMaxOrderInputs);
  if (items != nullptr) {
    for (std::size_t i = 0; i < items->size(); ++i)
      order.inputs.push_back(read_input((*items)[i], fmt::format("{}/{}", in.pointer("inputs"), i), task, errors));
  }
  for (const InputSlot& slot : task.inputs) {
    const auto count =
        std::count_if(order.inputs.begin(), order.inputs.end(), [&](const OrderInput& input) { return input.slot == slot.slot; });
    if (count == 0 && slot.required) in.error("inputs", "missing_field", fmt::format("slot \"{}\" is required", slot.slot));
    if (count > 1 && !slot.many) in.error("inputs", "too_high", fmt::format("slot \"{}\" takes one file", slot.slot));
  }
}

void read_upload(ObjectReader& in, TaskOrder& order, FieldErrors& errors) {
  if (in.object("upload") == nullptr) return;
  ObjectReader target(*in.member("upload"), in.pointer("upload"), errors);
  UploadTarget upload{target.required_string("url", kMaxUrlBytes), target.required_string("token", 1024)};
  if (!upload.url.empty() && (!is_http_url(upload.url) || !upload.url.ends_with('/')))
    target.error("url", "invalid_field", "must be an http or https URL that ends with '/'");
  if (std::any_of(upload.token.begin(), upload.token.end(), [](char c) { return c <= 0x20 || c >= 0x7f; }))
    target.error("token", "invalid_field", "must be printable ASCII without spaces");
  order.upload = std::move(upload);
}

base::Error describe_errors(const FieldErrors& errors) {
  std::string text = "task order:";
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(errors.size(), kShown); ++i)
    text += fmt::format("{} {} {}", i == 0 ? "" : ";", errors[i].pointer.empty() ? "(root)" : errors[i].pointer, errors[i].detail);
  if (errors.size() > kShown) text += fmt::format("; and {} more", errors.size() - kShown);
  return {ErrorCode::invalid, std::move(text)};
}

}  // namespace

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_file_name(std::string_view name) {
  if (name.empty() || name.size() > 200 || name.front() == '/' || name.back() == '/') return false;
  const bool alphabet = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '/' || c == '-';
  });
  if (!alphabet || name.find("..") != std::string_view::npos || name.find("//") != std::string_view::npos) return false;
  // A segment "." would name its folder.
  return name != "." && !name.starts_with("./") && !name.ends_with("/.") && name.find("/./") == std::string_view::npos;
}

std::string capability_name(const TaskOrder& order) { return order.model ? order.task + ":" + *order.model : order.task; }

json::object to_json(const TaskOrder& order) {
  json::object out{{"version", 1}, {"attempt", order.attempt}, {"task", order.task}};
  out["model"] = order.model ? json::value(*order.model) : json::value(nullptr);
  out["params"] = order.params;
  json::array inputs;
  for (const OrderInput& input : order.inputs) {
    json::object item{{"slot", input.slot}, {"url", input.url}, {"name", input.name}};
    if (input.bytes) item["bytes"] = *input.bytes;
    if (input.sha256) item["sha256"] = *input.sha256;
    inputs.push_back(std::move(item));
  }
  out["inputs"] = std::move(inputs);
  if (order.upload) out["upload"] = {{"url", order.upload->url}, {"token", order.upload->token}};
  if (order.tls_pin) out["tls_pin"] = *order.tls_pin;
  out["deadline_s"] = order.deadline_s;
  return out;
}

base::Result<TaskOrder> parse_order(std::string_view text) {
  KINORA_TRY(const json::value value, base::parse_json(text, {.bytes = kMaxOrderBytes, .depth = 16}));
  FieldErrors errors;
  ObjectReader in(value, "", errors);
  const auto version = in.integer("version", 1, 1'000'000);
  if (version && *version != 1)
    return base::fail(ErrorCode::unsupported, fmt::format("task order: version {} is not known here", *version));
  if (!version && errors.empty()) in.error("version", "missing_field", "is required");

  TaskOrder order;
  order.attempt = in.required_string("attempt", 64);
  if (!order.attempt.empty() && !base::is_id("att", order.attempt)) in.error("attempt", "invalid_field", "must be att_ and a ULID");
  order.task = in.required_string("task", 64);
  const TaskSpec* task = find_task(order.task);
  if (task == nullptr && errors.empty())
    return base::fail(ErrorCode::unsupported, "task order: the task \"" + order.task + "\" is not known here");
  order.model = in.string("model", kMaxModelBytes);
  order.tls_pin = in.string("tls_pin", 200);
  order.deadline_s = in.integer("deadline_s", 1, kMaxDeadlineS).value_or(order.deadline_s);
  read_upload(in, order, errors);
  if (task != nullptr) {
    read_inputs(in, *task, order, errors);
    const json::value* params = in.member("params");
    order.params = validate_params(*task, params != nullptr ? *params : json::value(json::object()), in.pointer("params"), errors);
  }
  if (!errors.empty()) return base::fail(describe_errors(errors));
  return order;
}

}  // namespace kinora::tasks

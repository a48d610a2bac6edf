#include "tasks/event.hpp"

#include <fmt/format.h>

#include "tasks/order.hpp"

namespace kinora::tasks {
namespace {

using base::ErrorCode;
using base::FieldErrors;
using base::ObjectReader;

constexpr double kMuch = 1e15;
constexpr std::int64_t kMany = std::int64_t{1} << 53;

json::object to_json(const Accepted& event) {
  return {{"type", "accepted"}, {"worker", event.worker}, {"device", event.device}, {"queue_position", event.queue_position}};
}

json::object to_json(const Progress& event) {
  json::object out{{"type", "progress"},
                   {"fraction", event.fraction},
                   {"stage", event.stage},
                   {"units_done", event.units_done},
                   {"units_total", event.units_total},
                   {"unit", event.unit}};
  if (event.fps) out["fps"] = *event.fps;
  if (event.eta_s) out["eta_s"] = *event.eta_s;
  if (!event.preview.empty()) out["preview"] = event.preview;
  return out;
}

json::object to_json(const TaskResult& event) {
  json::array files;
  for (const ResultFile& file : event.files)
    files.push_back({{"slot", file.slot},
                     {"name", file.name},
                     {"bytes", file.bytes},
                     {"sha256", file.sha256},
                     {"mime", file.mime},
                     {"media", file.media}});
  return {{"type", "result"},
          {"outputs", event.outputs},
          {"files", std::move(files)},
          {"metrics", {{"seconds", event.seconds}, {"units", event.units}}}};
}

json::object to_json(const TaskFailure& event) {
  return {{"type", "error"},
          {"error", {{"code", event.code}, {"fault", name(event.fault)}, {"retryable", event.retryable}, {"detail", event.detail}}}};
}

// Our peers may be newer: unknown members are fine, so no finish().
Accepted read_accepted(ObjectReader& in) {
  Accepted out;
  out.worker = in.string("worker", 200).value_or("");
  out.device = in.string("device", 200).value_or("");
  out.queue_position = in.integer("queue_position", 0, kMany).value_or(0);
  return out;
}

Progress read_progress(ObjectReader& in) {
  Progress out;
  out.fraction = in.number("fraction", 0, 1).value_or(0);
  out.stage = in.string("stage", 64).value_or("");
  out.units_done = in.integer("units_done", 0, kMany).value_or(0);
  out.units_total = in.integer("units_total", 0, kMany).value_or(0);
  out.unit = in.string("unit", 64).value_or("");
  out.fps = in.number("fps", 0, kMuch);
  out.eta_s = in.number("eta_s", 0, kMuch);
  out.preview = in.string("preview", kMaxPreviewBytes).value_or("");
  return out;
}

TaskResult read_result(ObjectReader& in, FieldErrors& errors) {
  TaskResult out;
  if (const json::object* outputs = in.object("outputs")) out.outputs = *outputs;
  if (const json::array* files = in.array("files", kMaxResultFiles)) {
    for (std::size_t i = 0; i < files->size(); ++i) {
      ObjectReader item((*files)[i], fmt::format("/files/{}", i), errors);
      ResultFile file;
      file.slot = item.required_string("slot", 64);
      file.name = item.required_string("name", 200);
      if (!file.name.empty() && !is_file_name(file.name)) item.error("name", "invalid_field", "is no allowed file name");
      file.bytes = item.integer("bytes", 0, kMaxInputBytes).value_or(0);
      file.sha256 = item.string("sha256", 64).value_or("");
      if (!file.sha256.empty() && !is_sha256(file.sha256)) item.error("sha256", "invalid_field", "must be 64 lower-case hex digits");
      file.mime = item.string("mime", 200).value_or("application/octet-stream");
      if (item.member("media") != nullptr && item.object("media") != nullptr) file.media = *item.member("media");
      out.files.push_back(std::move(file));
    }
  }
  if (in.object("metrics") != nullptr) {
    ObjectReader metrics(*in.member("metrics"), "/metrics", errors);
    out.seconds = metrics.number("seconds", 0, kMuch).value_or(0);
    out.units = metrics.number("units", 0, kMuch).value_or(0);
  }
  return out;
}

TaskFailure read_failure(ObjectReader& in, FieldErrors& errors) {
  TaskFailure out;
  if (in.required("error") == nullptr) return out;
  ObjectReader error(*in.member("error"), "/error", errors);
  const std::string code = error.string("code", 64).value_or("worker_error");
  // A code that is not in the table would be shown to clients as if it were ours.
  out = failure(find_error(code) != nullptr ? code : "worker_error", "");
  if (const auto fault = error.string("fault", 16)) {
    if (const auto known = parse_fault(*fault))
      out.fault = *known;
    else
      error.error("fault", "not_allowed", "is no known fault");
  }
  out.retryable = error.boolean("retryable").value_or(out.retryable);
  out.detail = error.string("detail", kMaxEventBytes).value_or("");
  if (out.detail.size() > kMaxDetailBytes) {
    std::size_t end = kMaxDetailBytes;  // not inside a UTF-8 character
    while (end > 0 && (static_cast<unsigned char>(out.detail[end]) & 0xc0) == 0x80) --end;
    out.detail.resize(end);
  }
  return out;
}

}  // namespace

TaskFailure failure(std::string_view code, std::string detail) {
  TaskFailure out{std::string(code), Fault::worker, true, std::move(detail)};
  if (const ErrorSpec* spec = find_error(code)) {
    out.fault = spec->fault;
    out.retryable = spec->retryable;
  }
  return out;
}

json::object to_json(const TaskEvent& event) {
  return std::visit([](const auto& known) { return to_json(known); }, event);
}

base::Result<std::optional<TaskEvent>> parse_event(std::string_view text) {
  KINORA_TRY(const json::value value, base::parse_json(text, {.bytes = kMaxEventBytes, .depth = 32}));
  FieldErrors errors;
  ObjectReader in(value, "", errors);
  const auto type = in.string("type", 64);
  std::optional<TaskEvent> event;
  if (type == "accepted")
    event = read_accepted(in);
  else if (type == "progress")
    event = read_progress(in);
  else if (type == "result")
    event = read_result(in, errors);
  else if (type == "error")
    event = read_failure(in, errors);
  if (!errors.empty())
    return base::fail(ErrorCode::invalid,
                      fmt::format("event: {} {}", errors[0].pointer.empty() ? "(root)" : errors[0].pointer, errors[0].detail));
  return event;
}

}  // namespace kinora::tasks

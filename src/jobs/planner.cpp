#include "jobs/planner.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::jobs {
namespace {

double number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  const double number = value->to_number<double>();
  return std::isfinite(number) && number > 0 ? number : 0;
}

// The first member of that name in `plan` that is an integer.
const json::value* integer_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value : nullptr;
}

// Its last picture of a chunk needs the first of the next one.
bool looks_ahead(std::string_view task) { return task == "frame-interpolation" || task == "video-enhance"; }

}  // namespace

SourceFacts source_facts(const json::value& media) {
  SourceFacts out;
  const json::object* object = media.if_object();
  if (object == nullptr) return out;
  out.duration_s = number_at(*object, "duration_s");
  if (const json::value* streams = object->if_contains("streams"); streams != nullptr && streams->is_array()) {
    for (const json::value& stream : streams->get_array()) {
      const json::object* info = stream.if_object();
      if (info == nullptr || !info->contains("type") || info->at("type") != "video") continue;
      out.frames = number_at(*info, "frames");
      if (out.duration_s == 0) out.duration_s = number_at(*info, "duration_s");
      break;
    }
  }
  if (out.frames == 0) out.frames = out.duration_s * number_at(*object, "fps");
  return out;
}

bool may_be_cut(std::string_view task) { return task == "video-upscale" || looks_ahead(task); }

PlanKind plan(std::string_view task, const json::object& params, const SourceFacts& source, unsigned free_slots,
              const PlanSettings& settings) {
  if (!settings.chunking || !may_be_cut(task) || params.contains("range")) return PlanKind::single;
  if (free_slots < 2 || source.duration_s <= 2 * settings.chunk_s) return PlanKind::single;
  return PlanKind::chunked;
}

json::object cut_params(std::string_view task, const SourceFacts& source, const PlanSettings& settings) {
  // Longer chunks rather than more than kMaxChunks of them.
  const double target_s = std::clamp(std::max(settings.chunk_s, source.duration_s / kMaxChunks), 0.1, 3600.0);
  json::object params{{"target_s", target_s}, {"max_chunks", kMaxChunks}};
  if (looks_ahead(task)) params["look_ahead"] = true;
  return params;
}

base::Result<std::vector<ChunkTask>> chunk_tasks(std::string_view job_task, const json::object& job_params, const tasks::TaskResult& cut) {
  const auto wrong = [](std::string why) { return base::fail(base::ErrorCode::invalid, "the cut's plan " + std::move(why)); };
  const json::value* plan = cut.outputs.if_contains("plan");
  const json::value* chunks = plan != nullptr && plan->is_object() ? plan->get_object().if_contains("chunks") : nullptr;
  if (chunks == nullptr || !chunks->is_array()) return wrong("has no list of chunks");
  if (chunks->get_array().empty() || chunks->get_array().size() > static_cast<std::size_t>(kMaxChunks))
    return wrong("has no chunk or too many");
  std::vector<ChunkTask> out;
  std::int64_t last_end = INT64_MIN;
  const json::value* origin = nullptr;
  for (const json::value& item : chunks->get_array()) {
    const json::object* chunk = item.if_object();
    if (chunk == nullptr) return wrong("holds a chunk that is no object");
    const json::value* file = chunk->contains("name") ? chunk->if_contains("name") : chunk->if_contains("file");
    const json::value* start = integer_at(*chunk, "start_pts");
    const json::value* end = integer_at(*chunk, "end_pts");
    if (file == nullptr || !file->is_string() || start == nullptr || end == nullptr)
      return wrong("holds a chunk without name, start_pts or end_pts");
    if (start->get_int64() < last_end || end->get_int64() <= start->get_int64()) return wrong("holds chunks out of order");
    last_end = end->get_int64();
    if (origin == nullptr) origin = start;
    ChunkTask task;
    task.file = file->get_string();
    const bool delivered = std::any_of(cut.files.begin(), cut.files.end(),
                                       [&](const tasks::ResultFile& one) { return one.slot == "chunks" && one.name == task.file; });
    if (!delivered) return wrong("names a file that was not delivered");
    task.params = job_params;
    task.params["range"] = {{"start_pts", *start}, {"end_pts", *end}};
    if (looks_ahead(job_task)) task.params["range"].as_object()["origin_pts"] = *origin;
    task.params["video_only"] = true;
    task.frames = std::max({number_at(*chunk, "frames"), number_at(*chunk, "packets"), 1.0});
    out.push_back(std::move(task));
  }
  return out;
}

json::object join_params(const tasks::TaskResult& cut) {
  json::object out{{"container", "mp4"}};
  const json::value* plan = cut.outputs.if_contains("plan");
  if (plan == nullptr || !plan->is_object()) return out;
  if (const json::value* offset = integer_at(plan->get_object(), "pts_offset")) out["pts_offset"] = *offset;
  if (const json::value* base = plan->get_object().if_contains("time_base"); base != nullptr && base->is_string()) out["time_base"] = *base;
  return out;
}

}  // namespace kinora::jobs

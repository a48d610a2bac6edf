#include "jobs/result_output.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "jobs/retry.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::jobs {
namespace {

json::value at_or_null(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr ? *value : json::value(nullptr);
}

// "30000/1001" -> 30000, 1001
std::optional<std::pair<std::int64_t, std::int64_t>> rational(const json::value& value) {
  const json::string* text = value.if_string();
  if (text == nullptr) return std::nullopt;
  std::int64_t num = 0, den = 0;
  const char* const end = text->data() + text->size();
  const auto first = std::from_chars(text->data(), end, num);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, den);
  if (second.ec != std::errc() || second.ptr != end || num <= 0 || den <= 0) return std::nullopt;
  return std::pair(num, den);
}

json::object video_block(const json::object& stream, const json::object& media) {
  json::object out{{"width", at_or_null(stream, "width")}, {"height", at_or_null(stream, "height")}};
  const json::value rate = at_or_null(stream, "average_rate");
  const auto fps = rational(rate);
  out["fps"] = fps ? rate : json::value(nullptr);
  out["fps_num"] = fps ? json::value(fps->first) : json::value(nullptr);
  out["fps_den"] = fps ? json::value(fps->second) : json::value(nullptr);
  out["frames"] = at_or_null(stream, "frames");
  out["duration_s"] = stream.contains("duration_s") ? at_or_null(stream, "duration_s") : at_or_null(media, "duration_s");
  out["codec"] = at_or_null(stream, "codec");
  return out;
}

json::object file_block(const Artifact& artifact) {
  json::object out{{"artifact", artifact.id},
                   {"mime", artifact.mime},
                   {"bytes", artifact.bytes},
                   {"sha256", artifact.sha256},
                   {"filename", artifact.filename}};
  if (artifact.multi) out["file"] = artifact.main_file;
  for (auto& member : describe_media(artifact.media, artifact.kind)) out[member.key()] = member.value();
  return out;
}

constexpr std::int64_t kMostFrames = 1'000'000'000'000;  // that a part may tell of: sums of them stay numbers

// A worker's own words: few, short, and nothing of its machine.
json::array told_texts(const json::object& facts, std::string_view name) {
  constexpr std::size_t kMostTexts = 16, kLongestText = 200;
  json::array texts;
  if (const json::value* given = facts.if_contains(name); given != nullptr && given->is_array())
    for (const json::value& text : given->get_array())
      if (text.is_string() && texts.size() < kMostTexts)
        texts.emplace_back(redact(std::string_view(text.get_string()).substr(0, kLongestText)));
  return texts;
}

void tell_making(const tasks::TaskSpec& task, const tasks::TaskResult& result, json::object& output) {
  for (const tasks::OutputSlot& slot : task.outputs) {
    const json::value* told = slot.file ? result.outputs.if_contains(slot.slot) : nullptr;
    const json::object* facts = told != nullptr ? told->if_object() : nullptr;
    if (facts == nullptr) continue;
    if (const json::value* seeds = facts->if_contains("seeds"); seeds != nullptr && seeds->is_array() && !seeds->get_array().empty())
      if (const json::value& seed = seeds->get_array().front(); seed.is_int64() || seed.is_uint64()) output["seed"] = seed;
    if (auto notes = told_texts(*facts, "notes"); !notes.empty()) output["notes"] = std::move(notes);
  }
}

std::string base_name(const std::string& name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

json::object describe_media(const json::value& media, std::string_view kind) {
  json::object out;
  const json::object* object = media.if_object();
  const json::value* streams = object != nullptr ? object->if_contains("streams") : nullptr;
  if (streams == nullptr || !streams->is_array()) return out;
  for (const json::value& value : streams->get_array()) {
    const json::object* stream = value.if_object();
    if (stream == nullptr || !stream->contains("type")) continue;
    const json::value& type = stream->at("type");
    if (type == "video" && kind == "image" && !out.contains("image"))
      out["image"] = {{"width", at_or_null(*stream, "width")}, {"height", at_or_null(*stream, "height")}};
    else if (type == "video" && kind != "image" && !out.contains("video"))
      out["video"] = video_block(*stream, *object);
    else if (type == "audio" && !out.contains("audio"))
      out["audio"] = {{"codec", at_or_null(*stream, "codec")},
                      {"channels", at_or_null(*stream, "channels")},
                      {"sample_rate", at_or_null(*stream, "sample_rate")}};
  }
  if (kind == "video" && !out.contains("audio")) out["audio"] = nullptr;
  return out;
}

ResultOutput make_output(const Job& job, const tasks::TaskResult& result, UnixMillis now, const std::function<std::string()>& new_id) {
  ResultOutput out;
  const tasks::TaskSpec& task = *tasks::find_task(job.task);
  const auto artifact_of = [&](const tasks::ResultFile& file) {
    Artifact artifact;
    artifact.id = new_id();
    artifact.project = job.project;
    artifact.kind = kind_of_mime(file.mime);
    artifact.mime = file.mime;
    artifact.filename = base_name(file.name);
    artifact.bytes = file.bytes;
    artifact.sha256 = file.sha256;
    artifact.media = file.media;
    artifact.source = {{"job", job.id}, {"slot", file.slot}};
    if (job.ephemeral) artifact.source["ephemeral"] = true;
    artifact.created_at = now;
    artifact.expires_at = now + std::chrono::seconds(job.retention_s);
    return artifact;
  };
  for (const tasks::OutputSlot& slot : task.outputs) {
    if (!slot.file) {
      if (const json::value* value = result.outputs.if_contains(slot.slot)) out.output[slot.slot] = *value;
      continue;
    }
    std::vector<const tasks::ResultFile*> files;
    for (const tasks::ResultFile& file : result.files)
      if (file.slot == slot.slot) files.push_back(&file);
    if (files.empty()) continue;
    if (slot.slot == "hls") {
      Artifact artifact = artifact_of(*files.front());
      artifact.kind = "hls";
      artifact.multi = true;
      artifact.main_file = files.front()->name;
      artifact.bytes = 0;
      std::vector<ArtifactFile> members;
      for (const tasks::ResultFile* file : files) {
        artifact.bytes += file->bytes;
        members.push_back({file->name, file->sha256, file->bytes, file->mime});
      }
      out.output[slot.slot] = file_block(artifact);
      out.output[slot.slot].as_object()["files"] = members.size();
      out.artifacts.emplace_back(std::move(artifact), std::move(members));
      continue;
    }
    json::array blocks;
    for (const tasks::ResultFile* file : files) {
      Artifact artifact = artifact_of(*file);
      blocks.push_back(file_block(artifact));
      ArtifactFile only{"", file->sha256, file->bytes, file->mime};
      out.artifacts.emplace_back(std::move(artifact), std::vector{std::move(only)});
    }
    out.output[slot.slot] = slot.many ? json::value(std::move(blocks)) : std::move(blocks.front());
  }
  tell_making(task, result, out.output);
  out.output["params"] = job.params;
  return out;
}

std::optional<std::string> weights_of(std::span<const tasks::TaskResult> parts) {
  constexpr std::string_view kPrefix = "sha256:";
  std::optional<std::string> digest;
  for (const tasks::TaskResult& part : parts) {
    std::string told;
    for (const auto& slot : part.outputs)
      if (const json::object* facts = slot.value().if_object())
        if (const json::value* weights = facts->if_contains("weights"); weights != nullptr && weights->is_string())
          told = std::string(weights->get_string());
    const bool well = told.size() == kPrefix.size() + 64 && told.starts_with(kPrefix) &&
                      told.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string::npos;
    if (!well || (digest && *digest != told)) return std::nullopt;
    digest = std::move(told);
  }
  return digest;
}

std::optional<json::object> acceleration_of(std::span<const tasks::TaskResult> parts) {
  std::map<std::string_view, double> sums;
  bool told = false;
  for (const tasks::TaskResult& part : parts) {
    const json::value* video = part.outputs.if_contains("video");
    const json::value* counts = video != nullptr && video->is_object() ? video->get_object().if_contains("acceleration") : nullptr;
    if (counts == nullptr || !counts->is_object()) continue;
    told = true;
    for (const std::string_view name : {"frames", "whole_frames", "tiles", "cells", "carried_cells"})
      if (const json::value* count = counts->get_object().if_contains(name); count != nullptr && count->is_number())
        sums[name] += count->to_number<double>();
  }
  if (!told) return std::nullopt;
  const auto whole = [&](std::string_view name) { return static_cast<std::int64_t>(std::clamp(sums[name], 0.0, 1e15)); };
  const double cells = sums["cells"];
  return json::object{{"frames", whole("frames")},
                      {"whole_frames", whole("whole_frames")},
                      {"tiles", whole("tiles")},
                      {"carried_share", cells > 0 ? std::clamp(sums["carried_cells"] / cells, 0.0, 1.0) : 0.0}};
}

std::optional<json::object> enhancement_of(std::span<const tasks::TaskResult> parts) {
  json::object told;
  for (const tasks::TaskResult& part : parts) {
    const json::value* video = part.outputs.if_contains("video");
    if (video == nullptr || !video->is_object()) continue;
    const json::object& facts = video->get_object();
    for (const std::string_view name :
         {"source_frames", "damaged_frames", "deinterlaced_frames", "resized_frames", "interpolated_frames", "cuts", "repeats"}) {
      const json::value* count = facts.if_contains(name);
      if (count == nullptr || !count->is_int64()) continue;
      json::value& sum = told.emplace(name, 0).first->value();
      sum = sum.as_int64() + std::clamp<std::int64_t>(count->get_int64(), 0, kMostFrames);
    }
    for (const std::string_view name : {"ops", "notes"})
      if (auto texts = told_texts(facts, name); !texts.empty()) told.emplace(name, std::move(texts));
  }
  if (told.empty()) return std::nullopt;
  return told;
}

std::optional<tasks::TaskFailure> check_delivery(const tasks::TaskOrder& order, const tasks::TaskResult& result,
                                                 const std::vector<DeliveredFile>& arrived) {
  const tasks::TaskSpec& task = *tasks::find_task(order.task);
  std::map<std::string_view, const DeliveredFile*> by_name;
  for (const DeliveredFile& file : arrived) by_name[file.name] = &file;
  std::map<std::string_view, int> per_slot;
  std::set<std::string_view> names;
  for (const tasks::ResultFile& file : result.files) {
    const auto slot = std::find_if(task.outputs.begin(), task.outputs.end(),
                                   [&](const tasks::OutputSlot& one) { return one.slot == file.slot && one.file; });
    if (slot == task.outputs.end()) return tasks::failure("worker_error", "the result holds a file for a slot that the task does not have");
    if (++per_slot[slot->slot] > 1 && !slot->many) return tasks::failure("worker_error", "the result holds two files for one slot");
    if (!names.insert(file.name).second) return tasks::failure("worker_error", "the result names a file twice");
    const auto found = by_name.find(file.name);
    if (found == by_name.end()) return tasks::failure("transfer_failed", "a file of the result has not arrived");
    if (found->second->sha256 != file.sha256 || found->second->bytes != file.bytes)
      return tasks::failure("verification_failed", "a file that arrived differs from what the worker declared");
  }
  // One file slot at least must be filled where the task makes files, and every JSON slot.
  const bool makes_files = std::any_of(task.outputs.begin(), task.outputs.end(), [](const tasks::OutputSlot& slot) { return slot.file; });
  if (makes_files && result.files.empty()) return tasks::failure("worker_error", "the result holds no file");
  for (const tasks::OutputSlot& slot : task.outputs)
    if (!slot.file && !result.outputs.contains(slot.slot)) return tasks::failure("worker_error", "the result lacks an output");
  return std::nullopt;
}

}  // namespace kinora::jobs

#include "jobs/progress.hpp"

#include <algorithm>
#include <cmath>

#include "base/time.hpp"

namespace kinora::jobs {

void JobProgress::add(const TaskKey& task, double weight) {
  parts_[task] = Part{.weight = std::max(weight, 0.0), .fraction = 0, .done = false, .last = {}};
}

void JobProgress::update(const TaskKey& task, const tasks::Progress& progress, base::UnixMillis now) {
  Part& part = parts_[task];
  if (part.done) return;
  part.fraction = std::clamp(progress.fraction, 0.0, 1.0);
  part.last = progress;
  newest_ = task;
  if (!started_) started_ = now;
  highest_ = std::max(highest_, fraction());
  changed_ = true;
}

void JobProgress::finish(const TaskKey& task) {
  Part& part = parts_[task];
  part.done = true;
  part.fraction = 1;
  highest_ = std::max(highest_, fraction());
  changed_ = true;
}

void JobProgress::restart(const TaskKey& task) {
  Part& part = parts_[task];
  part.done = false;
  part.fraction = 0;
  part.last = {};
}

double JobProgress::fraction() const {
  double total = 0, done = 0;
  for (const auto& [task, part] : parts_) {
    total += part.weight;
    done += part.weight * part.fraction;
  }
  return total > 0 ? std::max(highest_, std::min(done / total, 1.0)) : highest_;
}

json::object JobProgress::to_json(base::UnixMillis now) const {
  const bool chunked = parts_.size() > 1;
  double units_done = 0, units_total = 0, fps = 0;
  std::string stage, unit;
  int steps = 0, finished = 0;
  for (const auto& [task, part] : parts_) {
    ++steps;
    finished += part.done;
    if (chunked && task.first != "chunk") continue;  // frames of the chunks are what a person counts
    const bool known = part.last.units_total > 0;
    units_total += chunked ? part.weight : static_cast<double>(part.last.units_total);
    units_done +=
        chunked ? part.weight * part.fraction : static_cast<double>(known && part.done ? part.last.units_total : part.last.units_done);
    if (!part.done && part.last.fps) fps += *part.last.fps;
  }
  if (const auto part = parts_.find(newest_); part != parts_.end()) {
    stage = chunked && newest_.first != "chunk" ? newest_.first : part->second.last.stage;
    unit = chunked ? "frame" : part->second.last.unit;
  }
  const double at = fraction();
  json::object out{{"fraction", std::round(at * 1e4) / 1e4},
                   {"stage", stage},
                   {"stage_index", finished},
                   {"stages", std::max(steps, 1)},
                   {"units_done", std::llround(units_done)},
                   {"units_total", std::llround(units_total)},
                   {"unit", unit}};
  if (fps > 0) out["fps"] = std::round(fps * 100) / 100;
  // From the job's own pace: it sees all tasks, those that wait included.
  constexpr double kEnough = 0.02;
  out["eta_s"] = nullptr;
  if (started_ && at >= kEnough && at < 1) {
    const double seconds = std::chrono::duration<double>(now - *started_).count();
    out["eta_s"] = std::ceil(seconds / at * (1 - at));
    out["eta_confidence"] = at < 0.1 ? "low" : at < 0.5 ? "medium" : "high";
  } else if (!chunked && parts_.size() == 1 && parts_.begin()->second.last.eta_s) {
    out["eta_s"] = std::ceil(*parts_.begin()->second.last.eta_s);
  }
  out["updated_at"] = base::to_rfc3339(now);
  if (!previews_.empty()) out["previews"] = previews_;
  return out;
}

bool JobProgress::preview_due(base::UnixMillis now) {
  if (wanted_previews_ >= kMaxPreviews || (previewed_ && now - *previewed_ < kPreviewEvery)) return false;
  previewed_ = now;
  ++wanted_previews_;
  return true;
}

void JobProgress::add_preview(std::string artifact, double at) {
  previews_.push_back(json::object{{"artifact", std::move(artifact)}, {"at", std::round(at * 1e4) / 1e4}});
}

void JobProgress::restore_previews(const json::object& progress) {
  if (const json::value* previews = progress.if_contains("previews")) previews_ = previews->as_array();
  wanted_previews_ = static_cast<int>(previews_.size());
}

bool JobProgress::due(base::UnixMillis now) {
  if (!changed_ || (stored_ && now - *stored_ < kProgressEvery)) return false;
  stored_ = now;
  changed_ = false;
  return true;
}

}  // namespace kinora::jobs

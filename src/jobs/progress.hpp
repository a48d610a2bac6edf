#pragma once
// Progress of a job over its tasks: one fraction that never goes back, weighted by frames; ETA; at most two stored changes a second. Pure.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "tasks/event.hpp"

namespace kinora::jobs {

namespace json = base::json;

inline constexpr std::chrono::milliseconds kProgressEvery{500};
inline constexpr std::chrono::milliseconds kPreviewEvery{1000};  // of one job
inline constexpr int kMaxPreviews = 64;

class JobProgress {
 public:
  using TaskKey = std::pair<std::string, int>;  // step, ordinal
  // A task of the job with its share of the work; again replaces.
  void add(const TaskKey& task, double weight);
  void update(const TaskKey& task, const tasks::Progress& progress, base::UnixMillis now);
  void finish(const TaskKey& task);
  void restart(const TaskKey& task);  // a new attempt begins at nothing; the job's fraction stays where it was

  double fraction() const;
  // The object of 5.3.1 `progress`; its member `previews` is the job's.
  json::object to_json(base::UnixMillis now) const;
  // True at most once per kPreviewEvery and kMaxPreviews times: a further preview may be kept.
  bool preview_due(base::UnixMillis now);
  // at: fraction of the job when it was made.
  void add_preview(std::string artifact, double at);
  // Of a job that is taken up again: what to_json() said of its previews.
  void restore_previews(const json::object& progress);
  // True at most once per kProgressEvery, and only when something changed since.
  bool due(base::UnixMillis now);

 private:
  struct Part {
    double weight = 1;
    double fraction = 0;
    bool done = false;
    tasks::Progress last;
  };
  std::map<TaskKey, Part> parts_;
  double highest_ = 0;
  std::optional<base::UnixMillis> started_, stored_;
  bool changed_ = false;
  TaskKey newest_;
  json::array previews_;
  std::optional<base::UnixMillis> previewed_;
  int wanted_previews_ = 0;
};

}  // namespace kinora::jobs

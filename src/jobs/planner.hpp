#pragma once
// Decides how a job's task is run: at once, or cut into chunks that run on several workers and are joined again. Pure.
#include <string>
#include <vector>

#include "base/json.hpp"
#include "tasks/event.hpp"

namespace kinora::jobs {

namespace json = base::json;

inline constexpr int kMaxChunks = 512;

struct SourceFacts {
  double duration_s = 0;  // 0: unknown
  double frames = 0;      // 0: unknown
};
// From a probe's media object (docs/media.md); all unknown when it is null or of another shape.
SourceFacts source_facts(const json::value& media);

struct PlanSettings {
  double chunk_s = 10;  // target length of a chunk
  bool chunking = true;
};
enum class PlanKind { single, chunked };
// True for a task whose video plan() may cut: only then the number of free slots matters.
bool may_be_cut(std::string_view task);
// chunked: a video-upscale, frame-interpolation or video-enhance longer than two chunks, with more than one free worker slot, that is not
// itself a part of a video.
PlanKind plan(std::string_view task, const json::object& params, const SourceFacts& source, unsigned free_slots,
              const PlanSettings& settings);

json::object cut_params(std::string_view task, const SourceFacts& source, const PlanSettings& settings);
// What a finished cut asks for. Errors: invalid when plan and files do not fit together.
struct ChunkTask {
  std::string file;     // of the cut attempt
  json::object params;  // the job's own, with range (of an interpolation with the video's origin) and video_only
  double frames = 0;    // weight in the job's progress
};
base::Result<std::vector<ChunkTask>> chunk_tasks(std::string_view job_task, const json::object& job_params, const tasks::TaskResult& cut);
// Container, and the offset of the chunks' clock that the cut chose.
json::object join_params(const tasks::TaskResult& cut);

}  // namespace kinora::jobs

#pragma once
// Joins encoded chunks by stream copy into one file, with the source's audio, subtitles, chapters, metadata and display
// matrix around it: the inverse of cut.hpp after each chunk went through a worker.
#include <string>
#include <vector>

#include "media/limits.hpp"
#include "media/progress.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {

struct JoinOptions {
  Container container = Container::mp4;
  // Where audio and the like come from, and whose start time becomes zero; empty: video only.
  std::string source;
  // CutPlan::pts_offset: taken off every chunk's timestamps.
  std::int64_t pts_offset = 0;
  Rational pts_offset_base{1, 1};
  Limits limits;
};
struct Joined {
  std::int64_t frames = 0;
};
// Chunks in display order, NUT as VideoWriter makes them; each starts with a key frame; timestamps rise over seams.
// invalid: codec, size, or pixel format differ between chunks, or timestamps overlap.
base::Result<Joined> join(const std::vector<std::string>& chunks, const std::string& output, const JoinOptions& options = {},
                          const Control& control = {});

}  // namespace kinora::media

#pragma once
// For tests of this room: a video in chunks, as several workers make it, and what FFmpeg finds in the result.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "media/cut.hpp"
#include "media/join.hpp"
#include "runner/test_tools.hpp"
#include "runner/video_enhance.hpp"

namespace kinora::runner::testing {

// Time and digest of every picture.
inline std::string pictures(const std::string& file) {
  return shell("ffmpeg -v error -i '" + file + "' -map 0:v -vsync passthrough -f framemd5 - | awk '!/#/ {print $NF}'") + "\n" +
         shell("ffprobe -v error -select_streams v -show_entries frame=pts_time -of csv=p=0 '" + file +
               "' | awk 'NF {printf \"%.4f \", $1}'");
}

// Cuts whole.input at the key frames that are `target_s` apart, makes each of the `count` chunks with `run` and joins them to `joined`.
// run: VideoEnhance -> base::Result<VideoEnhanced>.
template <class Run>
void make_in_chunks(const VideoEnhance& whole, double target_s, std::size_t count, const std::string& joined, const Run& run) {
  const Scratch scratch;
  const auto plan =
      media::cut(whole.input, scratch.path(), {.target_s = target_s, .look_ahead = whole.interpolate.has_value(), .limits = {}});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->chunks.size(), count);
  std::vector<std::string> parts;
  for (const auto& chunk : plan->chunks) {
    VideoEnhance part = whole;
    part.input = scratch / chunk.file;
    part.output = parts.emplace_back(scratch / ("done_" + chunk.file));
    part.range = VideoEnhance::Range{chunk.start_pts, chunk.end_pts, plan->chunks.front().start_pts};
    part.video_only = true;
    const auto done = run(part);
    ASSERT_TRUE(done) << done.error().message;
  }
  const auto result =
      media::join(parts, joined, {.source = whole.input, .pts_offset = plan->pts_offset, .pts_offset_base = plan->time_base, .limits = {}});
  ASSERT_TRUE(result) << result.error().message;
}

}  // namespace kinora::runner::testing

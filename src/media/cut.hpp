#pragma once
// Cuts a video at key frames (joints.hpp) into chunks that machines can work on at once.
//
// Each chunk is a NUT file with the video's packets, byte for byte, on their original clock. A chunk for [start, end) holds
// the packets from the key frame at `start` through the last one, in decoding order, that a frame before `end` needs:
// with open GOPs that is the next key frame and its leading pictures too. A reader that keeps only frames with
// start <= pts < end (VideoReaderOptions) over all chunks yields exactly the frames of the whole file, in order.
// Chunks of an interlaced video also hold the frames next to theirs, for a deinterlacer to look at: the one behind `end`, and the one
// before `start` with all from the key frame before on.
//
// Videos whose packets carry no usable timestamps are not cut: their one chunk is a copy of the file ("chunk_00000.source", times without
// bound).
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "media/limits.hpp"
#include "media/probe.hpp"
#include "media/progress.hpp"

namespace kinora::media {

struct Chunk {
  std::string file;            // name inside the output folder
  std::int64_t start_pts = 0;  // inclusive, ticks of CutPlan::time_base
  std::int64_t end_pts = 0;    // exclusive
  std::int64_t frames = 0;
  std::int64_t bytes = 0;
};
struct CutPlan {
  Rational time_base{1, 1};  // the clock of the chunk files
  // Added to every timestamp inside the chunks (NUT has no negative ones); start_pts and end_pts include it. Whole stretches of joints.hpp.
  std::int64_t pts_offset = 0;
  std::vector<Chunk> chunks;
};
struct CutOptions {
  double target_s = 10;         // 0.1..3600: a chunk ends at the first joint this long (less 0.5 %) after its start
  int max_chunks = kMaxChunks;  // rather longer chunks than more of them
  bool look_ahead = false;      // chunks hold the key frame at their end too, for work that looks at it
  Limits limits;
};
// unsupported: no video, or no decoder for it; invalid: no media.
base::Result<CutPlan> cut(const std::string& path, const std::string& output_dir, const CutOptions& options = {},
                          const Control& control = {});

// The shape in docs/media.md ("plan").
boost::json::object to_json(const CutPlan& plan);

}  // namespace kinora::media

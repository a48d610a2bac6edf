#pragma once
// What kinora-media is asked: one JSON object for one operation (docs/media.md). Pure: no file is touched.
// Files are named either as a worker does, {"inputs": {"video": path}, "params": {...}}, or plainly, {"input": path, ...} with the
// parameters beside it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "media/compare.hpp"
#include "media/compose.hpp"
#include "media/cut.hpp"
#include "media/extract_audio.hpp"
#include "media/extract_frames.hpp"
#include "media/join.hpp"
#include "media/mux.hpp"
#include "media/overlay.hpp"
#include "media/slider.hpp"
#include "media/thumbnail.hpp"
#include "media/transcode.hpp"

namespace kinora::media {

enum class Operation {
  probe,
  verify,
  cut,
  join,
  transcode,
  thumbnail,
  measure,
  slider,
  clip,
  concat,
  loop,
  mux,
  overlay,
  extract_frames,
  extract_audio,
  compare
};
base::Result<Operation> parse_operation(std::string_view name);

inline constexpr std::size_t kMaxRequestBytes = 16 << 20;  // a join of kMaxChunks paths
inline constexpr std::int64_t kMinMemoryBytes = std::int64_t{256} << 20;

// What the process allows itself.
struct ProcessLimits {
  std::int64_t memory_bytes = std::int64_t{4} << 30;
  std::int64_t cpu_s = 4 * 3600;
  std::int64_t file_bytes = std::int64_t{64} << 30;
};

struct Request {
  Operation operation = Operation::probe;
  std::string input;
  std::string second;               // measure, compare, slider: the reference; mux: the sound; overlay: the picture
  std::vector<std::string> chunks;  // join: the chunks; concat: the videos
  std::string output_dir;
  ProcessLimits process;
  Limits limits;
  CutOptions cut;
  JoinOptions join;
  TranscodeOptions transcode;
  ThumbnailOptions thumbnail;
  Stretch stretch;  // clip, loop: of the input
  int times = 1;    // loop
  ComposeOptions compose;
  MuxOptions mux;
  OverlayOptions overlay;
  ExtractFramesOptions frames;
  ExtractAudioOptions audio;
  CompareOptions compare;
  SliderOptions slider;
};

// invalid: every mistake with its JSON pointer; too_large: more than kMaxRequestBytes.
base::Result<Request> parse_request(Operation operation, std::string_view text);

}  // namespace kinora::media

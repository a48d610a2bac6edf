#include "media/request_params.hpp"

#include <algorithm>

namespace kinora::media {
namespace {

using base::ObjectReader;

constexpr std::array<std::string_view, 9> kPresets{"ultrafast", "superfast", "veryfast", "faster",  "fast",
                                                   "medium",    "slow",      "slower",   "veryslow"};
constexpr double kMaxOffsetSeconds = kMaxDurationSeconds;

void encoding_of(ObjectReader& in, int& crf, std::string& preset, int& threads) {
  crf = static_cast<int>(in.integer("crf", 0, 51).value_or(crf));
  preset_of(in, preset);
  threads = static_cast<int>(in.integer("threads", 0, kMaxThreads).value_or(0));
}

void range_of(ObjectReader& in, double& start_s, std::optional<double>& end_s) {
  start_s = in.number("start_s", 0, kMaxDurationSeconds).value_or(0);
  end_s = in.number("end_s", 0, kMaxDurationSeconds);
  if (end_s && *end_s <= start_s) in.error("end_s", "invalid_field", "must lie behind start_s");
}

void composing_of(ObjectReader& in, ComposeOptions& options) {
  encoding_of(in, options.crf, options.preset, options.threads);
  choose(in, "codec",
         std::array{std::pair{std::string_view("h264"), VideoCodec::h264}, std::pair{std::string_view("h265"), VideoCodec::h265}},
         options.codec);
  options.audio_bitrate = 1000 * in.integer("audio_bitrate_kbps", 32, 512).value_or(options.audio_bitrate / 1000);
}

void clip_of(ObjectReader& in, Request& request) {
  range_of(in, request.stretch.start_s, request.stretch.end_s);
  if (const auto length = in.number("duration_s", 0.001, kMaxDurationSeconds)) {
    if (request.stretch.end_s) in.error("duration_s", "not_allowed", "either end_s or duration_s");
    request.stretch.end_s = request.stretch.start_s + *length;
  }
  composing_of(in, request.compose);
}

void concat_of(ObjectReader& in, ComposeOptions& options) {
  bool crossfade = false;
  choose(in, "transition", std::array{std::pair{std::string_view("none"), false}, std::pair{std::string_view("crossfade"), true}},
         crossfade);
  const double length = in.number("transition_s", 0.04, kMaxCrossfadeSeconds).value_or(0.5);
  options.crossfade_s = crossfade ? length : 0;
  for (auto& [key, side] : {std::pair<const char*, int&>{"width", options.width}, {"height", options.height}}) {
    side = static_cast<int>(in.integer(key, 2, kMaxSide).value_or(0));
    side -= side % 2;
  }
  composing_of(in, options);
}

void loop_of(ObjectReader& in, Request& request) {
  const auto count = in.integer("count", 1, kMaxStretches);
  request.compose.length_s = in.number("duration_s", 0.001, kMaxDurationSeconds);
  if (count && request.compose.length_s) in.error("duration_s", "not_allowed", "either count or duration_s");
  // With a duration as often as it takes: the film ends there.
  request.times = static_cast<int>(count.value_or(request.compose.length_s ? kMaxStretches : 2));
  composing_of(in, request.compose);
}

void mux_of(ObjectReader& in, MuxOptions& options) {
  options.offset_s = in.number("offset_s", -kMaxOffsetSeconds, kMaxOffsetSeconds).value_or(0);
  choose(in, "mode", std::array{std::pair{std::string_view("replace"), false}, std::pair{std::string_view("mix"), true}}, options.mix);
  options.audio_bitrate = 1000 * in.integer("audio_bitrate_kbps", 32, 512).value_or(options.audio_bitrate / 1000);
}

void overlay_of(ObjectReader& in, OverlayOptions& options) {
  using Place = std::pair<double, double>;
  const auto place = [](std::string_view name, double x, double y) { return std::pair{name, Place{x, y}}; };
  Place at{1, 1};
  choose(
      in, "position",
      std::array{place("top-left", 0, 0), place("top", 0.5, 0), place("top-right", 1, 0), place("left", 0, 0.5), place("center", 0.5, 0.5),
                 place("right", 1, 0.5), place("bottom-left", 0, 1), place("bottom", 0.5, 1), place("bottom-right", 1, 1)},
      at);
  std::tie(options.x, options.y) = at;
  options.margin = in.number("margin", 0, 0.5).value_or(options.margin);
  options.width = in.number("width", 0.01, 1).value_or(options.width);
  options.opacity = in.number("opacity", 0, 1).value_or(options.opacity);
  range_of(in, options.start_s, options.end_s);
  encoding_of(in, options.crf, options.preset, options.threads);
}

void frames_of(ObjectReader& in, ExtractFramesOptions& options) {
  range_of(in, options.start_s, options.end_s);
  options.fps = in.number("fps", 0.001, 1000);
  if (const auto count = in.integer("count", 1, kMaxExtractedFrames)) options.count = static_cast<int>(*count);
  if (options.fps && options.count) in.error("count", "not_allowed", "either fps or count");
  options.width = static_cast<int>(in.integer("width", 1, kMaxSide).value_or(0));
  choose(in, "format", std::array{std::pair{std::string_view("jpeg"), ImageType::jpeg}, std::pair{std::string_view("png"), ImageType::png}},
         options.type);
  options.quality = static_cast<int>(in.integer("quality", 1, 100).value_or(options.quality));
}

void audio_of(ObjectReader& in, ExtractAudioOptions& options) {
  range_of(in, options.start_s, options.end_s);
  choose(in, "format",
         std::array{std::pair{std::string_view("m4a"), AudioType::m4a}, std::pair{std::string_view("mp3"), AudioType::mp3},
                    std::pair{std::string_view("wav"), AudioType::wav}, std::pair{std::string_view("flac"), AudioType::flac},
                    std::pair{std::string_view("ogg"), AudioType::ogg}},
         options.type);
  options.sample_rate = static_cast<int>(in.integer("sample_rate", 8000, 96'000).value_or(0));
  options.channels = static_cast<int>(in.integer("channels", 1, 8).value_or(0));
  options.bitrate = 1000 * in.integer("bitrate_kbps", 16, 512).value_or(options.bitrate / 1000);
}

}  // namespace

void preset_of(ObjectReader& in, std::string& preset) {
  const auto name = in.string("preset", 16);
  if (!name) return;
  preset = *name;
  if (std::find(kPresets.begin(), kPresets.end(), *name) == kPresets.end()) in.error("preset", "not_allowed", "ultrafast to veryslow");
}

void utility_of(ObjectReader& in, Request& request) {
  switch (request.operation) {
    case Operation::clip: return clip_of(in, request);
    case Operation::concat: return concat_of(in, request.compose);
    case Operation::loop: return loop_of(in, request);
    case Operation::mux: return mux_of(in, request.mux);
    case Operation::overlay: return overlay_of(in, request.overlay);
    case Operation::extract_frames: return frames_of(in, request.frames);
    case Operation::extract_audio: return audio_of(in, request.audio);
    default: return;
  }
}

}  // namespace kinora::media

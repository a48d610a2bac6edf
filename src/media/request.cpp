#include "media/request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "media/request_params.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;
using base::FieldErrors;
using base::ObjectReader;

constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::int64_t kMaxTicks = (std::int64_t{1} << 53) - 1;
constexpr std::array kOperations{std::pair{"probe", Operation::probe},
                                 std::pair{"verify", Operation::verify},
                                 std::pair{"cut", Operation::cut},
                                 std::pair{"join", Operation::join},
                                 std::pair{"transcode", Operation::transcode},
                                 std::pair{"thumbnail", Operation::thumbnail},
                                 std::pair{"measure", Operation::measure},
                                 std::pair{"slider", Operation::slider},
                                 std::pair{"clip", Operation::clip},
                                 std::pair{"concat", Operation::concat},
                                 std::pair{"loop", Operation::loop},
                                 std::pair{"mux", Operation::mux},
                                 std::pair{"overlay", Operation::overlay},
                                 std::pair{"extract-frames", Operation::extract_frames},
                                 std::pair{"extract-audio", Operation::extract_audio},
                                 std::pair{"compare", Operation::compare}};

bool is_one_of(Operation operation, std::initializer_list<Operation> list) {
  return std::find(list.begin(), list.end(), operation) != list.end();
}

std::string path_of(ObjectReader& in, std::string_view key, bool required) {
  const auto path = in.string(key, kMaxPathBytes);
  if (!path) {
    if (required) in.error(key, "missing_field", "a file's path");
    return {};
  }
  if (path->empty() || path->front() != '/' || path->find('\0') != std::string::npos) in.error(key, "invalid_field", "an absolute path");
  return *path;
}

void limits_of(ObjectReader& in, FieldErrors& errors, Request& request) {
  const auto* value = in.member("limits");
  if (value == nullptr) return;
  ObjectReader limits(*value, in.pointer("limits"), errors);
  request.process.memory_bytes = limits.integer("memory_bytes", kMinMemoryBytes, kMaxTicks).value_or(request.process.memory_bytes);
  request.process.cpu_s = limits.integer("cpu_s", 1, 30 * 24 * 3600).value_or(request.process.cpu_s);
  request.process.file_bytes = limits.integer("file_bytes", 1, kMaxTicks).value_or(request.process.file_bytes);
  request.limits.max_pixels = limits.integer("max_pixels", 1, kMaxPixels).value_or(kMaxPixels);
  request.limits.max_streams = static_cast<int>(limits.integer("max_streams", 1, kMaxStreams).value_or(kMaxStreams));
  request.limits.max_duration_s = limits.number("max_duration_s", 0, kMaxDurationSeconds).value_or(kMaxDurationSeconds);
  limits.finish();
}

void renditions_of(ObjectReader& in, FieldErrors& errors, TranscodeOptions& options) {
  const auto* list = in.array("renditions", kMaxRenditions);
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    ObjectReader item(list->at(i), in.pointer("renditions") + "/" + std::to_string(i), errors);
    RenditionRequest r;
    r.name = item.string("name", 32).value_or("");
    r.width = static_cast<int>(item.integer("width", 2, kMaxSide).value_or(0));
    r.height = static_cast<int>(item.integer("height", 2, kMaxSide).value_or(0));
    r.bitrate = 1000 * item.integer("bitrate_kbps", 16, 288'000).value_or(0);
    r.crf = static_cast<int>(item.integer("crf", 0, 51).value_or(-1));
    r.max_fps = item.number("fps", 1, 1000).value_or(0);
    item.finish();
    options.renditions.push_back(std::move(r));
  }
}

void transcode_of(ObjectReader& in, FieldErrors& errors, TranscodeOptions& options) {
  if (const auto ladder = in.string("ladder", 16); ladder && *ladder != "auto") in.error("ladder", "not_allowed", "\"auto\" or absent");
  renditions_of(in, errors, options);
  if (const auto* formats = in.array("formats", 2); formats != nullptr) {
    options.hls = options.mp4 = false;
    for (const auto& format : *formats) {
      const std::string_view name = format.is_string() ? std::string_view(format.get_string()) : std::string_view();
      if (name == "hls") options.hls = true;
      if (name == "mp4") options.mp4 = true;
      if (name != "hls" && name != "mp4") in.error("formats", "not_allowed", "\"hls\" or \"mp4\"");
    }
    if (!options.hls && !options.mp4) in.error("formats", "invalid_field", "at least one of \"hls\" and \"mp4\"");
  }
  choose(in, "codec",
         std::array{std::pair{std::string_view("h264"), VideoCodec::h264}, std::pair{std::string_view("h265"), VideoCodec::h265}},
         options.codec);
  choose(in, "segments",
         std::array{std::pair{std::string_view("ts"), SegmentType::ts}, std::pair{std::string_view("fmp4"), SegmentType::fmp4}},
         options.segments);
  preset_of(in, options.preset);
  options.segment_s = in.number("segment_s", 0.5, 30).value_or(options.segment_s);
  options.threads = static_cast<int>(in.integer("threads", 0, kMaxThreads).value_or(0));
  options.audio_bitrate = 1000 * in.integer("audio_bitrate_kbps", 32, 512).value_or(options.audio_bitrate / 1000);
}

void thumbnail_of(ObjectReader& in, ThumbnailOptions& options) {
  options.at_s = in.number("at_s", 0, kMaxThumbnailSeconds);
  options.frame = in.integer("frame", -1, kMaxThumbnailFrame);
  options.at_fraction = in.number("at_fraction", 0, 1).value_or(options.at_fraction);
  options.width = static_cast<int>(in.integer("width", 1, kMaxSide).value_or(0));
  choose(in, "format", std::array{std::pair{std::string_view("jpeg"), ImageType::jpeg}, std::pair{std::string_view("png"), ImageType::png}},
         options.type);
  options.quality = static_cast<int>(in.integer("quality", 1, 100).value_or(options.quality));
}

void join_of(ObjectReader& in, JoinOptions& options) {
  choose(in, "container",
         std::array{std::pair{std::string_view("mp4"), Container::mp4},
                    std::pair{std::string_view("fragmented_mp4"), Container::fragmented_mp4},
                    std::pair{std::string_view("ts"), Container::mpegts}},
         options.container);
  options.pts_offset = in.integer("pts_offset", -kMaxTicks, kMaxTicks).value_or(0);
  if (const auto base = in.string("time_base", 24)) {
    const auto slash = base->find('/');
    const char* end = base->data() + base->size();
    int num = 0, den = 0;
    const bool whole = slash != std::string::npos && std::from_chars(base->data(), end, num).ptr == base->data() + slash &&
                       std::from_chars(base->data() + slash + 1, end, den).ptr == end;
    if (!whole || num < 1 || den < 1)
      in.error("time_base", "invalid_field", "seconds per tick, \"1/12800\"");
    else
      options.pts_offset_base = {num, den};
  }
}

void chunks_of(ObjectReader& in, std::string_view key, Request& request) {
  const auto* list = in.array(key, kMaxChunks);
  if (list == nullptr || list->empty()) {
    in.error(key, "missing_field", "the files' paths in order");
    return;
  }
  for (const auto& item : *list) {
    const bool path = item.is_string() && !item.get_string().empty() && item.get_string().front() == '/';
    if (!path) return in.error(key, "invalid_field", "absolute paths");
    request.chunks.emplace_back(item.get_string());
  }
}

// The slots in which a worker names the files of an operation.
struct Slots {
  const char* input = "video";
  const char* second = nullptr;
  const char* many = nullptr;
};
Slots slots_of(Operation operation) {
  switch (operation) {
    case Operation::probe:
    case Operation::verify:
    case Operation::extract_audio: return {.input = "media"};
    case Operation::join: return {.input = nullptr, .many = "chunk"};
    case Operation::concat: return {.input = nullptr, .many = "videos"};
    case Operation::mux: return {.second = "audio"};
    case Operation::overlay: return {.second = "image"};
    default: return {};
  }
}

void files_of(ObjectReader& in, FieldErrors& errors, Request& request) {
  const bool join = request.operation == Operation::join;
  const Slots slots = slots_of(request.operation);
  if (const auto* value = in.member("inputs"); value != nullptr) {
    ObjectReader inputs(*value, in.pointer("inputs"), errors);
    if (join) request.join.source = path_of(inputs, "source", false);
    if (slots.many != nullptr) chunks_of(inputs, slots.many, request);
    if (slots.input != nullptr) request.input = path_of(inputs, slots.input, true);
    if (slots.second != nullptr) request.second = path_of(inputs, slots.second, true);
    inputs.finish();
  } else {
    if (join) request.join.source = path_of(in, "source", false);
    if (slots.many != nullptr) chunks_of(in, join ? "chunks" : slots.many, request);
    if (slots.input != nullptr) request.input = path_of(in, "input", true);
    if (slots.second != nullptr) request.second = path_of(in, slots.second, true);
    if (is_one_of(request.operation, {Operation::measure, Operation::compare, Operation::slider}))
      request.second = path_of(in, "reference", true);
  }
  const bool only_reads = is_one_of(request.operation, {Operation::probe, Operation::verify, Operation::measure, Operation::compare});
  request.output_dir = path_of(in, "output_dir", !only_reads);
}

void parameters_of(ObjectReader& in, FieldErrors& errors, Request& request) {
  switch (request.operation) {
    case Operation::cut:
      request.cut.target_s = in.number("target_s", 0.1, 3600).value_or(request.cut.target_s);
      request.cut.look_ahead = in.boolean("look_ahead").value_or(false);
      request.cut.max_chunks = static_cast<int>(in.integer("max_chunks", 1, kMaxChunks).value_or(kMaxChunks));
      break;
    case Operation::join: join_of(in, request.join); break;
    case Operation::transcode: transcode_of(in, errors, request.transcode); break;
    case Operation::thumbnail: thumbnail_of(in, request.thumbnail); break;
    case Operation::compare:
      request.compare.samples = static_cast<int>(in.integer("samples", 1, kMaxCompared).value_or(request.compare.samples));
      break;
    case Operation::slider: request.slider.position = in.number("position", 0, 1).value_or(request.slider.position); break;
    case Operation::probe:
    case Operation::verify:
    case Operation::measure: break;
    default: utility_of(in, request); break;
  }
}

}  // namespace

base::Result<Operation> parse_operation(std::string_view name) {
  for (const auto& [text, operation] : kOperations)
    if (name == text) return operation;
  return base::fail(ErrorCode::invalid, "no such operation");
}

base::Result<Request> parse_request(Operation operation, std::string_view text) {
  KINORA_TRY(const boost::json::value value, base::parse_json(text, {kMaxRequestBytes, 16}));
  FieldErrors errors;
  ObjectReader in(value, "", errors);
  Request request;
  request.operation = operation;
  in.string("attempt", 128);  // the caller's, for its own logs
  files_of(in, errors, request);
  limits_of(in, errors, request);
  if (const auto* params = in.member("params"); params != nullptr) {
    ObjectReader inner(*params, "/params", errors);
    parameters_of(inner, errors, request);
    inner.finish();
  } else {
    parameters_of(in, errors, request);
  }
  in.finish();
  if (errors.empty()) {
    request.cut.limits = request.join.limits = request.transcode.limits = request.thumbnail.limits = request.limits;
    request.compose.limits = request.mux.limits = request.overlay.limits = request.frames.limits = request.audio.limits =
        request.compare.limits = request.slider.limits = request.limits;
    request.stretch.path = request.input;
    return request;
  }
  constexpr std::size_t kShown = 10;
  std::string message;
  for (std::size_t i = 0; i < std::min(errors.size(), kShown); ++i)
    message += (i > 0 ? "; " : "") + errors[i].pointer + ": " + errors[i].detail;
  return base::fail(ErrorCode::invalid, message);
}

}  // namespace kinora::media

#include "tasks/catalogue.hpp"

#include "tasks/catalogue_enhancement.hpp"
#include "tasks/catalogue_generation.hpp"
#include "tasks/catalogue_parts.hpp"
#include "tasks/catalogue_utilities.hpp"

#include <algorithm>
#include <array>

namespace kinora::tasks {
namespace {

using namespace parts;

// values
constexpr std::array kLadders{Text("auto")};
constexpr std::array kFormats{Text("hls"), Text("mp4")};
constexpr std::array kContainers{Text("mp4")};

// probe, ping
constexpr std::array kMediaInput{InputSlot{.slot = "media", .kind = MediaKind::media, .doc = "the file to look at"}};
constexpr std::array kPingOutputs{OutputSlot{.slot = "ping", .file = false, .doc = "worker, device and time of the one that answered"}};
constexpr std::array kProbeOutputs{
    OutputSlot{.slot = "media", .file = false, .doc = "container, streams, duration, sizes, rates, colours"}};

// transcode
constexpr std::array kRendition{
    ParamSpec{.name = "name",
              .type = ParamType::string,
              .min = 1,
              .max = 32,
              .token = true,
              .doc = "file and playlist name, [a-z0-9_-]; default: 720p"},
    ParamSpec{.name = "width", .type = ParamType::integer, .min = 16, .max = 8192, .doc = "the picture fits inside width x height"},
    ParamSpec{.name = "height", .type = ParamType::integer, .min = 16, .max = 8192, .doc = "never larger than the source"},
    ParamSpec{.name = "bitrate_kbps", .type = ParamType::integer, .min = 30, .max = 200'000, .doc = "of the video; default: by size"},
    ParamSpec{.name = "crf", .type = ParamType::integer, .min = 0, .max = 51, .doc = "constant quality instead of a bitrate"},
    ParamSpec{.name = "fps", .type = ParamType::number, .min = 1, .max = 240, .doc = "highest frame rate; default: the source's"},
};
constexpr std::array kTranscodeParams{
    ParamSpec{.name = "ladder",
              .type = ParamType::string,
              .min = 1,
              .max = 16,
              .values = kLadders,
              .default_json = "\"auto\"",
              .doc = "auto: up to three sizes that the source reaches; `renditions` replace it"},
    ParamSpec{.name = "renditions", .type = ParamType::array, .min = 1, .max = 8, .members = kRendition, .doc = "the sizes to make"},
    ParamSpec{.name = "formats",
              .type = ParamType::array,
              .min = 1,
              .max = 2,
              .values = kFormats,
              .default_json = R"(["hls","mp4"])",
              .doc = "hls: playlists and segments; mp4: one file per rendition"},
    ParamSpec{.name = "segment_s", .type = ParamType::number, .min = 0.5, .max = 30, .default_json = "2", .doc = "length of a segment"},
};
constexpr std::array kTranscodeOutputs{
    OutputSlot{.slot = "hls", .many = true, .doc = "master.m3u8 first, then playlists and segments"},
    OutputSlot{.slot = "renditions", .many = true, .doc = "one MP4 each, largest first", .kind = MediaKind::video},
};

// thumbnail
constexpr std::array kThumbnailParams{
    ParamSpec{
        .name = "at_s", .type = ParamType::number, .min = 0, .max = 1e6, .doc = "time of the picture; default: a tenth of the duration"},
    ParamSpec{
        .name = "frame", .type = ParamType::integer, .min = -1, .max = 1e6, .doc = "the picture of that number, from 0; -1: the last"},
    ParamSpec{.name = "width", .type = ParamType::integer, .min = 16, .max = 8192, .doc = "default: the source's; never larger"},
    ParamSpec{.name = "format",
              .type = ParamType::string,
              .min = 1,
              .max = 8,
              .values = kPictures,
              .default_json = "\"jpeg\"",
              .doc = "kind of picture"},
};
constexpr std::array kThumbnailRules{ParamRule{ParamRule::Kind::at_most_one, "at_s", "frame"}};

// cut, join: made by the planner
constexpr std::array kCutParams{
    ParamSpec{.name = "target_s", .type = ParamType::number, .min = 0.1, .max = 3600, .default_json = "10", .doc = "length of a chunk"},
    ParamSpec{.name = "look_ahead",
              .type = ParamType::boolean,
              .default_json = "false",
              .doc = "chunks hold the key frame behind their end as well"},
    ParamSpec{.name = "max_chunks", .type = ParamType::integer, .min = 1, .max = 1024, .default_json = "512", .doc = "at most so many"},
};
constexpr std::array kCutOutputs{
    OutputSlot{.slot = "chunks", .many = true, .doc = "NUT files in order"},
    OutputSlot{.slot = "plan", .file = false, .doc = "timestamps of the chunks"},
};
constexpr std::array kJoinInputs{
    InputSlot{.slot = "source", .kind = MediaKind::video, .doc = "where sound, subtitles and metadata come from"},
    InputSlot{.slot = "chunk", .kind = MediaKind::video, .many = true, .doc = "the parts in order"},
};
constexpr std::array kJoinParams{
    ParamSpec{.name = "container",
              .type = ParamType::string,
              .min = 1,
              .max = 8,
              .values = kContainers,
              .default_json = "\"mp4\"",
              .doc = "of the result"},
    ParamSpec{.name = "pts_offset",
              .type = ParamType::integer,
              .min = -kAnyPts,
              .max = kAnyPts,
              .default_json = "0",
              .doc = "the cut's: taken off every timestamp"},
    ParamSpec{.name = "time_base", .type = ParamType::string, .min = 3, .max = 24, .doc = "of pts_offset: seconds per tick, \"1/12800\""},
};

constexpr std::array kTasks{
    TaskSpec{.name = "ping",
             .summary = "A round trip through the network, answered by the worker itself",
             .outputs = kPingOutputs,
             .default_deadline_s = 60},
    TaskSpec{
        .name = "probe", .summary = "What a media file holds", .inputs = kMediaInput, .outputs = kProbeOutputs, .default_deadline_s = 300},
    TaskSpec{.name = "transcode",
             .summary = "A ladder of sizes as HLS and MP4",
             .inputs = kVideoInput,
             .params = kTranscodeParams,
             .outputs = kTranscodeOutputs},
    TaskSpec{.name = "thumbnail",
             .summary = "One picture of a video",
             .inputs = kVideoInput,
             .params = kThumbnailParams,
             .outputs = kImageOutputs,
             .rules = kThumbnailRules,
             .default_deadline_s = 300},
    enhancement::kImageUpscale,
    enhancement::kVideoUpscale,
    enhancement::kFrameInterpolation,
    enhancement::kVideoEnhance,
    generation::kTextToImage,
    generation::kImageToImage,
    generation::kInpaint,
    generation::kTextToVideo,
    generation::kImageToVideo,
    generation::kVideoExtend,
    utilities::kClip,
    utilities::kConcat,
    utilities::kLoop,
    utilities::kMux,
    utilities::kOverlay,
    utilities::kExtractFrames,
    utilities::kExtractAudio,
    TaskSpec{.name = "cut",
             .summary = "A video cut at key frames into chunks",
             .internal = true,
             .inputs = kVideoInput,
             .params = kCutParams,
             .outputs = kCutOutputs},
    TaskSpec{.name = "join",
             .summary = "Chunks joined into one video",
             .internal = true,
             .inputs = kJoinInputs,
             .params = kJoinParams,
             .outputs = kVideoOutputs},
};

}  // namespace

std::string_view name(MediaKind kind) {
  switch (kind) {
    case MediaKind::image: return "image";
    case MediaKind::video: return "video";
    case MediaKind::audio: return "audio";
    case MediaKind::sound: return "sound";
    case MediaKind::media: break;
  }
  return "media";
}

std::string_view name(ParamType type) {
  switch (type) {
    case ParamType::integer: return "integer";
    case ParamType::number: return "number";
    case ParamType::string: return "string";
    case ParamType::boolean: return "boolean";
    case ParamType::object: return "object";
    case ParamType::array: break;
  }
  return "array";
}

bool accepts(MediaKind wanted, std::string_view offered) {
  if (wanted == MediaKind::media) return offered == "image" || offered == "video" || offered == "audio";
  if (wanted == MediaKind::sound) return offered == "video" || offered == "audio";
  return offered == name(wanted);
}

const InputSlot* TaskSpec::find_input(std::string_view slot) const {
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const InputSlot& input) { return input.slot == slot; });
  return found == inputs.end() ? nullptr : &*found;
}

const ParamSpec* TaskSpec::find_param(std::string_view param) const {
  const auto found = std::find_if(params.begin(), params.end(), [&](const ParamSpec& spec) { return spec.name == param; });
  return found == params.end() ? nullptr : &*found;
}

std::span<const TaskSpec> catalogue() { return kTasks; }

const TaskSpec* find_task(std::string_view name) {
  const auto found = std::find_if(kTasks.begin(), kTasks.end(), [&](const TaskSpec& task) { return task.name == name; });
  return found == kTasks.end() ? nullptr : &*found;
}

}  // namespace kinora::tasks

#pragma once
// The tasks that workflows are glued with, all done by kinora-media (docs/media.md). Inside this room only.
#include <array>

#include "tasks/catalogue_parts.hpp"

namespace kinora::tasks::utilities {

using namespace parts;

inline constexpr double kDay = 86'400;

inline constexpr ParamSpec kStart{.name = "start_s",
                                  .type = ParamType::number,
                                  .min = 0,
                                  .max = kDay,
                                  .default_json = "0",
                                  .doc = "where it begins, from the start of the file"};
inline constexpr ParamSpec kEnd{
    .name = "end_s", .type = ParamType::number, .min = 0, .max = kDay, .doc = "where it ends; default, and past the end: the end"};
inline constexpr ParamRule kStartBeforeEnd{ParamRule::Kind::ascending, "start_s", "end_s"};

// clip
inline constexpr std::array kClipParams{
    kStart, kEnd, ParamSpec{.name = "duration_s", .type = ParamType::number, .min = 0.001, .max = kDay, .doc = "instead of end_s"}, kCrf,
    kPreset};
inline constexpr std::array kClipRules{kStartBeforeEnd, ParamRule{ParamRule::Kind::at_most_one, "end_s", "duration_s"}};
inline constexpr TaskSpec kClip{.name = "clip",
                                .summary = "A part of a video, exact to the picture and the sample",
                                .inputs = kVideoInput,
                                .params = kClipParams,
                                .outputs = kVideoOutputs,
                                .rules = kClipRules};

// concat
inline constexpr std::array kConcatInputs{InputSlot{.slot = "videos",
                                                    .kind = MediaKind::video,
                                                    .many = true,
                                                    .doc = "in order; the first sets size, depth and colour, others are fitted into it"}};
inline constexpr std::array kTransitions{Text("none"), Text("crossfade")};
inline constexpr std::array kConcatParams{
    ParamSpec{.name = "transition",
              .type = ParamType::string,
              .min = 1,
              .max = 16,
              .values = kTransitions,
              .default_json = "\"none\"",
              .doc = "between one video and the next"},
    ParamSpec{.name = "transition_s",
              .type = ParamType::number,
              .min = 0.04,
              .max = 5,
              .default_json = "0.5",
              .doc = "length of a crossfade; every video must be twice as long"},
    ParamSpec{.name = "width", .type = ParamType::integer, .min = 16, .max = 8192, .doc = "of the result; default: the first video's"},
    ParamSpec{.name = "height", .type = ParamType::integer, .min = 16, .max = 8192, .doc = "of the result; default: the first video's"},
    kCrf,
    kPreset};
inline constexpr TaskSpec kConcat{.name = "concat",
                                  .summary = "Videos one after another, sound with them",
                                  .inputs = kConcatInputs,
                                  .params = kConcatParams,
                                  .outputs = kVideoOutputs};

// loop
inline constexpr std::array kLoopParams{
    ParamSpec{.name = "count", .type = ParamType::integer, .min = 1, .max = 1024, .doc = "how often it is shown; default: 2"},
    ParamSpec{.name = "duration_s", .type = ParamType::number, .min = 0.001, .max = kDay, .doc = "length of the result, instead of count"},
    kCrf, kPreset};
inline constexpr std::array kLoopRules{ParamRule{ParamRule::Kind::at_most_one, "count", "duration_s"}};
inline constexpr TaskSpec kLoop{.name = "loop",
                                .summary = "A video shown again and again",
                                .inputs = kVideoInput,
                                .params = kLoopParams,
                                .outputs = kVideoOutputs,
                                .rules = kLoopRules};

// mux
inline constexpr std::array kMuxInputs{
    InputSlot{.slot = "video", .kind = MediaKind::video, .doc = "the pictures, copied where MP4 can hold them"},
    InputSlot{.slot = "audio", .kind = MediaKind::sound, .doc = "the sound: an audio file, or a video's"}};
inline constexpr std::array kMuxModes{Text("replace"), Text("mix")};
inline constexpr std::array kMuxParams{ParamSpec{.name = "offset_s",
                                                 .type = ParamType::number,
                                                 .min = -kDay,
                                                 .max = kDay,
                                                 .default_json = "0",
                                                 .doc = "when the sound begins; below zero its beginning is cut off"},
                                       ParamSpec{.name = "mode",
                                                 .type = ParamType::string,
                                                 .min = 1,
                                                 .max = 16,
                                                 .values = kMuxModes,
                                                 .default_json = "\"replace\"",
                                                 .doc = "replace: in place of the video's sound; mix: over it"}};
inline constexpr TaskSpec kMux{.name = "mux",
                               .summary = "A video with another sound, as long as its pictures",
                               .inputs = kMuxInputs,
                               .params = kMuxParams,
                               .outputs = kVideoOutputs};

// overlay
inline constexpr std::array kOverlayInputs{
    InputSlot{.slot = "video", .kind = MediaKind::video, .doc = "the source video"},
    InputSlot{.slot = "image", .kind = MediaKind::image, .doc = "what is laid over it; its transparency counts"}};
inline constexpr std::array kPositions{Text("top-left"), Text("top"),         Text("top-right"), Text("left"),        Text("center"),
                                       Text("right"),    Text("bottom-left"), Text("bottom"),    Text("bottom-right")};
inline constexpr std::array kOverlayParams{
    ParamSpec{.name = "position",
              .type = ParamType::string,
              .min = 1,
              .max = 16,
              .values = kPositions,
              .default_json = "\"bottom-right\"",
              .doc = "where in the picture"},
    ParamSpec{.name = "margin",
              .type = ParamType::number,
              .min = 0,
              .max = 0.5,
              .default_json = "0.02",
              .doc = "to the edges, in parts of the shorter side"},
    ParamSpec{.name = "width",
              .type = ParamType::number,
              .min = 0.01,
              .max = 1,
              .default_json = "0.2",
              .doc = "of the overlay, in parts of the video's width"},
    ParamSpec{.name = "opacity", .type = ParamType::number, .min = 0, .max = 1, .default_json = "1", .doc = "0: not seen, 1: in full"},
    kStart,
    kEnd,
    kCrf,
    kPreset};
inline constexpr std::array kRangeRules{kStartBeforeEnd};
inline constexpr TaskSpec kOverlay{.name = "overlay",
                                   .summary = "A picture laid over a video",
                                   .inputs = kOverlayInputs,
                                   .params = kOverlayParams,
                                   .outputs = kVideoOutputs,
                                   .rules = kRangeRules};

// extract-frames
inline constexpr std::array kFramesParams{
    kStart,
    kEnd,
    ParamSpec{.name = "fps", .type = ParamType::number, .min = 0.001, .max = 240, .doc = "so many a second; default: every picture"},
    ParamSpec{.name = "count", .type = ParamType::integer, .min = 1, .max = 1000, .doc = "so many, spread evenly, instead of fps"},
    ParamSpec{.name = "width", .type = ParamType::integer, .min = 16, .max = 8192, .doc = "default: the video's; never larger"},
    ParamSpec{.name = "format",
              .type = ParamType::string,
              .min = 1,
              .max = 8,
              .values = kPictures,
              .default_json = "\"jpeg\"",
              .doc = "kind of picture"}};
inline constexpr std::array kFramesRules{kStartBeforeEnd, ParamRule{ParamRule::Kind::at_most_one, "fps", "count"}};
inline constexpr std::array kFramesOutputs{
    OutputSlot{.slot = "images", .many = true, .doc = "the pictures in order, at most 1000", .kind = MediaKind::image},
    OutputSlot{.slot = "times", .file = false, .doc = "at_s: when each begins, from the start of the file"}};
inline constexpr TaskSpec kExtractFrames{.name = "extract-frames",
                                         .summary = "Pictures of a video",
                                         .inputs = kVideoInput,
                                         .params = kFramesParams,
                                         .outputs = kFramesOutputs,
                                         .rules = kFramesRules};

// extract-audio
inline constexpr std::array kSoundInput{
    InputSlot{.slot = "media", .kind = MediaKind::sound, .doc = "a video or an audio file; its default track is taken"}};
inline constexpr std::array kSounds{Text("m4a"), Text("mp3"), Text("wav"), Text("flac"), Text("ogg")};
inline constexpr std::array kAudioParams{
    kStart,
    kEnd,
    ParamSpec{.name = "format",
              .type = ParamType::string,
              .min = 1,
              .max = 8,
              .values = kSounds,
              .default_json = "\"m4a\"",
              .doc = "AAC, MP3, 16-bit PCM, FLAC, Opus"},
    ParamSpec{.name = "sample_rate",
              .type = ParamType::integer,
              .min = 8000,
              .max = 96'000,
              .doc = "default: the source's; brought to the next one that the format has"},
    ParamSpec{.name = "channels", .type = ParamType::integer, .min = 1, .max = 8, .doc = "default: the source's; mp3 has at most 2"},
    ParamSpec{.name = "bitrate_kbps",
              .type = ParamType::integer,
              .min = 16,
              .max = 512,
              .default_json = "128",
              .doc = "of two channels; not for wav and flac"}};
inline constexpr std::array kAudioOutputs{OutputSlot{.slot = "audio", .doc = "the sound", .kind = MediaKind::audio}};
inline constexpr TaskSpec kExtractAudio{.name = "extract-audio",
                                        .summary = "The sound of a video or audio file",
                                        .inputs = kSoundInput,
                                        .params = kAudioParams,
                                        .outputs = kAudioOutputs,
                                        .rules = kRangeRules};

}  // namespace kinora::tasks::utilities

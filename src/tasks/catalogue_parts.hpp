#pragma once
// What several tasks of the catalogue share. Inside this room only.
#include <array>

#include "tasks/catalogue.hpp"

namespace kinora::tasks::parts {

using Text = std::string_view;

inline constexpr std::array kPictures{Text("jpeg"), Text("png")};
inline constexpr std::array kPresets{Text("ultrafast"), Text("superfast"), Text("veryfast"), Text("faster"),  Text("fast"),
                                     Text("medium"),    Text("slow"),      Text("slower"),   Text("veryslow")};

inline constexpr std::array kVideoInput{InputSlot{.slot = "video", .kind = MediaKind::video, .doc = "the source video"}};
inline constexpr std::array kImageInput{InputSlot{.slot = "image", .kind = MediaKind::image, .doc = "the source picture"}};
inline constexpr std::array kVideoOutputs{OutputSlot{.slot = "video", .doc = "the video", .kind = MediaKind::video}};
inline constexpr std::array kImageOutputs{OutputSlot{.slot = "image", .doc = "the picture", .kind = MediaKind::image}};

// Of tasks that encode H.264.
inline constexpr ParamSpec kCrf{.name = "crf",
                                .type = ParamType::integer,
                                .min = 0,
                                .max = 51,
                                .default_json = "18",
                                .doc = "quality of the H.264 result; lower is better"};
inline constexpr ParamSpec kPreset{.name = "preset",
                                   .type = ParamType::string,
                                   .min = 1,
                                   .max = 16,
                                   .values = kPresets,
                                   .default_json = "\"veryfast\"",
                                   .doc = "of the encoder: slower is smaller"};

// The network needs the same processors: an encoder that takes a third less of them keeps it at more than 90 % of its rate.
inline constexpr ParamSpec kQuickPreset{.name = kPreset.name,
                                        .type = kPreset.type,
                                        .min = kPreset.min,
                                        .max = kPreset.max,
                                        .values = kPreset.values,
                                        .default_json = "\"superfast\"",
                                        .doc = kPreset.doc};

inline constexpr double kAnyPts = 9'007'199'254'740'991;  // 2^53 - 1: the largest integer that every JSON reader keeps exact

inline constexpr ParamSpec kVideoOnly{.name = "video_only",
                                      .type = ParamType::boolean,
                                      .default_json = "false",
                                      .internal = true,
                                      .doc = "a NUT file without sound, for a chunk"};

}  // namespace kinora::tasks::parts

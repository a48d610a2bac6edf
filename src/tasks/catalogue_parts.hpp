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
inline constexpr std::array kVideoOutputs{OutputSlot{.slot = "video", .doc = "the video", .kind = MediaKind::video}};

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

}  // namespace kinora::tasks::parts

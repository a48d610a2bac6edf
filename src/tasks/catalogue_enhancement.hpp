#pragma once
// frame-interpolation, for the catalogue. Inside this room only.
#include "tasks/catalogue_parts.hpp"

namespace kinora::tasks::enhancement {

using namespace parts;

inline constexpr std::array kInterpolationScales{Text("auto"), Text("0.25"), Text("0.5"), Text("1"), Text("2"), Text("4")};
inline constexpr std::array kRepeats{Text("replace"), Text("keep")};

inline constexpr std::array kInterpolationRange{
    ParamSpec{
        .name = "start_pts", .type = ParamType::integer, .min = -kAnyPts, .max = kAnyPts, .required = true, .doc = "first, inclusive"},
    ParamSpec{.name = "end_pts", .type = ParamType::integer, .min = -kAnyPts, .max = kAnyPts, .required = true, .doc = "last, exclusive"},
    ParamSpec{.name = "origin_pts",
              .type = ParamType::integer,
              .min = -kAnyPts,
              .max = kAnyPts,
              .required = true,
              .doc = "of the whole video's first picture"},
};

inline constexpr std::array kInterpolationParams{
    ParamSpec{.name = "factor",
              .type = ParamType::integer,
              .min = 2,
              .max = 16,
              .doc = "every interval between pictures is divided by it; 2 when target_fps is absent too"},
    ParamSpec{.name = "target_fps",
              .type = ParamType::string,
              .min = 1,
              .max = 24,
              .rate = true,
              .doc = "constant rate instead, 1 to 480 a second: \"60\", \"59.94\", \"60000/1001\""},
    ParamSpec{.name = "scale",
              .type = ParamType::string,
              .min = 1,
              .max = 4,
              .values = kInterpolationScales,
              .default_json = "\"auto\"",
              .doc = "at which movement is looked for; less for large pictures; auto: 0.5 from 2600 pixels on, else 1"},
    ParamSpec{.name = "ensemble",
              .type = ParamType::boolean,
              .default_json = "false",
              .doc = "look both ways and take the mean: RIFE 4.6 networks only"},
    ParamSpec{.name = "repeats",
              .type = ParamType::string,
              .min = 1,
              .max = 8,
              .values = kRepeats,
              .default_json = "\"replace\"",
              .doc = "a frame that repeats the one before: replace by movement, or keep"},
    kCrf,
    kQuickPreset,
    ParamSpec{.name = "range",
              .type = ParamType::object,
              .internal = true,
              .members = kInterpolationRange,
              .doc = "only what is shown within these timestamps, for a chunk"},
    kVideoOnly,
};
inline constexpr std::array kInterpolationRules{ParamRule{.kind = ParamRule::Kind::at_most_one, .first = "factor", .second = "target_fps"}};

inline constexpr TaskSpec kFrameInterpolation{.name = "frame-interpolation",
                                              .summary = "A video at a higher picture rate, sound kept in step",
                                              .has_models = true,
                                              .inputs = kVideoInput,
                                              .params = kInterpolationParams,
                                              .outputs = kVideoOutputs,
                                              .rules = kInterpolationRules,
                                              .price_unit = "output_pixel_frame",
                                              .default_deadline_s = 86'400};

}  // namespace kinora::tasks::enhancement

#pragma once
// image-upscale, video-upscale, frame-interpolation and video-enhance, which is both, for the catalogue. Inside this room only.
#include "tasks/catalogue_parts.hpp"

namespace kinora::tasks::enhancement {

using namespace parts;

inline constexpr ParamSpec kScale{.name = "scale",
                                  .type = ParamType::number,
                                  .min = 1,
                                  .max = 8,
                                  .default_json = "2",
                                  .doc = "factor of width and height; where it is not the network's own, its result is resampled"};
inline constexpr ParamSpec kDenoise{.name = "denoise",
                                    .type = ParamType::number,
                                    .min = 0,
                                    .max = 1,
                                    .doc = "how much noise is removed; only networks with a second checkpoint, as realesr-general-x4v3"};
inline constexpr std::array kAccelerations{Text("off"), Text("fast"), Text("auto")};
inline constexpr ParamSpec kAccelerate{
    .name = "accelerate",
    .type = ParamType::string,
    .min = 1,
    .max = 8,
    .values = kAccelerations,
    .default_json = "\"off\"",
    .doc =
        "the network only where the picture is new, the rest carried along the motion: fast always, auto while it saves time. Off by "
        "default, also for a patent (docs/decisions/0007)"};

inline constexpr ParamSpec kStartPts{
    .name = "start_pts", .type = ParamType::integer, .min = -kAnyPts, .max = kAnyPts, .required = true, .doc = "first, inclusive"};
inline constexpr ParamSpec kEndPts{
    .name = "end_pts", .type = ParamType::integer, .min = -kAnyPts, .max = kAnyPts, .required = true, .doc = "last, exclusive"};
inline constexpr std::array kUpscaleRange{kStartPts, kEndPts};
inline constexpr std::array kInterpolationRange{
    kStartPts,
    kEndPts,
    ParamSpec{.name = "origin_pts",
              .type = ParamType::integer,
              .min = -kAnyPts,
              .max = kAnyPts,
              .required = true,
              .doc = "of the whole video's first picture"},
};
inline constexpr ParamSpec kInterpolatedRange{.name = "range",
                                              .type = ParamType::object,
                                              .internal = true,
                                              .members = kInterpolationRange,
                                              .doc = "only what is shown within these timestamps, for a chunk"};

inline constexpr std::array kImageUpscaleParams{
    kScale,
    kDenoise,
    ParamSpec{.name = "format",
              .type = ParamType::string,
              .min = 1,
              .max = 8,
              .values = kPictures,
              .default_json = "\"png\"",
              .doc = "kind of picture"},
};
inline constexpr std::array kVideoUpscaleParams{
    kScale,
    kDenoise,
    kAccelerate,
    kCrf,
    kQuickPreset,
    ParamSpec{.name = "range",
              .type = ParamType::object,
              .internal = true,
              .members = kUpscaleRange,
              .doc = "only frames with these timestamps, for a chunk"},
    kVideoOnly,
};

inline constexpr std::array kFlowScales{Text("auto"), Text("0.25"), Text("0.5"), Text("1"), Text("2"), Text("4")};
inline constexpr std::array kRepeatWays{Text("replace"), Text("keep")};

inline constexpr ParamSpec kFactor{.name = "factor",
                                   .type = ParamType::integer,
                                   .min = 2,
                                   .max = 16,
                                   .doc = "every interval between pictures is divided by it; 2 when target_fps is absent too"};
inline constexpr ParamSpec kTargetFps{.name = "target_fps",
                                      .type = ParamType::string,
                                      .min = 1,
                                      .max = 24,
                                      .rate = true,
                                      .doc = "constant rate instead, 1 to 480 a second: \"60\", \"59.94\", \"60000/1001\""};
// "scale" where no picture is enlarged, "flow_scale" beside it.
constexpr ParamSpec flow_scale(Text name) {
  return {.name = name,
          .type = ParamType::string,
          .min = 1,
          .max = 4,
          .values = kFlowScales,
          .default_json = "\"auto\"",
          .doc = "at which movement is looked for; less for large pictures; auto: 0.5 from 2600 pixels on, else 1"};
}
inline constexpr ParamSpec kEnsemble{.name = "ensemble",
                                     .type = ParamType::boolean,
                                     .default_json = "false",
                                     .doc = "look both ways and take the mean: RIFE 4.6 networks only"};
inline constexpr ParamSpec kRepeats{.name = "repeats",
                                    .type = ParamType::string,
                                    .min = 1,
                                    .max = 8,
                                    .values = kRepeatWays,
                                    .default_json = "\"replace\"",
                                    .doc = "a frame that repeats the one before: replace by movement, or keep"};

inline constexpr std::array kInterpolationParams{kFactor, kTargetFps,   flow_scale("scale"), kEnsemble, kRepeats,
                                                 kCrf,    kQuickPreset, kInterpolatedRange,  kVideoOnly};
inline constexpr std::array kInterpolationRules{ParamRule{.kind = ParamRule::Kind::at_most_one, .first = "factor", .second = "target_fps"}};

inline constexpr std::array kOps{Text("upscale"), Text("interpolate")};
inline constexpr std::array kVideoEnhanceParams{
    ParamSpec{.name = "ops",
              .type = ParamType::array,
              .min = 2,
              .max = 2,
              .values = kOps,
              .doc = "upscale and interpolate, in the order wanted; absent: in the order that costs less with these networks"},
    ParamSpec{.name = "interpolator", .type = ParamType::string, .min = 1, .max = 200, .doc = "its model; `model` is the upscaler's"},
    kScale,
    kDenoise,
    kAccelerate,
    kFactor,
    kTargetFps,
    flow_scale("flow_scale"),
    kEnsemble,
    kRepeats,
    kCrf,
    kQuickPreset,
    kInterpolatedRange,
    kVideoOnly,
};

inline constexpr TaskSpec kImageUpscale{.name = "image-upscale",
                                        .summary = "A picture made larger by a network",
                                        .has_models = true,
                                        .inputs = kImageInput,
                                        .params = kImageUpscaleParams,
                                        .outputs = kImageOutputs,
                                        .price_unit = "output_pixel",
                                        .default_deadline_s = 900};
inline constexpr TaskSpec kVideoUpscale{.name = "video-upscale",
                                        .summary = "A video made larger by a network, sound kept",
                                        .has_models = true,
                                        .inputs = kVideoInput,
                                        .params = kVideoUpscaleParams,
                                        .outputs = kVideoOutputs,
                                        .price_unit = "output_pixel_frame",
                                        .default_deadline_s = 86'400};
inline constexpr TaskSpec kFrameInterpolation{.name = "frame-interpolation",
                                              .summary = "A video at a higher picture rate, sound kept in step",
                                              .has_models = true,
                                              .inputs = kVideoInput,
                                              .params = kInterpolationParams,
                                              .outputs = kVideoOutputs,
                                              .rules = kInterpolationRules,
                                              .price_unit = "output_pixel_frame",
                                              .default_deadline_s = 86'400};
inline constexpr TaskSpec kVideoEnhance{.name = "video-enhance",
                                        .summary = "A video made larger and brought to a higher picture rate in one pass, sound kept",
                                        .has_models = true,
                                        .inputs = kVideoInput,
                                        .params = kVideoEnhanceParams,
                                        .outputs = kVideoOutputs,
                                        .rules = kInterpolationRules,
                                        .price_unit = "output_pixel_frame",
                                        .default_deadline_s = 86'400};

}  // namespace kinora::tasks::enhancement

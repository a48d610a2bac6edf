#pragma once
// The part of the catalogue that makes pictures and videos from prompts. What a model itself allows (sizes, frames, scheduler) is checked
// by the runner before it loads anything; the ranges here are the network's. Inside this room only.
#include <array>

#include "tasks/catalogue_parts.hpp"

namespace kinora::tasks::generation {

using namespace parts;

inline constexpr double kMaxPromptBytes = 20'000;
inline constexpr double kMaxSeed = 9'007'199'254'740'991;  // what every JSON reader keeps exact
inline constexpr std::array kSchedulers{std::string_view("euler"),    std::string_view("euler-ancestral"),
                                        std::string_view("dpmpp-2m"), std::string_view("dpmpp-2m-karras"),
                                        std::string_view("ddim"),     std::string_view("pndm"),
                                        std::string_view("lcm"),      std::string_view("tcd"),
                                        std::string_view("unipc")};

inline constexpr ParamSpec kPrompt{.name = "prompt",
                                   .type = ParamType::string,
                                   .min = 1,
                                   .max = kMaxPromptBytes,
                                   .required = true,
                                   .doc = "what to make; (words:1.2) weighs them"};
inline constexpr ParamSpec kNegativePrompt{
    .name = "negative_prompt", .type = ParamType::string, .min = 0, .max = kMaxPromptBytes, .doc = "what to keep away from"};
inline constexpr ParamSpec kPrompt2{.name = "prompt_2",
                                    .type = ParamType::string,
                                    .min = 1,
                                    .max = kMaxPromptBytes,
                                    .doc = "for SDXL's second text encoder; default: the prompt"};
inline constexpr ParamSpec kNegativePrompt2{.name = "negative_prompt_2",
                                            .type = ParamType::string,
                                            .min = 0,
                                            .max = kMaxPromptBytes,
                                            .doc = "for SDXL's second text encoder; default: negative_prompt"};
inline constexpr ParamSpec kCount{.name = "n",
                                  .type = ParamType::integer,
                                  .min = 1,
                                  .max = 16,
                                  .default_json = "1",
                                  .doc = "pictures, with the seeds seed, seed + 1, ..."};
inline constexpr ParamSpec kSeed{
    .name = "seed", .type = ParamType::integer, .min = 0, .max = kMaxSeed, .doc = "the same seed gives the same result; default: drawn"};
inline constexpr ParamSpec kWidth{
    .name = "width", .type = ParamType::integer, .min = 16, .max = 4096, .doc = "default: the model's; a multiple of 8"};
inline constexpr ParamSpec kHeight{
    .name = "height", .type = ParamType::integer, .min = 16, .max = 4096, .doc = "default: the model's; a multiple of 8"};
inline constexpr ParamSpec kSteps{
    .name = "steps", .type = ParamType::integer, .min = 1, .max = 1000, .doc = "of denoising; default: the model's"};
inline constexpr ParamSpec kGuidance{.name = "guidance_scale",
                                     .type = ParamType::number,
                                     .min = 0,
                                     .max = 100,
                                     .doc = "how closely to follow the prompt; 1 or less: without guidance"};
inline constexpr ParamSpec kGuidanceRescale{
    .name = "guidance_rescale", .type = ParamType::number, .min = 0, .max = 1, .doc = "against overexposure (arXiv:2305.08891)"};
inline constexpr ParamSpec kClipSkip{
    .name = "clip_skip", .type = ParamType::integer, .min = 0, .max = 12, .doc = "last layers of the text encoder left out"};
inline constexpr ParamSpec kScheduler{
    .name = "scheduler", .type = ParamType::string, .min = 1, .max = 32, .values = kSchedulers, .doc = "instead of the model's own"};
inline constexpr ParamSpec kStrength{
    .name = "strength", .type = ParamType::number, .min = 0.01, .max = 1, .doc = "how much is changed; default 0.8"};
inline constexpr ParamSpec kFormat{.name = "format",
                                   .type = ParamType::string,
                                   .min = 1,
                                   .max = 8,
                                   .values = kPictures,
                                   .default_json = "\"png\"",
                                   .doc = "kind of picture"};
inline constexpr ParamSpec kPreviewEvery{.name = "preview_every",
                                         .type = ParamType::integer,
                                         .min = 0,
                                         .max = 1000,
                                         .default_json = "5",
                                         .doc = "steps between small previews; 0: none"};
inline constexpr ParamSpec kSafetyCheck{
    .name = "safety_check",
    .type = ParamType::boolean,
    .default_json = "true",
    .doc = "tell in nsfw what a safety checker says, where the node has one; pictures stay as they are"};
inline constexpr std::array kAdapterMembers{
    ParamSpec{
        .name = "adapter", .type = ParamType::string, .min = 1, .max = 200, .required = true, .doc = "id, as kinora models list has it"},
    ParamSpec{.name = "scale", .type = ParamType::number, .min = -100, .max = 100, .default_json = "1", .doc = "how much of it"},
    ParamSpec{.name = "component",
              .type = ParamType::string,
              .min = 1,
              .max = 32,
              .token = true,
              .doc = "only this part of the model: unet, transformer_2, text_encoder"}};
inline constexpr ParamSpec kAdapters{.name = "adapters",
                                     .type = ParamType::array,
                                     .min = 0,
                                     .max = 8,
                                     .members = kAdapterMembers,
                                     .doc = "LoRA files on the model's weights; several add up"};
inline constexpr ParamSpec kRefiner{
    .name = "refiner", .type = ParamType::string, .min = 1, .max = 200, .doc = "SDXL: id of a refiner that takes the last of the steps"};
inline constexpr ParamSpec kRefinerStart{.name = "refiner_start",
                                         .type = ParamType::number,
                                         .min = 0,
                                         .max = 1,
                                         .default_json = "0.8",
                                         .doc = "the share of the noise schedule that comes before the refiner"};
inline constexpr ParamSpec kFps{
    .name = "fps", .type = ParamType::integer, .min = 1, .max = 60, .doc = "frames a second; default: the model's"};
inline constexpr ParamSpec kFrames{
    .name = "frames", .type = ParamType::integer, .min = 1, .max = 1000, .doc = "length of the video; default: the model's"};
inline constexpr ParamSpec kDuration{.name = "duration_s",
                                     .type = ParamType::number,
                                     .min = 0.01,
                                     .max = 1000,
                                     .doc = "instead of frames; the nearest length that the model makes at these frames a second"};
inline constexpr std::array kLengthRules{ParamRule{ParamRule::Kind::at_most_one, "frames", "duration_s"}};

inline constexpr ParamSpec kMotionPrompt{.name = "prompt",
                                         .type = ParamType::string,
                                         .min = 1,
                                         .max = kMaxPromptBytes,
                                         .doc = "what happens; Wan and LTX need it, Stable Video Diffusion takes none"};
inline constexpr ParamSpec kGuidance2{.name = "guidance_scale_2",
                                      .type = ParamType::number,
                                      .min = 0,
                                      .max = 100,
                                      .doc = "of Wan 2.2's second expert; default: guidance_scale"};
inline constexpr ParamSpec kGuidanceStart{.name = "guidance_start",
                                          .type = ParamType::number,
                                          .min = 0,
                                          .max = 1,
                                          .doc = "Wan, LTX: steps before this share of all are not guided; default: the model's, else 0"};
inline constexpr ParamSpec kGuidanceEnd{
    .name = "guidance_end",
    .type = ParamType::number,
    .min = 0,
    .max = 1,
    .doc = "Wan, LTX: steps from this share of all on are not guided, which halves their time; default: the model's, else 1"};
inline constexpr ParamSpec kStepCache{
    .name = "step_cache",
    .type = ParamType::number,
    .min = 0,
    .max = 1,
    .default_json = "0",
    .doc =
        "Wan, LTX: later blocks are left out of a step while the first block changes the tokens by at most this share otherwise "
        "than when they last ran; 0: never"};
inline constexpr ParamSpec kStrict{.name = "strict",
                                   .type = ParamType::boolean,
                                   .default_json = "false",
                                   .doc = "refuse a size or length that Wan or LTX cannot make, instead of rounding it"};

inline constexpr std::array kTextToImageParams{kPrompt,      kNegativePrompt, kPrompt2, kNegativePrompt2, kCount,           kSeed,
                                               kWidth,       kHeight,         kSteps,   kGuidance,        kGuidanceRescale, kClipSkip,
                                               kScheduler,   kAdapters,       kRefiner, kRefinerStart,    kSafetyCheck,     kFormat,
                                               kPreviewEvery};
inline constexpr std::array kImageToImageParams{kPrompt,      kNegativePrompt, kCount,           kSeed,        kWidth,     kHeight,
                                                kSteps,       kGuidance,       kGuidanceRescale, kClipSkip,    kScheduler, kAdapters,
                                                kSafetyCheck, kStrength,       kFormat,          kPreviewEvery};
inline constexpr std::array kTextToVideoParams{
    kPrompt,   kNegativePrompt, kSeed,      kWidth,         kHeight,      kFrames,          kDuration, kFps,
    kSteps,    kGuidance,       kGuidance2, kGuidanceStart, kGuidanceEnd, kGuidanceRescale, kClipSkip, kScheduler,
    kAdapters, kSafetyCheck,    kStrict,    kStepCache,     kCrf,         kPreviewEvery};
inline constexpr std::array kImageToVideoParams{
    kMotionPrompt,
    kNegativePrompt,
    kGuidance,
    kGuidance2,
    kGuidanceStart,
    kGuidanceEnd,
    kGuidanceRescale,
    kScheduler,
    kStrict,
    kStepCache,
    kSeed,
    kWidth,
    kHeight,
    kFrames,
    kDuration,
    kFps,
    kSteps,
    ParamSpec{
        .name = "motion_bucket_id", .type = ParamType::integer, .min = 0, .max = 1023, .default_json = "127", .doc = "amount of motion"},
    ParamSpec{.name = "noise_aug_strength",
              .type = ParamType::number,
              .min = 0,
              .max = 10,
              .default_json = "0.02",
              .doc = "noise on the picture: freer motion"},
    ParamSpec{.name = "min_guidance_scale", .type = ParamType::number, .min = 0, .max = 100, .doc = "of the first frame"},
    ParamSpec{.name = "max_guidance_scale", .type = ParamType::number, .min = 0, .max = 100, .doc = "of the last frame"},
    ParamSpec{
        .name = "decode_chunk", .type = ParamType::integer, .min = 1, .max = 128, .doc = "frames decoded at once: fewer need less memory"},
    kAdapters,
    kSafetyCheck,
    kCrf,
    kPreviewEvery,
    ParamSpec{.name = "pictures",
              .type = ParamType::boolean,
              .default_json = "false",
              .internal = true,
              .doc = "the frames as PNG pictures instead of a video"}};

inline constexpr std::array kVideoExtendParams{kMotionPrompt, kNegativePrompt, kSeed,     kWidth,       kHeight,          kFrames,
                                               kDuration,     kSteps,          kGuidance, kGuidance2,   kGuidanceRescale, kScheduler,
                                               kStrict,       kStepCache,      kCrf,      kPreviewEvery};

inline constexpr std::array kPictureInput{InputSlot{.slot = "image", .kind = MediaKind::image, .doc = "the picture to begin with"}};
inline constexpr std::array kFirstLastInputs{
    InputSlot{.slot = "image", .kind = MediaKind::image, .doc = "the picture to begin with"},
    InputSlot{.slot = "last_image", .kind = MediaKind::image, .required = false, .doc = "the picture to end with (Wan image-to-video)"},
};
inline constexpr std::array kInpaintInputs{
    InputSlot{.slot = "image", .kind = MediaKind::image, .doc = "the picture to change"},
    InputSlot{.slot = "mask", .kind = MediaKind::image, .doc = "white where it is painted anew"},
};
inline constexpr std::array kPictureOutputs{
    OutputSlot{.slot = "images", .many = true, .doc = "the pictures, in order of their seeds", .kind = MediaKind::image}};

inline constexpr TaskSpec kTextToImage{.name = "text-to-image",
                                       .summary = "Pictures from a prompt",
                                       .has_models = true,
                                       .params = kTextToImageParams,
                                       .outputs = kPictureOutputs,
                                       .price_unit = "output_pixel"};
inline constexpr TaskSpec kImageToImage{.name = "image-to-image",
                                        .summary = "A picture changed by a prompt",
                                        .has_models = true,
                                        .inputs = kPictureInput,
                                        .params = kImageToImageParams,
                                        .outputs = kPictureOutputs,
                                        .price_unit = "output_pixel"};
inline constexpr TaskSpec kInpaint{.name = "inpaint",
                                   .summary = "A part of a picture painted anew by a prompt",
                                   .has_models = true,
                                   .inputs = kInpaintInputs,
                                   .params = kImageToImageParams,
                                   .outputs = kPictureOutputs,
                                   .price_unit = "output_pixel"};
inline constexpr TaskSpec kTextToVideo{.name = "text-to-video",
                                       .summary = "A video from a prompt",
                                       .has_models = true,
                                       .params = kTextToVideoParams,
                                       .outputs = kVideoOutputs,
                                       .rules = kLengthRules,
                                       .price_unit = "output_pixel_frame",
                                       .default_deadline_s = 86'400};
inline constexpr TaskSpec kImageToVideo{.name = "image-to-video",
                                        .summary = "A picture set in motion",
                                        .has_models = true,
                                        .inputs = kFirstLastInputs,
                                        .params = kImageToVideoParams,
                                        .outputs = kVideoOutputs,
                                        .rules = kLengthRules,
                                        .price_unit = "output_pixel_frame",
                                        .default_deadline_s = 86'400};

inline constexpr TaskSpec kVideoExtend{.name = "video-extend",
                                       .summary = "A video that goes on: new frames after its last picture",
                                       .has_models = true,
                                       .inputs = kVideoInput,
                                       .params = kVideoExtendParams,
                                       .outputs = kVideoOutputs,
                                       .rules = kLengthRules,
                                       .price_unit = "output_pixel_frame",
                                       .default_deadline_s = 86'400};

}  // namespace kinora::tasks::generation

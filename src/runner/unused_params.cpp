#include "runner/unused_params.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace kinora::runner {
namespace {

struct Use {
  std::string_view param;
  std::string_view by;           // for the note
  std::string_view families;     // PipelineInfo::family, each between spaces
  std::optional<double> idle{};  // a value without effect, as the catalogue's default
};

constexpr std::array kUses{
    Use{"guidance_scale_2", "Wan", " wan "},  // with one expert the model itself tells that it has no use for it
    Use{"guidance_start", "Wan and LTX-Video", " wan ltx ", 0},
    Use{"guidance_end", "Wan and LTX-Video", " wan ltx ", 1},
    Use{"step_cache", "Wan and LTX-Video", " wan ltx ", 0},
    Use{"guidance_rescale", "Stable Diffusion, SDXL and LTX-Video", " sd sdxl sdxl-refiner animatediff ltx ", 0},
    Use{"prompt_2", "SDXL", " sdxl "},
    Use{"negative_prompt_2", "SDXL", " sdxl "},
    Use{"min_guidance_scale", "Stable Video Diffusion", " svd "},
    Use{"max_guidance_scale", "Stable Video Diffusion", " svd "},
    Use{"motion_bucket_id", "Stable Video Diffusion", " svd ", 127},
    Use{"noise_aug_strength", "Stable Video Diffusion", " svd ", 0.02},
    Use{"decode_chunk", "Stable Video Diffusion and AnimateDiff", " svd animatediff "},
};

bool is_of(std::string_view families, const std::string& family) { return families.find(' ' + family + ' ') != std::string_view::npos; }

}  // namespace

std::vector<std::string> unused_params(const TaskRequest& request, const models::PipelineInfo& model) {
  std::vector<std::string> notes;
  const auto note = [&](std::string_view param, std::string_view why) {
    notes.push_back(std::string(param) + " is not used: " + std::string(why));
  };
  for (const Use& use : kUses) {
    const auto* value = request.params.if_contains(use.param);
    if (value == nullptr || is_of(use.families, model.family)) continue;
    if (use.idle && value->to_number<double>() == *use.idle) continue;
    note(use.param, "it is for " + std::string(use.by));
  }
  if (!model.prompted)
    for (const std::string_view text : {"prompt", "negative_prompt"})
      if (const auto* given = request.params.if_contains(text); given != nullptr && !given->as_string().empty())
        note(text, "the model takes no prompt");
  return notes;
}

}  // namespace kinora::runner

#include "runner/unused_params.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

namespace json = base::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

models::PipelineInfo of(const char* family) {
  models::PipelineInfo info;
  info.family = family;
  return info;
}
std::vector<std::string> notes(json::object params, const models::PipelineInfo& model) {
  TaskRequest request;
  request.params = std::move(params);
  return unused_params(request, model);
}

TEST(UnusedParams, name_the_models_that_they_are_for) {
  EXPECT_THAT(notes({{"guidance_end", 0.5}, {"min_guidance_scale", 1.0}, {"guidance_rescale", 0.7}, {"guidance_scale_2", 3.0}}, of("wan")),
              ElementsAre("guidance_rescale is not used: it is for Stable Diffusion, SDXL and LTX-Video",
                          "min_guidance_scale is not used: it is for Stable Video Diffusion"));
  EXPECT_THAT(notes({{"prompt_2", "a fox"}}, of("sd")), ElementsAre("prompt_2 is not used: it is for SDXL"));
  EXPECT_THAT(notes({{"prompt_2", "a fox"}}, of("sdxl")), IsEmpty());
}

// What the catalogue fills in was not asked for.
TEST(UnusedParams, a_value_without_effect_is_not_told) {
  EXPECT_THAT(notes({{"motion_bucket_id", 127}, {"noise_aug_strength", 0.02}, {"step_cache", 0.0}}, of("ltx")), IsEmpty());
  EXPECT_THAT(notes({{"motion_bucket_id", 200}}, of("ltx")), ElementsAre("motion_bucket_id is not used: it is for Stable Video Diffusion"));
  EXPECT_THAT(notes({{"step_cache", 0.1}}, of("svd")), ElementsAre("step_cache is not used: it is for Wan and LTX-Video"));
}

TEST(UnusedParams, a_model_without_text_encoder_takes_no_prompt) {
  auto svd = of("svd");
  svd.prompted = false;
  EXPECT_THAT(notes({{"prompt", "it snows"}, {"negative_prompt", ""}}, svd), ElementsAre("prompt is not used: the model takes no prompt"));
}

}  // namespace
}  // namespace kinora::runner

// CLIP's towers against transformers.
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include "models/clip/clip_load.hpp"
#include "models/golden/golden_case.hpp"

namespace kinora::models::clip {
namespace {

void compare_text(const golden::Case& test, const std::filesystem::path& folder) {
  const auto loaded = load_text_model(folder, {});
  const auto& model = *loaded.model;
  for (int set = 0; set < test.sets(); ++set) {
    const auto ids = test.input("input_ids", set);
    const auto states = model.hidden_states(ids, model.layers());
    const auto normed = model.final_norm(states.back());
    test.expect_close("embeddings", set, states.front());
    test.expect_close("penultimate", set, states[states.size() - 2]);
    test.expect_close("last_hidden_state", set, normed);
    const auto pooled = model.pooled(ids, normed);
    if (test.has_output("pooler_output", set)) test.expect_close("pooler_output", set, pooled);
    if (test.has_output("text_embeds", set)) test.expect_close("text_embeds", set, model.projected(pooled));
  }
}

void run_text(const golden::Case& test) {
  compare_text(test, test.model_dir());
  // The same weights as the newest library writes them.
  if (const auto bare = test.folder() / "model_noprefix"; std::filesystem::exists(bare)) compare_text(test, bare);
}

void run_vision(const golden::Case& test) {
  const auto loaded = load_vision_model(test.model_dir(), {});
  const auto& model = *loaded.model;
  for (int set = 0; set < test.sets(); ++set) {
    const auto states = model.hidden_states(test.input("pixel_values", set), model.layers());
    test.expect_close("after_pre_norm", set, states.front());
    test.expect_close("penultimate", set, states[states.size() - 2]);
    test.expect_close("last_hidden_state", set, states.back());
    if (test.has_output("image_embeds", set)) test.expect_close("image_embeds", set, model.projected(model.pooled(states.back())));
  }
}

const golden::Register text{"CLIPTextModel", run_text};
const golden::Register text_with_projection{"CLIPTextModelWithProjection", run_text};
const golden::Register vision_with_projection{"CLIPVisionModelWithProjection", run_vision};
const golden::Register vision{"CLIPVisionModel", run_vision};

}  // namespace
}  // namespace kinora::models::clip

// CLIP and SigLIP as zero-shot classifiers against transformers.
#include <gtest/gtest.h>

#include "models/clip/zero_shot.hpp"
#include "models/golden/golden_case.hpp"
#include "nn/pixels/image_processor.hpp"

namespace kinora::models::clip {
namespace {

void run(const golden::Case& test) {
  const auto model = load_zero_shot(test.model_dir(), {});
  for (int set = 0; set < test.sets(); ++set) {
    const auto image = model->image_embeds(test.input("pixel_values", set)), text = model->text_embeds(test.input("input_ids", set));
    test.expect_close("image_embeds", set, image);
    test.expect_close("text_embeds", set, text);
    const auto logits = model->logits(image, text);
    test.expect_close("logits_per_image", set, logits);
    test.expect_close("probabilities", set, model->probabilities(logits));
    if (!test.has_input("image_u8", set)) continue;
    const auto processor = nn::ImageProcessor::read(nn::JsonConfig::read(test.model_dir() / "preprocessor_config.json"));
    const auto pixels = processor(test.input("image_u8", set));
    EXPECT_LE(pixels[0].sub(test.input("pixel_values", set)[0]).abs().max().item<double>(), 2e-6);
  }
}

const golden::Register clip{"CLIPModel", run};
const golden::Register siglip{"SiglipModel", run};

}  // namespace
}  // namespace kinora::models::clip

// The safety checker against diffusers (tests/golden/safety_checker), and its rule by hand.
#include "models/safety/safety_checker.hpp"

#include <ATen/ops/eye.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/golden/golden_case.hpp"

namespace kinora::models::safety {
namespace {

Loaded<SafetyChecker> load(const std::filesystem::path& model) {
  return load_safety_checker(model / "safety_checker", model / "feature_extractor/preprocessor_config.json", {.dtype = at::kFloat});
}

std::vector<at::Tensor> pictures_of(const golden::Case& test, int set) { return test.input("pictures_u8", set).unbind(0); }

void run(const golden::Case& test) {
  const auto checker = load(test.model_dir()).model;
  for (int set = 0; set < test.sets(); ++set) {
    const auto embeddings = checker->embed(pictures_of(test, set));
    test.expect_close("image_embeds", set, embeddings);
    std::vector<std::int64_t> flags;
    for (const bool flag : checker->judge(embeddings)) flags.push_back(flag);
    test.expect_close("flags", set, at::tensor(flags));
  }
}
const golden::Register registered{"StableDiffusionSafetyChecker", run};

class SafetyRule : public testing::Test {
 protected:
  void set(const char* name, const at::Tensor& value) { loaded.parameters.at(name).copy_(value); }
  // A picture whose cosine to axis 0 is x, the rest on axis 11.
  static at::Tensor towards_first(double x) {
    auto row = at::zeros({1, 12});
    row[0][0] = x;
    row[0][11] = std::sqrt(1 - x * x);
    return row;
  }
  Loaded<SafetyChecker> loaded = load(golden::golden_dir() / "safety_checker/model");
};

TEST_F(SafetyRule, a_picture_is_flagged_when_it_is_nearer_to_a_concept_than_its_bar_to_three_digits) {
  set("concept_embeds", at::eye(12).slice(0, 0, 1).expand({17, 12}));
  set("concept_embeds_weights", at::tensor({0.5F}).expand({17}));
  set("special_care_embeds", at::eye(12).slice(0, 1, 2).expand({3, 12}));
  set("special_care_embeds_weights", at::tensor({0.9F}).expand({3}));
  const auto flag = [&](double x) -> bool { return loaded.model->judge(towards_first(x).mul(7)).front(); };  // the length does not count
  EXPECT_FALSE(flag(0.4));
  EXPECT_FALSE(flag(0.5004));  // rounds to 0.000
  EXPECT_TRUE(flag(0.5008));
  // Near a special concept the bar is lower by 0.01.
  set("special_care_embeds", at::eye(12).slice(0, 11, 12).expand({3, 12}));
  set("special_care_embeds_weights", at::tensor({0.5F}).expand({3}));
  EXPECT_TRUE(flag(0.4958));
  EXPECT_FALSE(flag(0.4892));
}

}  // namespace
}  // namespace kinora::models::safety

#include "models/stable_diffusion/vae.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/loaded.hpp"
#include "models/stable_diffusion/blended_tiles.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::stable_diffusion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path kFolder = KINORA_SOURCE_DIR "/tests/golden/vae_kl/model";

std::shared_ptr<const Vae> vae() { return load_component<Vae, VaeConfig>(kFolder, {.channels_last = true}).model; }
VaeConfig read(const char* text) { return VaeConfig::read({nlohmann::json::parse(text), "vae/config.json"}); }
double largest_difference(const at::Tensor& a, const at::Tensor& b) { return at::abs(a.sub(b)).max().item<double>(); }

TEST(Vae, slices_of_a_batch_give_what_the_batch_gives) {
  const auto latents = at::randn({3, 4, 5, 7}), pictures = at::randn({2, 3, 20, 24});
  EXPECT_LT(largest_difference(vae()->decode(latents, {.slicing = true}), vae()->decode(latents)), 2e-5);
  EXPECT_LT(largest_difference(vae()->encode(pictures, {.slicing = true}).mean, vae()->encode(pictures).mean), 2e-5);
}

TEST(Vae, a_picture_of_one_tile_is_not_cut) {
  const auto latents = at::randn({1, 4, 8, 8}), picture = at::randn({1, 3, 32, 32});  // sample_size 32, factor 4
  EXPECT_TRUE(vae()->decode(latents, {.tiling = true}).equal(vae()->decode(latents)));
  EXPECT_TRUE(vae()->encode(picture, {.tiling = true}).mean.equal(vae()->encode(picture).mean));
}

TEST(Vae, latents_for_the_denoiser_are_scaled_and_back) {
  const auto z = at::randn({1, 4, 3, 3});
  auto config = read("{}");
  EXPECT_TRUE(at::allclose(config.to_denoiser(z), z.mul(0.18215)));
  EXPECT_TRUE(at::allclose(config.from_denoiser(config.to_denoiser(z)), z));
  config = read(R"({"scaling_factor": 0.5, "latents_mean": [1, 2, 3, 4], "latents_std": [1, 2, 4, 8]})");
  EXPECT_TRUE(at::allclose(config.to_denoiser(at::full({1, 4, 1, 1}, 12.0)).flatten(), at::tensor({5.5, 2.5, 1.125, 0.5}).to(at::kFloat)));
  EXPECT_TRUE(at::allclose(config.from_denoiser(config.to_denoiser(z)), z, 1e-5, 1e-6));
}

TEST(Posterior, is_clamped_and_sampled_by_its_deviation) {
  const Posterior posterior(at::tensor({2.0, 100.0, -100.0, 0.0}).view({1, 4, 1, 1}));  // means 2, 100; log variances -100, 0
  EXPECT_EQ(posterior.logvar.flatten()[0].item<double>(), -30.0);
  const auto sample = posterior.sample(at::full({1, 2, 1, 1}, 3.0)).flatten();
  EXPECT_NEAR(sample[0].item<double>(), 2.0, 1e-5);
  EXPECT_NEAR(sample[1].item<double>(), 103.0, 1e-9);
}

TEST(BlendedTiles, of_something_that_does_not_see_its_neighbours_are_seamless) {
  const auto x = at::randn({2, 3, 21, 13});
  EXPECT_LT(largest_difference(blended_tiles(x, {.in = 8, .out = 8}, [](const at::Tensor& tile) { return tile.mul(2); }), x.mul(2)), 1e-6);
}

TEST(BlendedTiles, change_linearly_over_the_overlap) {
  // Tiles of 4 placed every 3, overlap 1 of 4: the first column of the second tile is wholly the first tile's last one.
  double next = 0;
  const auto y = blended_tiles(at::full({1, 1, 2, 6}, 0.0), {.in = 4, .out = 4}, [&](const at::Tensor& tile) { return tile.add(next++); });
  EXPECT_TRUE(y[0][0][0].equal(at::tensor({0.0F, 0.0F, 0.0F, 0.0F, 1.0F, 1.0F})));
}

struct Bad {
  const char* text;
  const char* member;
};
class VaeConfigRefuses : public ::testing::TestWithParam<Bad> {};
TEST_P(VaeConfigRefuses, naming_file_and_member) {
  try {
    read(GetParam().text);
    FAIL() << "accepted";
  } catch (const nn::LoadError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("vae/config.json"), HasSubstr(GetParam().member)));
  }
}
INSTANTIATE_TEST_SUITE_P(Members, VaeConfigRefuses,
                         ::testing::Values(Bad{R"({"block_out_channels": [48]})", "norm_num_groups"},
                                           Bad{R"({"block_out_channels": [32,32,32,32,32,32,32,32,32]})", "block_out_channels"},
                                           Bad{R"({"down_block_types": ["AttnDownEncoderBlock2D"]})", "down_block_types"},
                                           Bad{R"({"up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]})", "up_block_types"},
                                           Bad{R"({"layers_per_block": 0})", "layers_per_block"},
                                           Bad{R"({"scaling_factor": 0})", "scaling_factor"},
                                           Bad{R"({"latents_mean": [0, 0, 0, 0]})", "latents_std"},
                                           Bad{R"({"latents_mean": [0], "latents_std": [1]})", "latents_mean"},
                                           Bad{R"({"latents_mean": [0,0,0,0], "latents_std": [1,1,0,1]})", "latents_std"},
                                           Bad{R"({"sample_size": 1, "block_out_channels": [32, 32]})", "sample_size"}));

}  // namespace
}  // namespace kinora::models::stable_diffusion

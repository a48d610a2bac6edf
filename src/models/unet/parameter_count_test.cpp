// The published networks, built without weights: their parameter counts are those of the published files.
#include <gtest/gtest.h>

#include "models/animatediff/unet.hpp"
#include "models/stable_diffusion/unet.hpp"
#include "models/stable_diffusion/vae.hpp"
#include "models/svd/unet.hpp"
#include "models/svd/vae.hpp"

namespace kinora::models {
namespace {

struct Count {
  std::size_t tensors = 0;
  std::int64_t parameters = 0;
  bool operator==(const Count&) const = default;
};

nn::JsonConfig config(const char* text) { return {nlohmann::json::parse(text), "config.json"}; }

template <typename Network, typename Config>
Count count(const Config& config) {
  auto load = nn::WeightLoad::shapes_only();
  {
    const Network network(config, load.root());
  }
  Count count;
  for (const auto& [name, weight] : load.finish()) {
    EXPECT_TRUE(weight.is_meta()) << name;
    ++count.tensors;
    count.parameters += weight.numel();
  }
  return count;
}

Count unet(const char* text) { return count<stable_diffusion::UNet>(stable_diffusion::UNetConfig::read(config(text))); }

void PrintTo(const Count& count, std::ostream* out) { *out << count.tensors << " tensors, " << count.parameters << " parameters"; }

constexpr auto kVae = R"({"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "sample_size": 512})";

TEST(ParameterCount, of_stable_diffusion_1_5) { EXPECT_EQ(unet(R"({"cross_attention_dim": 768})"), (Count{686, 859520964})); }

TEST(ParameterCount, of_stable_diffusion_2_1) {
  EXPECT_EQ(unet(R"({"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": true})"),
            (Count{686, 865910724}));
}

TEST(ParameterCount, of_sdxl) {
  EXPECT_EQ(unet(R"({"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                     "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], "block_out_channels": [320, 640, 1280],
                     "transformer_layers_per_block": [1, 2, 10], "attention_head_dim": [5, 10, 20], "cross_attention_dim": 2048,
                     "use_linear_projection": true, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
                     "projection_class_embeddings_input_dim": 2816})"),
            (Count{1680, 2567463684}));
}

TEST(ParameterCount, of_stable_video_diffusion) {
  EXPECT_EQ(count<svd::UNet>(svd::UNetConfig::read(config("{}"))), (Count{1428, 1524623082}));
}

TEST(ParameterCount, of_the_autoencoders) {
  const auto vae = stable_diffusion::VaeConfig::read(config(kVae));
  EXPECT_EQ(count<stable_diffusion::Vae>(vae), (Count{248, 83653863}));
  EXPECT_EQ(count<svd::TemporalVae>(vae), (Count{374, 97742847}));
}

// 21 modules of 27 tensors: 453,209,280 parameters and 604,160 values of position tables, as MotionAdapter() of diffusers counts them.
TEST(ParameterCount, of_an_animatediff_adapter_on_top_of_its_unet) {
  const auto still = stable_diffusion::UNetConfig::read(config(R"({"cross_attention_dim": 768})"));
  const auto motion = animatediff::MotionConfig::read(config("{}"));
  const auto both = count<animatediff::UNet>(animatediff::UNetMotionConfig::join(still, motion, "adapter"));
  EXPECT_EQ(both.tensors, 686 + 21 * 27U);
  EXPECT_EQ(both.parameters - 859520964, 453209280 + 604160);
}

}  // namespace
}  // namespace kinora::models

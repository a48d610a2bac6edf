#include "models/stable_diffusion/unet_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::models::stable_diffusion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

UNetConfig read(const char* text) { return UNetConfig::read({nlohmann::json::parse(text), "unet/config.json"}); }

std::string refusal(const char* text) {
  try {
    read(text);
  } catch (const nn::LoadError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(UNetConfig, an_empty_file_stands_for_the_defaults_of_the_class) {
  const auto config = read("{}");
  EXPECT_THAT(config.body.channels, ElementsAre(320, 640, 1280, 1280));
  EXPECT_THAT(config.body.down_attention, ElementsAre(true, true, true, false));
  EXPECT_THAT(config.body.up_attention, ElementsAre(true, true, true, false));  // by level, not in the order of up_blocks
  EXPECT_THAT(config.heads, ElementsAre(8, 8, 8, 8));
  EXPECT_EQ(config.time_width, 1280);
  EXPECT_EQ(config.body.mid_layers, 2);
  EXPECT_FALSE(config.text_time);
}

TEST(UNetConfig, members_that_it_does_not_know_are_ignored) { EXPECT_EQ(refusal(R"({"a_member_of_tomorrow": 1})"), "accepted"); }

TEST(UNetConfig, depths_may_differ_between_the_layers_of_a_block_as_in_distilled_sdxl) {
  const auto config = read(R"({"block_out_channels": [320, 640, 1280], "attention_head_dim": [5, 10, 20],
      "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
      "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], "mid_block_type": "UNetMidBlock2D",
      "transformer_layers_per_block": [1, [2, 2], [4, 4]], "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1]})");
  EXPECT_THAT(config.down_depth, ElementsAre(ElementsAre(1, 1), ElementsAre(2, 2), ElementsAre(4, 4)));
  EXPECT_THAT(config.up_depth, ElementsAre(ElementsAre(1, 1, 1), ElementsAre(2, 1, 1), ElementsAre(4, 4, 10)));
  EXPECT_EQ(config.body.mid_layers, 1);
}

TEST(UNetConfig, a_null_middle_is_none_and_an_absent_one_the_default) {
  EXPECT_EQ(read(R"({"mid_block_type": null})").body.mid_layers, 0);
  EXPECT_EQ(read("{}").body.mid_layers, 2);
}

struct Bad {
  const char* text;
  const char* member;
  const char* reason;
};

class UNetConfigRefuses : public ::testing::TestWithParam<Bad> {};

TEST_P(UNetConfigRefuses, naming_file_and_member) {
  EXPECT_THAT(refusal(GetParam().text), AllOf(HasSubstr("unet/config.json"), HasSubstr(GetParam().member), HasSubstr(GetParam().reason)));
}

INSTANTIATE_TEST_SUITE_P(
    Members, UNetConfigRefuses,
    ::testing::Values(Bad{R"({"block_out_channels": []})", "block_out_channels", "list"},
                      Bad{R"({"in_channels": 0})", "in_channels", "from 1"},
                      Bad{R"({"down_block_types": ["DownBlock2D"]})", "down_block_types", "as many"},
                      Bad{R"({"down_block_types": ["AttnDownBlock2D"]})", "down_block_types", "known"},
                      Bad{R"({"up_block_types": ["UpBlock2D"]})", "up_block_types", "as many"},
                      Bad{R"({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"})", "mid_block_type", "known"},
                      Bad{R"({"attention_head_dim": [8, 8]})", "attention_head_dim", "4"},
                      Bad{R"({"attention_head_dim": 400})", "attention_head_dim", "must not exceed"},
                      Bad{R"({"norm_num_groups": 7})", "norm_num_groups", "320"}, Bad{R"({"act_fn": "tanh"})", "act_fn", "known"},
                      Bad{R"({"transformer_layers_per_block": [1, 2]})", "transformer_layers_per_block", "each block"},
                      Bad{R"({"transformer_layers_per_block": 0})", "transformer_layers_per_block", "from 1"},
                      Bad{R"({"transformer_layers_per_block": [[1, 2, 3], 1, 1, 1]})", "transformer_layers_per_block", "2 layers"},
                      Bad{R"({"transformer_layers_per_block": [[1, 2], 1, 1, 1]})", "reverse_transformer_layers_per_block", "needed"},
                      Bad{R"({"addition_embed_type": "image"})", "addition_embed_type", "text_time"},
                      Bad{R"({"addition_embed_type": "text_time"})", "addition_time_embed_dim", "needed"},
                      Bad{R"({"conv_in_kernel": 4})", "conv_in_kernel", "odd"},
                      Bad{R"({"class_embed_type": "timestep"})", "class_embed_type", "null"},
                      Bad{R"({"num_class_embeds": 1000})", "num_class_embeds", "null"},
                      Bad{R"({"encoder_hid_dim_type": "ip_image_proj"})", "encoder_hid_dim_type", "null"},
                      Bad{R"({"only_cross_attention": [false, true, false, false]})", "only_cross_attention", "false"},
                      Bad{R"({"only_cross_attention": true})", "only_cross_attention", "false"},
                      Bad{R"({"dual_cross_attention": true})", "dual_cross_attention", "false"},
                      Bad{R"({"resnet_time_scale_shift": "ada_group"})", "resnet_time_scale_shift", "known"}));

}  // namespace
}  // namespace kinora::models::stable_diffusion

// Names of Wan and LTX-Video against diffusers' own conversion: tests/golden/original_layout/video_names.json, made by make_video_names.py.
#include "models/single_file/video_layout.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "nn/load_error.hpp"

namespace kinora::models::single_file {
namespace {

using ::testing::HasSubstr;
using Convert = std::function<nn::Checkpoint(nn::Checkpoint)>;

// Every original name goes to its own tensor, whose value tells where it went.
void expect_names(const std::string& table, const std::string& prefix, const Convert& convert) {
  SCOPED_TRACE(table);
  std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/original_layout/video_names.json");
  const auto pairs = nlohmann::json::parse(in).at(table);
  nn::TensorMap originals;
  std::map<std::string, double> expected;
  for (const auto& pair : pairs) {
    const auto original = pair[0].get<std::string>();
    const auto value = static_cast<double>(originals.size());
    originals.emplace(prefix + original, at::full({1}, value));
    expected.emplace(pair[1].get<std::string>(), value);
  }
  // What diffusers fills in by another way than renaming.
  if (table.starts_with("ltx_vae")) {
    originals.emplace("vae.per_channel_statistics.mean-of-means", at::full({1}, 1e6));
    originals.emplace("vae.per_channel_statistics.channel", at::full({1}, 1e6));
    expected.emplace("latents_mean", 1e6);
  }
  const auto converted = convert(nn::make_checkpoint(originals, table));
  for (const auto& [name, value] : expected) {
    const auto found = converted.tensors.find(name);
    ASSERT_NE(found, converted.tensors.end()) << name;
    EXPECT_EQ(found->second.read().flatten()[0].item<double>(), value) << name;
  }
  EXPECT_EQ(converted.tensors.size(), expected.size());
}

TEST(VideoLayout, names_of_the_authors_become_those_that_diffusers_gives) {
  expect_names("wan_transformer", "", wan_transformer);
  expect_names("wan_transformer", "model.diffusion_model.", wan_transformer);
  expect_names("ltx_transformer", "", ltx_transformer);
  for (const char* version : {"ltx_vae_090", "ltx_vae_091", "ltx_vae_095"}) expect_names(version, "", ltx_vae);
  const auto vae = [](nn::Checkpoint file) { return wan_vae(std::move(file), 2); };
  expect_names("wan_vae", "", vae);
  expect_names("wan22_vae", "", vae);
}

TEST(VideoLayout, diffusers_own_names_stay) {
  const auto file = nn::make_checkpoint({{"blocks.0.attn1.to_q.weight", at::full({1}, 1.0)}, {"proj_in.weight", at::full({1}, 2.0)}}, "x");
  for (const Convert& convert : {Convert(wan_transformer), Convert(ltx_transformer), Convert(ltx_vae)})
    EXPECT_EQ(convert(file).tensors.size(), 2U);
}

TEST(VideoLayout, a_weight_under_both_names_is_refused_by_name) {
  const auto file = nn::make_checkpoint({{"head.modulation", at::full({1}, 1.0)},
                                         {"ffn", at::full({1}, 1.0)},
                                         {"head.head.weight", at::full({1}, 1.0)},
                                         {"proj_out.weight", at::full({1}, 1.0)}},
                                        "twice.safetensors");
  try {
    wan_transformer(file);
    FAIL() << "taken";
  } catch (const nn::LoadError& error) {
    EXPECT_THAT(error.what(), HasSubstr("twice.safetensors"));
    EXPECT_THAT(error.what(), HasSubstr("under another name"));
  }
}

TEST(VideoLayout, an_ltx_file_gives_the_transformer_without_the_vae) {
  const auto file = nn::make_checkpoint(
      {{"model.diffusion_model.patchify_proj.weight", at::full({1}, 1.0)}, {"vae.encoder.conv_in.conv.weight", at::full({1}, 1.0)}}, "ltx");
  const auto transformer = ltx_transformer(file);
  EXPECT_TRUE(transformer.tensors.contains("proj_in.weight"));
  EXPECT_EQ(transformer.tensors.size(), 1U);
}

}  // namespace
}  // namespace kinora::models::single_file

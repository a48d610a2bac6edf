#include "hub/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<RemoteFile> files(std::initializer_list<const char*> paths) {
  std::vector<RemoteFile> made;
  for (const char* path : paths) made.push_back({.path = path, .bytes = 1, .git_sha1 = std::string(40, 'a'), .sha256 = {}});
  return made;
}
std::vector<std::string> chosen(const std::vector<RemoteFile>& from, const Selection& selection = {}) {
  std::vector<std::string> paths;
  for (const RemoteFile& file : select(from, selection)) paths.push_back(file.path);
  return paths;
}

// The files of stabilityai/sdxl-turbo as published (some left out): two single files, two precisions, and three other formats.
const auto kTurbo = files({".gitattributes",
                           "LICENSE.md",
                           "README.md",
                           "model_index.json",
                           "output_tile.jpg",
                           "sd_xl_turbo_1.0.safetensors",
                           "sd_xl_turbo_1.0_fp16.safetensors",
                           "scheduler/scheduler_config.json",
                           "text_encoder/config.json",
                           "text_encoder/model.fp16.safetensors",
                           "text_encoder/model.onnx",
                           "text_encoder/model.safetensors",
                           "text_encoder/flax_model.msgpack",
                           "tokenizer/merges.txt",
                           "tokenizer/vocab.json",
                           "unet/config.json",
                           "unet/diffusion_pytorch_model.fp16.safetensors",
                           "unet/diffusion_pytorch_model.safetensors",
                           "unet/model.onnx_data",
                           "vae/config.json",
                           "vae/diffusion_pytorch_model.safetensors"});

TEST(HubSelection, without_patterns_it_is_what_the_runner_loads_in_one_precision) {
  EXPECT_THAT(
      chosen(kTurbo),
      UnorderedElementsAre("LICENSE.md", "README.md", "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
                           "text_encoder/model.fp16.safetensors", "tokenizer/merges.txt", "tokenizer/vocab.json", "unet/config.json",
                           "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors"));
}

TEST(HubSelection, full_precision_takes_the_other_files) {
  EXPECT_THAT(chosen(kTurbo, {.full_precision = true}), testing::Contains("unet/diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(chosen(kTurbo, {.full_precision = true}), testing::Not(testing::Contains("unet/diffusion_pytorch_model.fp16.safetensors")));
}

TEST(HubSelection, shards_of_both_precisions_and_their_indexes_go_together) {
  const auto sharded =
      files({"unet/diffusion_pytorch_model-00001-of-00002.safetensors", "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
             "unet/diffusion_pytorch_model.safetensors.index.json", "unet/diffusion_pytorch_model.fp16.safetensors"});
  EXPECT_THAT(chosen(sharded), ElementsAre("unet/diffusion_pytorch_model.fp16.safetensors"));
  EXPECT_EQ(chosen(sharded, {.full_precision = true}).size(), 3U);
}

TEST(HubSelection, pickles_are_taken_only_where_nothing_safer_is) {
  EXPECT_THAT(chosen(files({"unet/a.bin", "unet/a.safetensors", "vae/b.bin"})), UnorderedElementsAre("unet/a.safetensors", "vae/b.bin"));
  EXPECT_THAT(chosen(files({"RealESRGAN_x4plus.pth", "README.md"})), UnorderedElementsAre("RealESRGAN_x4plus.pth", "README.md"));
}

// Wan-AI/Wan2.1-T2V-1.3B as published (some left out): each network is a file, in the format that its authors had.
TEST(HubSelection, the_folder_of_wans_authors_is_taken_with_the_pickles_that_have_no_other_form) {
  const auto wan = files({"LICENSE.txt", "README.md", "Wan2.1_VAE.pth", "assets/logo.png", "config.json",
                          "diffusion_pytorch_model.safetensors", "google/umt5-xxl/special_tokens_map.json", "google/umt5-xxl/spiece.model",
                          "google/umt5-xxl/tokenizer.json", "google/umt5-xxl/tokenizer_config.json", "models_t5_umt5-xxl-enc-bf16.pth"});
  auto wanted = wan;
  std::erase_if(wanted, [](const RemoteFile& file) { return file.path == "assets/logo.png"; });
  EXPECT_EQ(chosen(wan).size(), wanted.size());
  EXPECT_THAT(chosen(files({"net.pth", "net.safetensors", "other.pth"})), UnorderedElementsAre("net.safetensors", "other.pth"));
}

TEST(HubSelection, a_single_file_checkpoint_is_taken_when_there_is_no_folder_layout) {
  EXPECT_THAT(chosen(files({"v1-5-pruned.safetensors", "v1-5-pruned.ckpt"})), ElementsAre("v1-5-pruned.safetensors"));
}

// fnmatch over the whole path, as huggingface_hub.utils.filter_repo_objects documents.
TEST(HubSelection, patterns_name_exactly_what_is_taken) {
  EXPECT_THAT(chosen(kTurbo, {.include = {"unet/*"}, .exclude = {"*.onnx*", "*fp16*"}}),
              UnorderedElementsAre("unet/config.json", "unet/diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(chosen(kTurbo, {.include = {"vae/"}}), UnorderedElementsAre("vae/config.json", "vae/diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(chosen(kTurbo, {.include = {"*config.json"}}).size(), 4U);
  EXPECT_THAT(chosen(kTurbo, {.include = {"nothing"}}), ElementsAre());
  EXPECT_EQ(chosen(kTurbo, {.everything = true}).size(), kTurbo.size());
}

}  // namespace
}  // namespace kinora::hub

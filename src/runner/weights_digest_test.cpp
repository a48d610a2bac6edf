#include "runner/weights_digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Pair;

class WeightsDigest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    const fs::path path = scratch / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  ModelEntry model() {
    return {
        .id = "m", .path = scratch / "m", .name = {}, .description = {}, .license = {}, .tasks = {}, .pipeline = models::PipelineInfo{}};
  }
  // What the tools of every system say of these files.
  std::string expected(const std::string& files) {
    return "sha256:" + testing::shell("cd " + (scratch / "m") + " && sha256sum " + files + " | sha256sum | cut -d' ' -f1");
  }
  testing::Scratch scratch;
  WeightsDigests digests;
};

TEST_F(WeightsDigest, is_what_sha256sum_gives_for_the_weight_files_by_path) {
  write("m/model_index.json", "{}");
  write("m/vae/diffusion_pytorch_model.safetensors", "v");
  write("m/text_encoder/model.safetensors", std::string(3'000'000, 't'));
  write("m/tokenizer/tokenizer.json", "{}");
  write("m/transformer/diffusion_pytorch_model.safetensors.index.json", "{}");
  write("m/transformer/diffusion_pytorch_model-00002-of-00002.safetensors", "b");
  write("m/transformer/diffusion_pytorch_model-00001-of-00002.safetensors", "a");
  const auto digest = digests.of(model());
  ASSERT_TRUE(digest);
  EXPECT_EQ(*digest, expected("text_encoder/model.safetensors transformer/diffusion_pytorch_model-00001-of-00002.safetensors "
                              "transformer/diffusion_pytorch_model-00002-of-00002.safetensors vae/diffusion_pytorch_model.safetensors"));
}

TEST_F(WeightsDigest, changes_with_the_weights_and_not_with_the_name_of_the_model) {
  write("m/vae/model.safetensors", "one");
  const auto first = *digests.of(model());
  auto renamed = model();
  renamed.id = "other";
  EXPECT_EQ(*digests.of(renamed), first);
  write("m/vae/model.safetensors", "other");
  EXPECT_NE(*digests.of(model()), first);
  EXPECT_EQ(*digests.of(model()), expected("vae/model.safetensors"));
}

TEST_F(WeightsDigest, a_file_of_a_hub_cache_is_not_read_for_its_name_is_its_hash) {
  const std::string name(64, 'a');
  write("blobs/" + name, "its bytes have another hash");
  fs::create_directories(scratch / "m/vae");
  fs::create_symlink(scratch / ("blobs/" + name), scratch / "m/vae/model.safetensors");
  const std::string line = name + "  vae/model.safetensors";
  EXPECT_EQ(*digests.of(model()), "sha256:" + testing::shell("echo '" + line + "' | sha256sum | cut -d' ' -f1"));
}

TEST_F(WeightsDigest, of_a_single_file_names_it_and_one_that_is_gone_is_an_error) {
  write("m/x.safetensors", "x");
  auto file = model();
  file.path = scratch / "m/x.safetensors";
  EXPECT_THAT(weight_files(file), ElementsAre(Pair("x.safetensors", file.path)));
  EXPECT_EQ(*digests.of(file), expected("x.safetensors"));
  write("m/vae.safetensors", "v");
  file.parts.companions = {scratch / "m/vae.safetensors"};
  EXPECT_EQ(*digests.of(file), expected("vae.safetensors x.safetensors"));
  file.path = scratch / "m/gone.safetensors";
  EXPECT_FALSE(digests.of(file));
}

TEST_F(WeightsDigest, of_an_upscaler_is_of_the_file_in_its_folder) {
  write("m/config.json", "{}");
  write("m/model.safetensors", "weights");
  auto upscaler = model();
  upscaler.pipeline.reset();
  EXPECT_EQ(*digests.of(upscaler), expected("model.safetensors"));
}

TEST_F(WeightsDigest, names_what_lies_elsewhere_by_its_part) {
  write("m/unet/model.safetensors", "not used");
  write("m/vae/model.safetensors", "v");
  write("far/away/lightning.safetensors", "u");
  write("motion/model.safetensors", "mm");
  auto mixed = model();
  mixed.parts.unet = scratch / "far/away/lightning.safetensors";
  mixed.parts.motion_adapter = scratch / "motion";
  EXPECT_THAT(weight_files(mixed), ElementsAre(Pair("motion_adapter/model.safetensors", fs::path(scratch / "motion/model.safetensors")),
                                               Pair("unet/lightning.safetensors", *mixed.parts.unet),
                                               Pair("vae/model.safetensors", fs::path(scratch / "m/vae/model.safetensors"))));
}

TEST_F(WeightsDigest, is_known_only_after_the_files_were_read_and_until_they_change) {
  write("m/vae/model.safetensors", "one");
  EXPECT_EQ(digests.known(model()), std::nullopt);
  const auto stamp = weights_stamp(model());
  digests.learn({model()});
  while (!digests.known(model())) std::this_thread::yield();
  EXPECT_EQ(digests.known(model()), expected("vae/model.safetensors"));
  write("m/vae/model.safetensors", "other");
  EXPECT_EQ(digests.known(model()), std::nullopt);
  EXPECT_NE(weights_stamp(model()), stamp);
}

}  // namespace
}  // namespace kinora::runner

#include "models/check_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "nn/load_error.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

TEST(CheckPipeline, models_that_can_be_loaded_pass) {
  for (const char* model : {"pipe_sd15", "pipe_sdxl", "pipe_svd", "pipe_wan21_t2v", "pipe_wan21_i2v", "pipe_wan22_a14b",
                            "pipe_wan22_ti2v_t2v", "pipe_ltx_090", "pipe_ltx_091"})
    EXPECT_NO_THROW(check_pipeline(kGolden / model / "model")) << model;
  EXPECT_NO_THROW(check_pipeline(kGolden / "pipe_animatediff/model", {.motion_adapter = kGolden / "pipe_animatediff/motion_adapter"}));
  EXPECT_NO_THROW(check_pipeline(kGolden / "pipe_sd15_single_file/model.safetensors", {.tokenizers = kGolden / "pipe_sd15/model"}));
  EXPECT_NO_THROW(
      check_pipeline(kGolden / "pipe_sdxl/model", {.unet = kGolden / "pipe_sdxl_lightning_unet/sdxl_lightning_2step_unet.safetensors"}));
}

TEST(CheckPipeline, one_that_lacks_a_weight_or_a_tokenizer_is_refused_by_name) {
  const auto folder = fs::path(testing::TempDir()) / ("kinora-check-" + std::to_string(getpid()));
  fs::remove_all(folder);
  fs::copy(kGolden / "pipe_sd15/model", folder, fs::copy_options::recursive);
  const auto vae = folder / "vae/diffusion_pytorch_model.safetensors";
  auto weights = nn::SafetensorsFile(kGolden / "pipe_sd15/model/vae/diffusion_pytorch_model.safetensors").tensors();
  weights.erase("decoder.conv_in.bias");
  nn::write_safetensors(vae, weights);
  EXPECT_THAT([&] { check_pipeline(folder); }, ThrowsMessage<nn::LoadError>(HasSubstr("missing decoder.conv_in.bias")));
  fs::copy_file(kGolden / "pipe_sd15/model/vae/diffusion_pytorch_model.safetensors", vae, fs::copy_options::overwrite_existing);
  EXPECT_NO_THROW(check_pipeline(folder));
  fs::remove_all(folder / "tokenizer");
  EXPECT_THROW(check_pipeline(folder), nn::LoadError);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kinora::models

#include "models/model_files.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "nn/load_error.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class ModelFilesTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void put(const fs::path& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  // A model of the original layout, one value in every tensor, of the names and shapes of tests/golden/original_layout.
  fs::path single(const std::string& family, const std::vector<std::string>& marks = {}) {
    std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/original_layout/" + family + ".json");
    nn::TensorMap tensors;
    const auto table = nlohmann::json::parse(in);
    for (const auto& row : table.at("original"))
      tensors.emplace(row.at(0).get<std::string>(), at::full(row.at(1).get<std::vector<std::int64_t>>(), 1, at::kByte));
    for (const auto& mark : marks) tensors.emplace(mark, at::full({}, 1, at::kByte));
    nn::write_safetensors(folder_ / (family + ".safetensors"), tensors);
    return folder_ / (family + ".safetensors");
  }

  fs::path folder_ = fs::path(testing::TempDir()) / ("model_files_" + std::to_string(::getpid()));
};

TEST_F(ModelFilesTest, a_folder_gives_its_index_configurations_and_weights) {
  put("model_index.json", R"({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
                              "safety_checker": [null, null], "feature_extractor": null, "requires_safety_checker": true})");
  put("unet/config.json", R"({"in_channels": 4})");
  put("scheduler/scheduler_config.json", R"({"_class_name": "DDIMScheduler"})");
  nn::write_safetensors(folder_ / "unet/diffusion_pytorch_model.safetensors", {{"w", at::full({1}, 1.0)}});
  nn::write_safetensors(folder_ / "unet/diffusion_pytorch_model.bf16.safetensors", {{"w", at::full({1}, 2.0)}});
  const auto files = ModelFiles::open(folder_);
  EXPECT_EQ(files.index().text("_class_name", ""), "StableDiffusionPipeline");
  EXPECT_TRUE(files.has("unet"));
  for (const char* absent : {"safety_checker", "feature_extractor", "vae", "requires_safety_checker"})
    EXPECT_FALSE(files.has(absent)) << absent;
  EXPECT_EQ(files.config("unet").integer("in_channels", 0, 0, 9), 4);
  EXPECT_EQ(files.config("scheduler").text("_class_name", ""), "DDIMScheduler");
  EXPECT_EQ(files.weights("unet").tensors.at("w").read().item<float>(), 1.0F);
  EXPECT_EQ(ModelFiles::open(folder_, "bf16").weights("unet").tensors.at("w").read().item<float>(), 2.0F);
  EXPECT_THAT([&] { files.config("vae"); }, ThrowsMessage<nn::LoadError>(HasSubstr("vae/config.json: No such file")));
}

TEST_F(ModelFilesTest, one_file_is_a_whole_model) {
  const auto files = ModelFiles::open(single("sdxl"));
  EXPECT_EQ(files.index().text("_class_name", ""), "StableDiffusionXLPipeline");
  for (const char* component : {"unet", "vae", "text_encoder", "text_encoder_2"}) {
    EXPECT_TRUE(files.has(component)) << component;
    EXPECT_FALSE(files.weights(component).tensors.empty()) << component;
  }
  EXPECT_EQ(files.config("unet").text("addition_embed_type", ""), "text_time");
  EXPECT_EQ(files.config("scheduler").text("prediction_type", ""), "epsilon");
  EXPECT_EQ(files.folder("tokenizer_2"), folder_ / "tokenizer_2");
  EXPECT_THAT([&] { files.weights("image_encoder"); }, ThrowsMessage<nn::LoadError>(HasSubstr("image_encoder: is not in the file")));
}

TEST_F(ModelFilesTest, a_file_marked_for_v_prediction_gets_such_a_schedule) {
  const auto files = ModelFiles::open(single("sdxl", {"v_pred", "ztsnr"}));
  EXPECT_EQ(files.config("scheduler").text("prediction_type", ""), "v_prediction");
  EXPECT_TRUE(files.config("scheduler").flag("rescale_betas_zero_snr", false));
}

TEST_F(ModelFilesTest, a_file_that_is_no_whole_model_is_refused) {
  nn::write_safetensors(folder_ / "lora.safetensors", {{"lora_unet_x.lora_down.weight", at::full({1}, 1.0)}});
  EXPECT_THAT([&] { ModelFiles::open(folder_ / "lora.safetensors"); },
              ThrowsMessage<nn::LoadError>(HasSubstr("is no whole model that is known")));
  EXPECT_THAT([&] { ModelFiles::open(folder_); }, ThrowsMessage<nn::LoadError>(HasSubstr("model_index.json: No such file")));
}

}  // namespace
}  // namespace kinora::models

#include "models/loose_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "models/esrgan/mix_weights.hpp"
#include "models/upscaler.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

class LooseModel : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }
  fs::path put(const std::string& golden, const std::string& as) const {
    fs::copy_file(kGolden / golden, root_ / as, fs::copy_options::overwrite_existing);
    return root_ / as;
  }
  static std::vector<std::uint8_t> run(Upscaler& upscaler) {
    std::vector<std::uint8_t> in(16 * 12 * 3), out(in.size() * static_cast<std::size_t>(upscaler.scale() * upscaler.scale()));
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 37U);
    upscaler.upscale({.data = in.data(), .type = SampleType::packed_u8, .width = 16, .height = 12}, out.data());
    return out;
  }
  fs::path root_ = fs::path(testing::TempDir()) / ("loose_model_" + std::to_string(::getpid()));
};

TEST_F(LooseModel, is_told_from_the_tensors_of_the_file) {
  const auto rrdb = describe_loose_model(put("sr_rrdb_x4/model/model.pth", "RealESRGAN_x4plus.pth"), "RealESRGAN_x4plus");
  EXPECT_EQ(rrdb.architecture, "RRDBNet");
  EXPECT_EQ(rrdb.card.scale, 4);
  EXPECT_THAT(rrdb.card.tasks, ElementsAre("video-upscale", "image-upscale"));
  EXPECT_EQ(describe_loose_model(put("sr_rrdb_x2/model/model.safetensors", "two.safetensors"), "two").card.scale, 2);
  const auto srvgg = describe_loose_model(put("sr_srvgg_x2/model/model.safetensors", "small.safetensors"), "small");
  EXPECT_EQ(srvgg.architecture, "SRVGGNetCompact");
  EXPECT_EQ(srvgg.card.scale, 2);
  const auto rife = describe_loose_model(put("rife_425/model/flownet.pkl", "flownet.pkl"), "rife-4.25");
  EXPECT_EQ(rife.architecture, "IFNet");
  EXPECT_THAT(rife.card.tasks, ElementsAre("frame-interpolation"));
}

TEST_F(LooseModel, of_the_first_layout_computes_the_same) {
  auto weights = nn::SafetensorsFile(kGolden / "sr_rrdb_x4/model/model.safetensors").tensors();
  nn::TensorMap old;
  std::int64_t blocks = 0;
  while (weights.contains("body." + std::to_string(blocks) + ".rdb1.conv1.weight")) ++blocks;
  for (const auto& [name, tensor] : weights) {
    const auto kind = name.substr(name.rfind('.'));
    const auto layer = name.substr(0, name.rfind('.'));
    std::string renamed;
    if (layer == "conv_first") renamed = "model.0";
    if (layer == "conv_body") renamed = "model.1.sub." + std::to_string(blocks);
    if (layer == "conv_up1") renamed = "model.3";
    if (layer == "conv_up2") renamed = "model.6";
    if (layer == "conv_hr") renamed = "model.8";
    if (layer == "conv_last") renamed = "model.10";
    if (renamed.empty()) {  // body.I.rdbJ.convK
      const auto dot = layer.find('.', 5);
      renamed = "model.1.sub." + layer.substr(5, dot - 5) + ".RDB" + layer.substr(dot + 4) + ".0";
    }
    old.emplace(renamed + kind, tensor);
  }
  nn::write_safetensors(root_ / "community.safetensors", old);
  const UpscalerSettings settings{.precision = Precision::fp32};
  const auto ours = load_upscaler(describe_loose_model(root_ / "community.safetensors", "community"), settings);
  const auto published = load_upscaler(describe_loose_model(put("sr_rrdb_x4/model/model.pth", "new.pth"), "new"), settings);
  EXPECT_EQ(run(*ours), run(*published));
}

TEST_F(LooseModel, of_the_general_kind_takes_its_weak_brother_for_the_denoise_strength) {
  const auto weights = nn::SafetensorsFile(kGolden / "sr_srvgg_x4/model/model.safetensors").tensors();
  nn::TensorMap weak;
  for (const auto& [name, tensor] : weights) weak.emplace(name, tensor.mul(0.5));
  nn::write_safetensors(root_ / "realesr-general-x4v3.safetensors", weights);
  nn::write_safetensors(root_ / "half.safetensors", esrgan::mix_weights(weights, weak, 0.5));
  const UpscalerSettings settings{.precision = Precision::fp32};
  const auto load = [&](const std::string& id) { return load_upscaler(describe_loose_model(root_ / (id + ".safetensors"), id), settings); };
  EXPECT_FALSE(load("realesr-general-x4v3")->set_denoise(0.5));
  EXPECT_TRUE(load("realesr-general-x4v3")->set_denoise(1));

  nn::write_safetensors(root_ / "realesr-general-wdn-x4v3.safetensors", weak);
  const auto general = load("realesr-general-x4v3");
  const auto plain = run(*general);
  EXPECT_TRUE(general->set_denoise(0));
  EXPECT_EQ(run(*general), run(*load("realesr-general-wdn-x4v3")));
  EXPECT_TRUE(general->set_denoise(0.5));
  EXPECT_EQ(run(*general), run(*load("half")));
  EXPECT_TRUE(general->set_denoise(1));
  EXPECT_EQ(run(*general), plain);
}

TEST_F(LooseModel, is_found_in_the_folder_that_it_was_published_in) {
  fs::create_directories(root_ / "rife-4.25/train_log");
  put("rife_425/model/flownet.pkl", "rife-4.25/train_log/flownet.pkl");
  std::ofstream(root_ / "rife-4.25/notes.pth") << "hello";
  const auto rife = describe_network(root_ / "rife-4.25");
  EXPECT_EQ(rife.architecture, "IFNet");
  EXPECT_EQ(rife.id, "rife-4.25");
  fs::create_directories(root_ / "esrgan");
  put("sr_rrdb_x4/model/model.pth", "esrgan/RealESRGAN_x4plus.pth");
  EXPECT_EQ(describe_network(root_ / "esrgan").card.scale, 4);
  EXPECT_EQ(describe_network(root_ / "esrgan/RealESRGAN_x4plus.pth").architecture, "RRDBNet");
  EXPECT_EQ(describe_network(fs::path(KINORA_SOURCE_DIR) / "weights/kinora-interpolator").card.license, "Apache-2.0");
  fs::create_directories(root_ / "empty");
  EXPECT_THROW(describe_network(root_ / "empty"), nn::LoadError);
}

TEST_F(LooseModel, of_another_kind_is_refused_with_what_is_known) {
  try {
    describe_loose_model(kGolden / "vae_kl/model/diffusion_pytorch_model.safetensors", "vae");
    FAIL();
  } catch (const nn::LoadError& error) {
    EXPECT_THAT(error.what(), HasSubstr("RRDBNet"));
  }
  EXPECT_THROW(describe_loose_model(root_ / "absent.pth", "absent"), nn::LoadError);
}

}  // namespace
}  // namespace kinora::models

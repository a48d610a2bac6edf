#include "models/upscaler.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "models/esrgan/srvgg_aten.hpp"
#include "models/measure.hpp"
#include "nn/load_error.hpp"
#include "nn/model_folder.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

// The golden network as a model folder, with its picture and the reference's result.
class Upscalers : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    weights_ = nn::SafetensorsFile(kGolden / GetParam() / "model/model.safetensors").tensors();
    io_ = nn::SafetensorsFile(kGolden / GetParam() / "io.safetensors").tensors();
    config_ = esrgan::infer_srvgg_config(shapes(), "golden");
    folder_ = make(weights_);
  }
  void TearDown() override { fs::remove_all(root_); }

  nn::WeightShapes shapes() const {
    nn::WeightShapes all;
    for (const auto& [name, tensor] : weights_) all.emplace(name, tensor.sizes().vec());
    return all;
  }
  nn::ModelFolder make(const nn::TensorMap& weights, const nlohmann::json& changes = nlohmann::json::object()) const {
    auto config = esrgan::to_json(config_);
    config.update(changes);
    nn::write_model_folder(
        root_ / "m", changes.value("architecture", esrgan::kSrvggArchitecture), config,
        {.name = "golden", .description = "", .tasks = {"image-upscale"}, .scale = config_.upscale, .license = "CC0-1.0", .rest = {}},
        weights);
    return nn::read_model_folder(root_ / "m");
  }
  Picture picture() const {
    const auto& image = io_.at("in.image_u8");
    return {.data = image.const_data_ptr(), .type = SampleType::packed_u8, .width = image.size(1), .height = image.size(0)};
  }
  std::vector<std::uint8_t> run(const UpscalerSettings& settings) const {
    const auto upscaler = load_upscaler(folder_, settings);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(io_.at("out.image_u8").numel()));
    upscaler->upscale(picture(), out.data());
    return out;
  }
  // Largest difference to the reference's 8-bit picture (stored as [1, 3, H, W]).
  int farthest(const std::vector<std::uint8_t>& out) const {
    const auto theirs = io_.at("out.image_u8").permute({0, 2, 3, 1}).contiguous();
    const auto* expected = static_cast<const std::uint8_t*>(theirs.const_data_ptr());
    int worst = 0;
    for (std::size_t i = 0; i < out.size(); ++i) worst = std::max(worst, std::abs(int{out[i]} - int{expected[i]}));
    return worst;
  }

  fs::path root_ = fs::path(testing::TempDir()) / ("upscalers_" + std::to_string(::getpid()));
  nn::TensorMap weights_, io_;
  esrgan::SrvggConfig config_;
  nn::ModelFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Golden, Upscalers, testing::Values("sr_srvgg_x2", "sr_srvgg_x4"));

TEST_P(Upscalers, gives_the_references_picture) { EXPECT_LE(farthest(run({.precision = Precision::fp32})), 1); }

TEST_P(Upscalers, gives_it_in_tiles_too) {
  EXPECT_EQ(run({.precision = Precision::fp32, .memory_bytes = 1}), run({.precision = Precision::fp32}));
}

TEST_P(Upscalers, asks_its_watch_between_tiles_and_stops_when_told) {
  const auto upscaler = load_upscaler(folder_, {.precision = Precision::fp32, .memory_bytes = 100'000});
  std::vector<std::uint8_t> out(static_cast<std::size_t>(io_.at("out.image_u8").numel()));
  std::vector<double> fractions;
  upscaler->upscale(picture(), out.data(), [&](double fraction) {
    fractions.push_back(fraction);
    return true;
  });
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  ASSERT_FALSE(fractions.empty());
  EXPECT_DOUBLE_EQ(fractions.back(), 1.0);
  EXPECT_THROW(upscaler->upscale(picture(), out.data(), [](double) { return false; }), Stopped);
}

TEST_P(Upscalers, chooses_by_measuring_and_tells_what_it_found) {
  EXPECT_LE(farthest(run({})), 1);
  const auto story = load_upscaler(folder_, {})->description();
  EXPECT_THAT(story, HasSubstr("SRVGGNetCompact"));
  EXPECT_THAT(story, HasSubstr("ms"));
}

TEST_P(Upscalers, gives_sixteen_bit_pictures_with_sixteen_bit_steps) {
  const auto in = picture();
  const auto* packed = static_cast<const std::uint8_t*>(in.data);
  const auto pixels = static_cast<std::size_t>(in.width * in.height);
  std::vector<std::uint16_t> planar(3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) planar[c * pixels + i] = static_cast<std::uint16_t>(packed[3 * i + c] * 257);
  const auto s = static_cast<std::size_t>(config_.upscale);
  std::vector<std::uint16_t> out(planar.size() * s * s);
  load_upscaler(folder_, {.precision = Precision::fp32})
      ->upscale({.data = planar.data(), .type = SampleType::planar_u16, .width = in.width, .height = in.height}, out.data());
  const auto& y = io_.at("out.y");
  const auto* expected = static_cast<const float*>(y.const_data_ptr());
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], std::clamp(expected[i], 0.0F, 1.0F) * 65535.0F, 0.5 + 65535 * 1e-5) << i;
}

TEST_P(Upscalers, refuses_an_output_that_is_not_finite) {
  auto weights = weights_;
  weights["body.0.bias"] = at::full(weights["body.0.bias"].sizes(), 3e38);
  weights["body.2.weight"] = at::full(weights["body.2.weight"].sizes(), 3e38);
  const auto upscaler = load_upscaler(make(weights), {.precision = Precision::fp32});
  std::vector<std::uint8_t> out(static_cast<std::size_t>(io_.at("out.image_u8").numel()));
  EXPECT_THROW(upscaler->upscale(picture(), out.data()), NotFinite);
}

TEST_P(Upscalers, refuses_other_architectures_devices_and_inconsistent_folders) {
  const auto refusal = [](const nn::ModelFolder& folder, const UpscalerSettings& settings = {}) -> std::string {
    try {
      load_upscaler(folder, settings);
    } catch (const nn::LoadError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(make(weights_, {{"architecture", "Other"}})), HasSubstr("\"Other\" is not known"));
  EXPECT_THAT(refusal(make(weights_, {{"num_feat", 1025}})), HasSubstr("num_feat: must be a whole number from 1 to 1024"));
  EXPECT_THAT(refusal(make(weights_, {{"num_feat", "x"}})), HasSubstr("num_feat"));
  EXPECT_THAT(refusal(make(weights_, {{"num_conv", 1}})), HasSubstr("weights do not fit"));
  EXPECT_THAT(refusal(make(weights_, {{"upscale", 3}})), HasSubstr("scale: differs from the network's 3"));
  EXPECT_THAT(refusal(make(weights_, {{"act_type", "gelu"}})), HasSubstr("act_type"));
  EXPECT_THAT(refusal(folder_, {.device = "tpu"}), HasSubstr("not a device"));
  EXPECT_THAT(refusal(folder_, {.device = "cuda:99"}), HasSubstr("cuda:99"));
}

// A way that is fast and wrong must lose.
class Fixed final : public Upscaler {
 public:
  Fixed(int level, int cost) : level_(level), cost_(cost) {}
  std::int64_t scale() const override { return 1; }
  std::string description() const override { return "level " + std::to_string(level_); }
  using Upscaler::upscale;
  void upscale(const Picture& in, void* out, const Watch&) override {
    auto* samples = static_cast<std::uint16_t*>(out);
    for (int repeat = 0; repeat < cost_; ++repeat)
      for (std::int64_t i = 0; i < 3 * in.width * in.height; ++i) samples[i] = static_cast<std::uint16_t>(level_ + (samples[i] & 0));
  }

 private:
  int level_, cost_;
};

TEST(ChooseFastest, takes_the_fastest_of_those_that_agree_with_the_first) {
  const auto way = [](int level, int cost) { return [=] { return std::make_unique<Fixed>(level, cost); }; };
  const auto choice = choose_fastest("test", {way(30000, 40), way(30010, 4), way(40000, 1)});
  EXPECT_EQ(choice.index, 1U);
  ASSERT_EQ(choice.measured.size(), 3U);
  EXPECT_EQ(choice.measured[0].psnr, 100.0);
  EXPECT_NEAR(choice.measured[1].psnr, 76.33, 0.01);  // 20 log10(65535 / 10)
  EXPECT_LT(choice.measured[2].psnr, kMinPsnr);
  // Kept for the process: the second call does not run anything.
  EXPECT_EQ(choose_fastest("test", {}).index, 1U);
}

}  // namespace
}  // namespace kinora::models

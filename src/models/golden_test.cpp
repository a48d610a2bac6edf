// Runs every case of the golden folder (KINORA_GOLDEN_DIR, default tests/golden) whose reference class this room implements and
// compares with the stored results at the stored tolerance. Classes that it does not implement are named and counted.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sub.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "models/esrgan/srvgg.hpp"
#include "models/tiles.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;

struct Case {
  fs::path folder;
  nlohmann::json description;
  nn::TensorMap io;
  nn::TensorMap weights;
};

fs::path golden_dir() {
  const char* given = std::getenv("KINORA_GOLDEN_DIR");
  return given != nullptr ? fs::path(given) : fs::path(KINORA_SOURCE_DIR) / "tests/golden";
}

// README of the golden data: |a - b| <= atol + rtol |b| for every element, b stored.
void expect_close(const Case& test, const std::string& output, const at::Tensor& ours) {
  const at::Tensor theirs = test.io.at(output);
  const auto& tolerance = test.description.at("outputs").at(output).at("tolerance");
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << output;
  const auto limit = theirs.abs().mul(tolerance.at("rtol").get<double>()).add(tolerance.at("atol").get<double>());
  const auto excess = at::abs(at::sub(ours, theirs)).sub(limit).max().item<float>();
  EXPECT_LE(excess, 0.0F) << test.folder.filename() << " " << output;
}

at::Tensor tiled(const esrgan::SrvggConfig& config, const Case& test, const at::Tensor& x) {
  const auto size = test.description.at("tile").at("tile").get<std::int64_t>();
  const auto context = test.description.at("tile").at("tile_pad").get<std::int64_t>();
  const std::int64_t s = config.upscale, width = x.size(3), height = x.size(2);
  at::Tensor whole = at::empty({1, config.num_out_ch, height * s, width * s});
  for (const Tile& t : plan_tiles(width, height, size, size, context)) {
    const auto y = esrgan::srvgg_forward(config, test.weights, x.slice(2, t.y0, t.y1).slice(3, t.x0, t.x1));
    const auto kept = y.slice(2, (t.keep_y0 - t.y0) * s, (t.keep_y1 - t.y0) * s).slice(3, (t.keep_x0 - t.x0) * s, (t.keep_x1 - t.x0) * s);
    whole.slice(2, t.keep_y0 * s, t.keep_y1 * s).slice(3, t.keep_x0 * s, t.keep_x1 * s).copy_(kept);
  }
  return whole;
}

void run_srvgg(const Case& test) {
  nn::WeightShapes shapes;
  for (const auto& [name, tensor] : test.weights) shapes.emplace(name, tensor.sizes().vec());
  const auto config = esrgan::infer_srvgg_config(shapes, "golden");
  EXPECT_EQ(config.upscale, test.description.at("scale"));
  EXPECT_EQ(esrgan::srvgg_shapes(config), shapes);

  const auto x = test.io.at("in.image_u8").permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div(255);
  const auto y = esrgan::srvgg_forward(config, test.weights, x);
  expect_close(test, "out.y", y);
  expect_close(test, "out.y", esrgan::srvgg_forward(config, test.weights, x.contiguous(at::MemoryFormat::ChannelsLast)));
  if (test.io.contains("out.y_tiled")) expect_close(test, "out.y_tiled", tiled(config, test, x));

  // Rounding half to even; only where y * 255 lies within the tolerance of a half may a value differ, by one level.
  const auto pixels = at::round(at::clamp(y, 0, 1).mul(255));
  const auto off = at::abs(at::sub(pixels, test.io.at("out.image_u8").to(at::kFloat)));
  EXPECT_LE(off.max().item<float>(), 1.0F);
  EXPECT_LE(off.sum().item<float>(), 1e-4F * static_cast<float>(off.numel()));
}

const std::map<std::string, std::function<void(const Case&)>>& families() {
  static const std::map<std::string, std::function<void(const Case&)>> table{{"SRVGGNetCompact", run_srvgg}};
  return table;
}

TEST(Golden, every_case_of_a_known_family_is_met) {
  const c10::InferenceMode inference;
  std::map<std::string, int> unknown;
  int ran = 0;
  for (const auto& entry : fs::directory_iterator(golden_dir())) {
    std::ifstream in(entry.path() / "case.json");
    if (!in) continue;
    Case test{.folder = entry.path(), .description = nlohmann::json::parse(in), .io = {}, .weights = {}};
    const auto family = test.description.at("reference").at("class").get<std::string>();
    const auto known = families().find(family);
    if (known == families().end()) {
      ++unknown[family];
      continue;
    }
    test.io = nn::SafetensorsFile(test.folder / "io.safetensors").tensors();
    test.weights = nn::SafetensorsFile(test.folder / test.description.at("model_dir").get<std::string>() / "model.safetensors").tensors();
    SCOPED_TRACE(test.folder.string());
    known->second(test);
    ++ran;
  }
  for (const auto& [family, count] : unknown) std::printf("not implemented: %s (%d)\n", family.c_str(), count);
  std::printf("golden cases met: %d\n", ran);
  EXPECT_GE(ran, 2);
}

}  // namespace
}  // namespace kinora::models

// SRVGG against the reference's results, whole and in tiles.
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sub.h>
#include <gtest/gtest.h>

#include "models/esrgan/srvgg.hpp"
#include "models/golden/golden_case.hpp"
#include "models/tiles.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models::esrgan {
namespace {

at::Tensor tiled(const SrvggConfig& config, const golden::Case& test, const nn::TensorMap& weights, const at::Tensor& x) {
  const auto size = test.json().at("tile").at("tile").get<std::int64_t>();
  const auto context = test.json().at("tile").at("tile_pad").get<std::int64_t>();
  const std::int64_t s = config.upscale, width = x.size(3), height = x.size(2);
  at::Tensor whole = at::empty({1, config.num_out_ch, height * s, width * s});
  for (const Tile& t : plan_tiles(width, height, size, size, context)) {
    const auto y = srvgg_forward(config, weights, x.slice(2, t.y0, t.y1).slice(3, t.x0, t.x1));
    const auto kept = y.slice(2, (t.keep_y0 - t.y0) * s, (t.keep_y1 - t.y0) * s).slice(3, (t.keep_x0 - t.x0) * s, (t.keep_x1 - t.x0) * s);
    whole.slice(2, t.keep_y0 * s, t.keep_y1 * s).slice(3, t.keep_x0 * s, t.keep_x1 * s).copy_(kept);
  }
  return whole;
}

void run(const golden::Case& test) {
  const auto weights = nn::SafetensorsFile(test.model_dir() / "model.safetensors").tensors();
  nn::WeightShapes shapes;
  for (const auto& [name, tensor] : weights) shapes.emplace(name, tensor.sizes().vec());
  const auto config = infer_srvgg_config(shapes, "golden");
  EXPECT_EQ(config.upscale, test.json().at("scale"));
  EXPECT_EQ(srvgg_shapes(config), shapes);

  const auto x = test.input("image_u8").permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div(255);
  const auto y = srvgg_forward(config, weights, x);
  test.expect_close("y", y);
  test.expect_close("y", srvgg_forward(config, weights, x.contiguous(at::MemoryFormat::ChannelsLast)));
  if (test.has_output("y_tiled")) test.expect_close("y_tiled", tiled(config, test, weights, x));

  // Rounding half to even; only where y * 255 lies within the tolerance of a half may a value differ, by one level.
  const auto pixels = at::round(at::clamp(y, 0, 1).mul(255));
  const auto off = at::abs(at::sub(pixels, test.output("image_u8").to(at::kFloat)));
  EXPECT_LE(off.max().item<float>(), 1.0F);
  EXPECT_LE(off.sum().item<float>(), 1e-4F * static_cast<float>(off.numel()));
}

const golden::Register registered{"SRVGGNetCompact", run};

}  // namespace
}  // namespace kinora::models::esrgan

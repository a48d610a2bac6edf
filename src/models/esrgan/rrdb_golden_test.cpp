// RRDBNet against the reference's results, whole and in tiles.
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sub.h>
#include <gtest/gtest.h>

#include "models/esrgan/rrdb.hpp"
#include "models/esrgan/rrdb_names.hpp"
#include "models/golden/golden_case.hpp"
#include "models/tiles.hpp"

namespace kinora::models::esrgan {
namespace {

namespace fs = std::filesystem;

// Of the network's output, whose magnitude is about one: the largest of the cases.
constexpr double kTolerance = 6e-5;

RrdbNet load(const fs::path& file, bool channels_last) {
  const auto checkpoint = with_rrdb_names(nn::open_checkpoint(file));
  nn::WeightLoad weights(checkpoint, {.dtype = at::kFloat, .channels_last = channels_last});
  RrdbNet net(infer_rrdb_config(checkpoint.shapes(), file.string()), weights.root());
  weights.finish();
  return net;
}

at::Tensor tiled(const RrdbNet& net, const golden::Case& test, const at::Tensor& x) {
  const auto size = test.json().at("tile").at("tile").get<std::int64_t>();
  const auto context = test.json().at("tile").at("tile_pad").get<std::int64_t>();
  const std::int64_t s = net.config().scale();
  at::Tensor whole = at::empty({1, x.size(1), x.size(2) * s, x.size(3) * s});
  for (const Tile& t : plan_tiles(x.size(3), x.size(2), size, size, context)) {
    const auto y = net.forward_any(x.slice(2, t.y0, t.y1).slice(3, t.x0, t.x1));
    const auto kept = y.slice(2, (t.keep_y0 - t.y0) * s, (t.keep_y1 - t.y0) * s).slice(3, (t.keep_x0 - t.x0) * s, (t.keep_x1 - t.x0) * s);
    whole.slice(2, t.keep_y0 * s, t.keep_y1 * s).slice(3, t.keep_x0 * s, t.keep_x1 * s).copy_(kept);
  }
  return whole;
}

void check(const golden::Case& test, const RrdbNet& net, at::MemoryFormat order) {
  EXPECT_EQ(net.config().scale(), test.json().at("scale"));
  for (int set = 0; set < test.sets(); ++set) {
    const auto x = test.input("image_u8", set).permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div(255).contiguous(order);
    const auto y = net.forward_any(x);
    test.expect_close("y", set, y);
    if (test.has_output("y_tiled", set)) test.expect_close("y_tiled", set, tiled(net, test, x));
    // Rounding half to even: a value may differ, by one level, only where the reference's lies within the tolerance of a half.
    const auto theirs = at::clamp(test.output("y", set), 0, 1).mul(255), pixels = at::round(at::clamp(y, 0, 1).mul(255));
    const auto off = at::abs(at::sub(pixels, test.output("image_u8", set).to(at::kFloat)));
    const auto from_half = at::abs(at::sub(at::sub(theirs, at::floor(theirs)), 0.5));
    EXPECT_LE(off.max().item<float>(), 1.0F);
    EXPECT_FALSE(at::logical_and(at::gt(off, 0), at::gt(from_half, 255 * kTolerance)).any().item<bool>());
  }
}

void run(const golden::Case& test) {
  for (const char* name : {"model.safetensors", "model.pth"}) {
    if (!fs::exists(test.model_dir() / name)) continue;
    SCOPED_TRACE(name);
    check(test, load(test.model_dir() / name, false), at::MemoryFormat::Contiguous);
    check(test, load(test.model_dir() / name, true), at::MemoryFormat::ChannelsLast);
  }
}

const golden::Register registered{"RRDBNet", run};

}  // namespace
}  // namespace kinora::models::esrgan

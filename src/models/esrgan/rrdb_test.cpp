#include "models/esrgan/rrdb.hpp"

#include <ATen/Context.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/esrgan/mix_weights.hpp"
#include "models/esrgan/rrdb_aten.hpp"
#include "models/esrgan/rrdb_names.hpp"
#include "models/tiles.hpp"
#include "nn/load_error.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models::esrgan {
namespace {

using testing::HasSubstr;
const std::filesystem::path kGolden = std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden";

std::int64_t parameters(const RrdbConfig& config) {
  std::int64_t sum = 0;
  for (const auto& [name, shape] : rrdb_shapes(config)) {
    std::int64_t size = 1;
    for (const auto side : shape) size *= side;
    sum += size;
  }
  return sum;
}

// The counts that the architecture's authors' files have.
TEST(Rrdb, has_the_published_networks_parameter_counts) {
  EXPECT_EQ(parameters({}), 16'697'987);
  EXPECT_EQ(parameters({.unshuffle = 2}), 16'703'171);
  EXPECT_EQ(parameters({.num_block = 6}), 4'467'779);
}

TEST(Rrdb, counts_the_published_networks_work) {
  EXPECT_EQ(RrdbConfig{}.macs_per_pixel(), 17'926'848);
  EXPECT_EQ(RrdbConfig{.num_block = 6}.macs_per_pixel(), 5'706'432);
}

TEST(Rrdb, reads_its_sizes_back_from_the_shapes) {
  for (const RrdbConfig& config : {RrdbConfig{}, RrdbConfig{.unshuffle = 2}, RrdbConfig{.unshuffle = 4, .num_block = 6},
                                   RrdbConfig{.num_feat = 32, .num_block = 2, .num_grow_ch = 16, .upsamplings = 1}}) {
    EXPECT_EQ(infer_rrdb_config(rrdb_shapes(config), "x.pth"), config);
  }
  EXPECT_EQ((RrdbConfig{.unshuffle = 4}.scale()), 1);
}

TEST(Rrdb, refuses_shapes_of_another_network) {
  auto shapes = rrdb_shapes({.num_block = 1});
  shapes["conv_first.weight"] = {64, 5, 3, 3};
  EXPECT_THROW(infer_rrdb_config(shapes, "x.pth"), nn::LoadError);
  shapes.erase("conv_first.weight");
  try {
    infer_rrdb_config(shapes, "x.pth");
    FAIL();
  } catch (const nn::LoadError& error) {
    EXPECT_THAT(error.what(), HasSubstr("conv_first.weight"));
  }
}

// Names as in the files of the first ESRGAN release (two doublings, 23 blocks) and of community models of other scales.
TEST(Rrdb, knows_the_names_of_the_first_layout) {
  const auto renames = rrdb_renames({"model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight", "model.1.sub.22.RDB3.conv5.0.bias",
                                     "model.1.sub.23.weight", "model.3.weight", "model.6.bias", "model.8.weight", "model.10.weight"});
  EXPECT_EQ(renames.at("model.0.weight"), "conv_first.weight");
  EXPECT_EQ(renames.at("model.1.sub.0.RDB1.conv1.0.weight"), "body.0.rdb1.conv1.weight");
  EXPECT_EQ(renames.at("model.1.sub.22.RDB3.conv5.0.bias"), "body.22.rdb3.conv5.bias");
  EXPECT_EQ(renames.at("model.1.sub.23.weight"), "conv_body.weight");
  EXPECT_EQ(renames.at("model.3.weight"), "conv_up1.weight");
  EXPECT_EQ(renames.at("model.6.bias"), "conv_up2.bias");
  EXPECT_EQ(renames.at("model.8.weight"), "conv_hr.weight");
  EXPECT_EQ(renames.at("model.10.weight"), "conv_last.weight");
  // One doubling: model.3, then 5 and 7. None: 2 and 4.
  const auto twice = rrdb_renames({"model.1.sub.6.weight", "model.3.weight", "model.5.weight", "model.7.weight"});
  EXPECT_EQ(twice.at("model.3.weight"), "conv_up1.weight");
  EXPECT_EQ(twice.at("model.5.weight"), "conv_hr.weight");
  EXPECT_EQ(twice.at("model.7.weight"), "conv_last.weight");
}

TEST(Rrdb, knows_the_names_of_the_second_layout) {
  const auto renames =
      rrdb_renames({"RRDB_trunk.3.RDB2.conv4.weight", "trunk_conv.bias", "upconv2.weight", "HRconv.weight", "conv_last.weight"});
  EXPECT_EQ(renames.at("RRDB_trunk.3.RDB2.conv4.weight"), "body.3.rdb2.conv4.weight");
  EXPECT_EQ(renames.at("trunk_conv.bias"), "conv_body.bias");
  EXPECT_EQ(renames.at("upconv2.weight"), "conv_up2.weight");
  EXPECT_EQ(renames.at("HRconv.weight"), "conv_hr.weight");
  EXPECT_FALSE(renames.contains("conv_last.weight"));
}

class RrdbTiles : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Golden, RrdbTiles, testing::Values("sr_rrdb_x2", "sr_rrdb_x4"));

// 16-bit samples of any size, down to one pixel; the smallest memory there is gives tiles of one unshuffle step.
TEST_P(RrdbTiles, give_the_whole_picture_within_a_small_error_and_any_size_works) {
  const auto weights = nn::SafetensorsFile(kGolden / GetParam() / "model/model.safetensors").tensors();
  nn::WeightShapes shapes;
  for (const auto& [name, tensor] : weights) shapes.emplace(name, tensor.sizes().vec());
  const auto config = infer_rrdb_config(shapes, "golden");
  RrdbAten whole(config, weights, c10::kCPU, at::kFloat, 1ULL << 30), tiled(config, weights, c10::kCPU, at::kFloat, 1);
  for (const auto& [width, height] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {3, 2}, {19, 11}}) {
    std::vector<std::uint16_t> in(static_cast<std::size_t>(3 * width * height));
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint16_t>(i * 40503U);
    const Picture picture{.data = in.data(), .type = SampleType::planar_u16, .width = width, .height = height};
    std::vector<std::uint16_t> a(in.size() * static_cast<std::size_t>(whole.scale() * whole.scale())), b(a.size());
    whole.upscale(picture, a.data());
    tiled.upscale(picture, b.data());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1);
  }
}

// A network as deep as the published one (an output pixel could see 349 pixels on each side) with weights as large as training starts with:
// what lies beyond the tiles' context changes less than the tolerance of the golden cases, so tiles need no blending. Without context they
// do.
TEST(Rrdb, sees_so_little_beyond_the_context_of_its_tiles_that_no_seam_shows) {
  constexpr double kTolerance = 6e-5;  // of rrdb_golden_test.cpp, of the output's magnitude
  at::manual_seed(1);
  const RrdbConfig config{.num_feat = 8, .num_block = 23, .num_grow_ch = 4};
  nn::TensorMap weights;
  for (const auto& [name, shape] : rrdb_shapes(config)) {
    const double fan_in = shape.size() == 4 ? static_cast<double>(9 * shape[1]) : 1e4;
    weights.emplace(name, at::randn(shape).mul(std::sqrt(2 / fan_in)));
  }
  nn::WeightLoad load(weights, {}, "random");
  const RrdbNet net(config, load.root());
  constexpr std::int64_t kWidth = 150, kHeight = 20, kTile = 70;
  const auto x = at::rand({1, 3, kHeight, kWidth}), whole = net.forward_any(x);
  const auto furthest = [&](std::int64_t context) {
    double most = 0;
    for (const Tile& t : plan_tiles(kWidth, kHeight, kTile, kTile, context)) {
      const auto tile = net.forward_any(x.slice(2, t.y0, t.y1).slice(3, t.x0, t.x1));
      const auto kept =
          tile.slice(2, (t.keep_y0 - t.y0) * 4, (t.keep_y1 - t.y0) * 4).slice(3, (t.keep_x0 - t.x0) * 4, (t.keep_x1 - t.x0) * 4);
      const auto same = whole.slice(2, t.keep_y0 * 4, t.keep_y1 * 4).slice(3, t.keep_x0 * 4, t.keep_x1 * 4);
      most = std::max(most, kept.sub(same).abs().max().item<double>());
    }
    return most / whole.abs().max().item<double>();
  };
  EXPECT_LT(furthest(kRrdbContext), kTolerance);
  EXPECT_GT(furthest(0), 100 * kTolerance);
}

TEST(MixWeights, lie_on_the_line_between_the_two) {
  const auto a = at::rand({3, 2}), b = at::rand({3, 2});
  const auto mixed = mix_weights({{"w", a}}, {{"w", b}}, 0.25);
  EXPECT_LT(mixed.at("w").sub(a.mul(0.25).add(b.mul(0.75))).abs().max().item<float>(), 1e-6F);
  EXPECT_THROW(mix_weights({{"w", a}}, {{"v", b}}, 0.5), std::out_of_range);
}

}  // namespace
}  // namespace kinora::models::esrgan

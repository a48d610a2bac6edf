// The weights of blocks on a device a few at a time; the CPU stands for the device, whose bytes are those of handles with memory.
#include "models/diffusion/block_window.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "models/diffusion/component.hpp"
#include "models/diffusion/test_videos.hpp"
#include "models/loaded.hpp"
#include "models/pipeline.hpp"
#include "models/wan/transformer.hpp"
#include "nn/layers.hpp"

namespace kinora::models::diffusion {
namespace {

namespace fs = std::filesystem;
const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

// Bytes of the weights with memory, of blocks and of the rest.
struct OnDevice {
  std::uint64_t blocks = 0, rest = 0;
};
OnDevice on_device(const nn::Parameters& parameters, std::string_view prefix) {
  OnDevice found;
  for (const auto& [name, weight] : parameters)
    if (!weight.is_meta()) (block_of(name, prefix) ? found.blocks : found.rest) += weight.nbytes();
  return found;
}

// Seven layers that follow each other, 8x8 bfloat16 each; used in float32.
struct Chain {
  explicit Chain(const nn::Weights& w) {
    for (std::int64_t i = 0; i < 7; ++i) layers.emplace_back(w / "blocks" / i, 8, 8, nn::Bias::no);
  }
  at::Tensor operator()(at::Tensor x, BlockWindow* window) const {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (window != nullptr) window->enter(i);
      x = layers[i](x);
    }
    return x;
  }
  std::vector<nn::Linear> layers;
};

class Windows : public ::testing::Test {
 protected:
  Windows() {
    for (int i = 0; i < 7; ++i) tensors.emplace("blocks." + std::to_string(i) + ".weight", at::randn({8, 8}).to(at::kBFloat16));
  }
  static constexpr std::uint64_t kBlock = 8 * 8 * 4;
  c10::InferenceMode inference;
  nn::TensorMap tensors;
};

TEST_F(Windows, a_few_blocks_are_there_at_a_time_and_the_result_is_the_same) {
  nn::WeightLoad whole_load(tensors, {.device = c10::kCPU, .dtype = at::kFloat}, "chain");
  const Chain whole(whole_load.root());
  nn::WeightLoad load(tensors, {.device = c10::kCPU, .dtype = at::kFloat, .staged = "blocks."}, "chain");
  const Chain chain(load.root());
  const auto parameters = load.finish();
  BlockWindow window(parameters, load.staged(), "blocks.", c10::kCPU);
  EXPECT_EQ(window.bytes(), 7 * kBlock);
  EXPECT_EQ(window.most_bytes(), BlockWindow::kBlocks * kBlock);
  EXPECT_EQ(on_device(parameters, "blocks.").blocks, 0U);
  const auto x = at::randn({3, 8});
  for (int pass = 0; pass < 2; ++pass) EXPECT_TRUE(chain(x, &window).equal(whole(x, nullptr)));
  for (std::size_t i = 0; i < 7; ++i) {
    window.enter(i);
    EXPECT_FALSE(chain.layers[i].weight.is_meta());
    EXPECT_FALSE(chain.layers[(i + 1) % 7].weight.is_meta());  // the next one is on its way
    EXPECT_EQ(on_device(parameters, "blocks.").blocks, 2 * kBlock);
  }
  window.leave();
  EXPECT_EQ(on_device(parameters, "blocks.").blocks, 0U);
}

TEST_F(Windows, only_numbered_weights_behind_the_prefix_are_of_blocks) {
  EXPECT_EQ(block_of("blocks.12.attn1.to_q.weight", "blocks."), 12U);
  for (const char* other : {"blocks.weight", "blocks.x.weight", "blocks.3", "transformer_blocks.3.weight", ""})
    EXPECT_FALSE(block_of(other, "blocks.")) << other;
  EXPECT_FALSE(block_of("blocks.3.weight", ""));
}

TEST_F(Windows, the_least_is_what_is_no_block_and_the_window) {
  tensors.emplace("head", at::full({5}, 1.0F));
  const auto checkpoint = nn::make_checkpoint(tensors, "chain");
  EXPECT_EQ(least_bytes(checkpoint, "blocks."), 5 * 4 + BlockWindow::kBlocks * 8 * 8 * 2);
  EXPECT_EQ(least_bytes(checkpoint, ""), 5 * 4 + 7 * 8 * 8 * 2U);
}

// down = ones, up = ones: adds its scale to every weight of block 2.
lora::AdapterUse plus(double scale) {
  const nn::TensorMap file{{"transformer.blocks.2.lora_A.weight", at::full({1, 8}, 1.0)},
                           {"transformer.blocks.2.lora_B.weight", at::full({8, 1}, 1.0)}};
  return {.file = std::make_shared<const lora::AdapterFile>(lora::read_adapter(nn::make_checkpoint(file, "plus.safetensors"))),
          .scale = scale};
}

TEST_F(Windows, adapters_are_on_the_blocks_that_come_and_go) {
  nn::WeightLoad load(tensors, {.device = c10::kCPU, .dtype = at::kFloat, .staged = "blocks."}, "chain");
  const Chain chain(load.root());
  auto parameters = load.finish();
  Components components(c10::kCPU, Residency::block_by_block);
  const auto before = components.add("transformer", parameters, c10::kCPU, load.staged(), "blocks.");
  ASSERT_TRUE(before);
  const auto base = tensors.at("blocks.2.weight").to(at::kFloat);
  const auto comes_as = [&] {
    EXPECT_EQ(on_device(parameters, "blocks.").blocks, 0U);
    before(2);
    const auto weight = chain.layers[2].weight.clone();
    components.to_host();
    return weight;
  };
  components.adapt({plus(0.5)});
  EXPECT_TRUE(comes_as().equal(base.add(0.5)));
  components.adapt({plus(-2)});
  EXPECT_TRUE(comes_as().equal(base.sub(2)));
  components.adapt({});
  EXPECT_TRUE(comes_as().equal(base));
  EXPECT_EQ(components.states().front().bytes, 7 * kBlock);
  EXPECT_EQ(components.states().front().most, BlockWindow::kBlocks * kBlock);
}

TEST(PackedBlocks, come_as_they_are_stored_and_with_adapters_on_them_as_numbers) {
  const c10::InferenceMode inference;
  const auto stored = nn::open_checkpoint(kGolden / "gguf_types/types.gguf").tensors.at("q8_0");  // [3, 512]
  const nn::TensorMap ones{{"transformer.blocks.2.lora_A.weight", at::full({1, 512}, 1.0)},
                           {"transformer.blocks.2.lora_B.weight", at::full({3, 1}, 1.0)}};
  const auto file = std::make_shared<const lora::AdapterFile>(lora::read_adapter(nn::make_checkpoint(ones, "ones.safetensors")));
  for (const auto residency : {Residency::whole, Residency::block_by_block}) {
    nn::Placement placement{.device = c10::kCPU, .dtype = at::kFloat};
    if (residency == Residency::block_by_block) placement.staged = "blocks.";
    nn::WeightLoad load(nn::Checkpoint{.file = "f", .tensors = {{"blocks.2.weight", stored}}, .metadata = {}}, placement);
    const nn::Linear layer(load.root() / "blocks" / 2, 512, 3, nn::Bias::no);
    Components components(c10::kCPU, residency);
    auto parameters = load.finish();
    const auto before = components.add("transformer", std::move(parameters), c10::kCPU, load.staged(), "blocks.");
    const auto weight = [&] {
      if (before) before(2);
      return layer.weight;
    };
    EXPECT_TRUE(weight().equal(stored.packed()));
    components.adapt({{.file = file, .scale = 0.5}});
    EXPECT_TRUE(weight().equal(stored.read().add(0.5)));
    components.adapt({{.file = file, .scale = -1}});
    EXPECT_TRUE(weight().equal(stored.read().sub(1)));
    components.adapt({});
    EXPECT_TRUE(weight().equal(stored.packed()));
    EXPECT_EQ(components.unpacked_bytes(at::kBFloat16), 3 * 512 * (4 + 2));
  }
}

// Every golden pipeline of Wan and LTX-Video, with the same request.
class BlockByBlock : public ::testing::TestWithParam<const char*> {};

TEST_P(BlockByBlock, a_pipeline_makes_the_same_video) {
  const auto folder = testing::golden_model(GetParam());
  const auto request = testing::small_video(folder);
  const auto whole = load_pipeline(folder)->run(request);
  const auto blocks = load_pipeline(folder, {.residency = Residency::block_by_block})->run(request);
  EXPECT_LE(testing::worst_difference(blocks, whole),
            1);  // products round by how memory is aligned, and weights in a mapped file lie anywhere
}
INSTANTIATE_TEST_SUITE_P(Golden, BlockByBlock, ::testing::ValuesIn(testing::kGoldenVideos),
                         [](const auto& info) { return std::string(info.param); });

TEST(BlockByBlock, a_transformer_holds_the_bytes_of_its_window_and_no_more) {
  const c10::InferenceMode inference;
  const auto folder = kGolden / "pipe_wan21_t2v_file";
  const auto parts =
      load_pipeline(folder / "wan_t2v.safetensors",
                    {.residency = Residency::block_by_block, .companions = {folder / "wan_vae.safetensors", folder / "umt5.safetensors"}})
          ->components();
  for (const auto& part : parts) EXPECT_LE(part.most, part.bytes) << part.name;
  const auto model = load_component<wan::Transformer, wan::TransformerConfig>(kGolden / "wan_t2v/model", {.staged = "blocks."});
  BlockWindow window(model.parameters, model.staged, "blocks.", c10::kCPU);
  std::uint64_t most = 0;
  const auto before = [&](std::size_t block) {
    window.enter(block);
    most = std::max(most, on_device(model.parameters, "blocks.").blocks);
  };
  const auto& c = model.model->config();
  const auto context = model.model->context(at::randn({1, 5, c.text_width}), {}, std::nullopt, before);
  model.model->forward(at::randn({1, c.in_channels, 2, 4, 6}), at::full({1}, 500), context, nullptr, before);
  EXPECT_GT(most, 0U);
  EXPECT_LE(most, window.most_bytes());
  EXPECT_GT(on_device(model.parameters, "blocks.").rest, 0U);
}

}  // namespace
}  // namespace kinora::models::diffusion

#pragma once
// The hourglass that all these networks share: levels downwards, a middle, levels upwards that also receive what the levels downwards
// gave. What a layer is (resnet, attention, motion module, spatial and temporal halves) is the network's own matter.
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "models/unet/sampling.hpp"
#include "nn/weights.hpp"

namespace kinora::models::unet {

// What every layer of a forward pass is given.
struct LayerInputs {
  at::Tensor time;          // act(time embedding) [T, time width]; each row for B / T consecutive pictures
  at::Tensor context;       // [C, S, width]; each row for B / C consecutive pictures
  std::int64_t videos = 1;  // of which the B pictures are the frames, one video after another
};

enum class Section { down, mid, up };

struct LayerPlace {
  Section section = Section::down;
  std::size_t level = 0;   // 0: full size
  std::int64_t index = 0;  // within its block
  std::int64_t in = 0, out = 0;
  bool attention = false;
};

struct BodyPlan {
  std::vector<std::int64_t> channels, layers;      // of each level, from full size down
  std::vector<bool> down_attention, up_attention;  // by level, both from full size down
  std::int64_t mid_layers = 2;                     // resnets in the middle: 0, 1, or 2 with attention after the first
  std::int64_t downsample_padding = 1;
};

template <typename Layer>
class Body {
 public:
  // make(block scope, place) -> Layer. Weights: "down_blocks.0...", "mid_block...", "up_blocks.0...".
  template <typename MakeLayer>
  Body(const BodyPlan& plan, const nn::Weights& w, const MakeLayer& make) {
    const auto& channels = plan.channels;
    const std::size_t levels = channels.size();
    for (std::size_t level = 0; level < levels; ++level) {
      const auto scope = w / "down_blocks" / static_cast<std::int64_t>(level);
      Block block;
      for (std::int64_t j = 0; j < plan.layers[level]; ++j) {
        const std::int64_t in = j > 0 ? channels[level] : channels[level > 0 ? level - 1 : 0];
        block.layers.push_back(make(scope, LayerPlace{Section::down, level, j, in, channels[level], plan.down_attention[level]}));
      }
      if (level + 1 < levels) block.down.emplace(scope / "downsamplers" / 0, channels[level], plan.downsample_padding);
      down_.push_back(std::move(block));
    }
    for (std::int64_t j = 0; j < plan.mid_layers; ++j)
      mid_.push_back(
          make(w / "mid_block", LayerPlace{Section::mid, levels - 1, j, channels.back(), channels.back(), j + 1 < plan.mid_layers}));
    for (std::size_t i = 0; i < levels; ++i) {
      const std::size_t level = levels - 1 - i;
      const auto scope = w / "up_blocks" / static_cast<std::int64_t>(i);
      Block block;
      for (std::int64_t j = 0; j <= plan.layers[level]; ++j) {
        const std::int64_t from = j > 0 ? channels[level] : channels[level + 1 < levels ? level + 1 : level];
        const std::int64_t skip = j < plan.layers[level] ? channels[level] : channels[level > 0 ? level - 1 : 0];
        block.layers.push_back(make(scope, LayerPlace{Section::up, level, j, from + skip, channels[level], plan.up_attention[level]}));
      }
      if (level > 0) block.up.emplace(scope / "upsamplers" / 0, channels[level]);
      up_.push_back(std::move(block));
    }
  }

  // x [B, channels[0], H, W] -> the same shape.
  at::Tensor operator()(at::Tensor x, const LayerInputs& inputs) const {
    std::vector<at::Tensor> skips{x};
    for (const auto& block : down_) {
      for (const auto& layer : block.layers) skips.push_back(x = layer(x, inputs));
      if (block.down) skips.push_back(x = (*block.down)(x));
    }
    for (const auto& layer : mid_) x = layer(x, inputs);
    for (const auto& block : up_) {
      for (const auto& layer : block.layers) {
        x = at::cat({x, skips.back()}, 1);
        skips.pop_back();
        x = layer(x, inputs);
      }
      // To the size of what comes next from the way down: sides need not be divisible.
      if (block.up) x = (*block.up)(x, skips.back().size(2), skips.back().size(3));
    }
    return x;
  }

 private:
  struct Block {
    std::vector<Layer> layers;
    std::optional<Downsample> down;
    std::optional<Upsample> up;
  };
  std::vector<Block> down_;
  std::vector<Layer> mid_;
  std::vector<Block> up_;
};

}  // namespace kinora::models::unet

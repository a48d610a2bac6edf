#pragma once
// What an IFNet (RIFE, Practical-RIFE 4.x) is made of, read from the shapes of its checkpoint: no file of theirs says it otherwise.
#include <cstdint>
#include <string_view>
#include <vector>

#include "nn/weight_check.hpp"

namespace kinora::models::rife {

struct IfnetConfig {
  // Two layouts were published. 4.25 and 4.26: an encoder gives `features` channels of each picture, every block answers flow, mask and
  // `carried` channels for the next one, and replaces the mask. 4.6: no encoder, nothing carried, masks add up.
  std::int64_t features = 4;             // 0: the layout of 4.6
  std::int64_t encoder_width = 16;       // 0 with the layout of 4.6
  std::int64_t carried = 8;              // 0 with the layout of 4.6
  std::vector<std::int64_t> channels{};  // of each block, coarse to fine: 1 to 8 blocks, 2 to 1024 even channels
  std::vector<std::int64_t> layers{};    // residual convolutions of each block: 1 to 64
  std::vector<double> scales{};          // of each block: it looks at pictures shrunk by so much; powers of two

  bool has_encoder() const { return features > 0; }
  std::int64_t inputs(std::size_t block) const;  // channels that a block sees
  std::int64_t outputs() const;                  // channels that a block answers: flow 4, mask 1, carried (4.6: one without use)
  // Sides must be multiples of this when `scales` are divided by `scale`.
  std::int64_t pad_multiple(double scale = 1) const;
  friend bool operator==(const IfnetConfig&, const IfnetConfig&) = default;
};

// Scales are those of the published networks: 16, 8, 4, 2, 1 for five blocks (32, 16, 8, 4, 1 when the last has 24 channels: "lite"),
// 8, 4, 2, 1 for four, and so on. Throws nn::LoadError when the shapes are not those of an IFNet. file is for the message.
IfnetConfig infer_ifnet_config(const nn::WeightShapes& shapes, std::string_view file);

}  // namespace kinora::models::rife

#pragma once
// A network of many equal blocks whose weights are larger than the device: those of a few blocks lie there at a time, all others where they
// are stored. The network stands with handles without memory (nn::WeightLoad, Placement::staged); before a block is used its weights
// come, and the next one's begin to (on a GPU while the block computes). On the CPU the same saves the memory of another number format.
// One thread.
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "nn/copy_stream.hpp"
#include "nn/weights.hpp"

namespace kinora::models::diffusion {

class BlockWindow {
 public:
  static constexpr std::size_t kBlocks = 3;  // on the device at most: one in use, the next, on a GPU the last one until it is done

  // parameters: of the network; stored: those that were staged, all of them behind `prefix` and a number ("blocks.7.").
  BlockWindow(const nn::Parameters& parameters, const nn::Staged& stored, std::string_view prefix, c10::Device device);

  // The weights of this block are on the device when this returns (for what the device is given from now on).
  void enter(std::size_t block);
  void leave();  // all of them

  // For adapters, which change weights where their network has them: every handle has its weight in host memory, and afterwards what was
  // changed meanwhile is what comes to the device from now on.
  void open();
  void close();

  std::uint64_t bytes() const { return bytes_; }                         // of all blocks, as they are used
  std::uint64_t most_bytes() const { return kBlocks * largest_block_; }  // on the device at a time

 private:
  struct Weight {
    at::Tensor handle, away;           // away: without memory
    std::function<at::Tensor()> read;  // in host memory, as it is stored
    at::Tensor opened, changed;        // between open() and close(); by adapters
  };
  at::Tensor host(const Weight& weight) const { return weight.changed.defined() ? weight.changed : weight.read(); }
  // Blocks of a GGUF file that adapters changed are plain numbers.
  static at::ScalarType used_type(const Weight& weight) { return (weight.changed.defined() ? weight.changed : weight.away).scalar_type(); }
  bool here(std::size_t block) const;
  void bring(std::size_t block);

  c10::Device device_;
  nn::CopyStream copies_;
  std::vector<std::vector<Weight>> blocks_;
  std::vector<std::size_t> here_;
  std::uint64_t bytes_ = 0, largest_block_ = 0;
};

// The number of the block that a weight is of, in diffusers' layout and those of the authors: "transformer_blocks.7.attn1..." -> 7.
std::optional<std::size_t> block_of(std::string_view weight, std::string_view prefix);
// What such a network takes on a device at least, in the number format that it is stored in.
std::uint64_t least_bytes(const nn::Checkpoint& weights, std::string_view prefix);

}  // namespace kinora::models::diffusion

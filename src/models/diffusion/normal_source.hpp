#pragma once
// Unit normal noise from seeds, the same numbers as torch.Generator on the CPU with torch.randn: a user's seed gives the same picture.
// What the reference draws in one call must be drawn in one call here, in the same type: the generator fills 16 and more values by another
// rule than fewer.
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <vector>

namespace kinora::models::diffusion {

class NormalSource {
 public:
  // One seed: one generator fills a whole batch. More: row i of a batch comes from the i-th generator.
  explicit NormalSource(const std::vector<std::uint64_t>& seeds);

  // [B, ...] on the CPU. With several generators B must be their number, or 1: then the first generator draws.
  at::Tensor draw(at::IntArrayRef shape, at::ScalarType dtype);
  std::size_t generators() const { return generators_.size(); }

 private:
  std::vector<at::Generator> generators_;
};

// A seed that the user did not choose: 0..2^32-1.
std::uint64_t random_seed();

}  // namespace kinora::models::diffusion

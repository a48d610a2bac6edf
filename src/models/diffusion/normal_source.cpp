#include "models/diffusion/normal_source.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>

#include <random>

namespace kinora::models::diffusion {

NormalSource::NormalSource(const std::vector<std::uint64_t>& seeds) {
  for (const auto seed : seeds) generators_.push_back(at::detail::createCPUGenerator(seed));
}

at::Tensor NormalSource::draw(at::IntArrayRef shape, at::ScalarType dtype) {
  if (generators_.size() == 1 || shape[0] == 1) return at::randn(shape, generators_.front(), at::TensorOptions(dtype));
  auto row = shape.vec();
  row[0] = 1;
  std::vector<at::Tensor> rows;
  rows.reserve(generators_.size());
  for (auto& generator : generators_) rows.push_back(at::randn(row, generator, at::TensorOptions(dtype)));
  return at::cat(rows);
}

std::uint64_t random_seed() { return std::random_device{}() & 0xFFFF'FFFFU; }

}  // namespace kinora::models::diffusion

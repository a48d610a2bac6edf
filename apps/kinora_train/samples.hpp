#pragma once
// The training set in memory: degraded pairs of all sources, and reproducible random batches from it.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kinora_train/degrade.hpp"
#include "kinora_train/sources.hpp"

namespace kinora::train {

inline constexpr int kPatchSide = 64;           // pixels of a batch's low pictures
inline constexpr int kHeldOutEvery = 10;        // every tenth source is for validation only
inline constexpr std::size_t kMaxHeldOut = 96;  // pairs

struct SampleSet {
  std::vector<Pair> training;
  std::vector<Pair> held_out;
  std::vector<std::string> skipped;   // "path: why"
  std::size_t photos = 0, clips = 0;  // that gave pairs
};

// About `shots` shots spread evenly over the sources, degraded at this scale. A source that cannot be decoded is skipped. Throws Failure
// when no training pair could be made. `progress` is told after every source.
SampleSet make_samples(const SourceList& list, std::size_t shots, std::int64_t scale, std::uint64_t seed,
                       const std::function<void(std::size_t done)>& progress = {});

struct Batch {
  at::Tensor low;   // float 0..1 [B, 3, kPatchSide, kPatchSide]
  at::Tensor high;  // float 0..1 [B, 3, s kPatchSide, s kPatchSide], s: the pairs' scale
};
// Batch number `step` of this seed: random pairs, windows, mirrored and turned.
Batch draw_batch(const std::vector<Pair>& pairs, std::int64_t size, std::uint64_t seed, std::uint64_t step);

}  // namespace kinora::train

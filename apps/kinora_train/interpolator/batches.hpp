#pragma once
// Reproducible random batches: two pictures, the one between them, and the flow where it is known.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "kinora_train/interpolator/motion_set.hpp"

namespace kinora::train {

struct MotionBatch {
  at::Tensor first, last, truth;  // [B, 3, side, side] float32 0..1
  double time = 0.5;              // of truth, 0 (first) to 1 (last)
  at::Tensor flow;                // [known, 4, side, side] of the first pictures, as flow_at() gives it; undefined: none is known
};

struct BatchSize {
  std::int64_t pictures = 8;    // at least 1
  std::int64_t side = 128;      // at most kRunSide
  double moved_photos = 0.625;  // part of the pictures that is of moved photos; all or none when the set has nothing else
};

// The batch of update `step`: of the set, the sizes, the seed and the step alone.
MotionBatch draw_motion_batch(const MotionSet& set, const BatchSize& size, std::uint64_t seed, std::uint64_t step);

// Run `index` of `runs` as first, truth in the middle and last, `span` pictures apart (1 or 2): for the score.
MotionBatch middle_of_run(const at::Tensor& runs, std::int64_t index, std::int64_t span);

}  // namespace kinora::train

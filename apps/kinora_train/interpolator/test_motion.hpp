#pragma once
// Motion for this folder's tests.
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include "kinora_train/interpolator/motion_set.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {

// A run that goes over a picture of waves by (x, y) pixels from one picture to the next.
inline at::Tensor panned_run(std::int64_t x, std::int64_t y) {
  const at::Tensor waves = wavy_picture(kRunSide + kRunFrames * y, kRunSide + kRunFrames * x);
  std::vector<at::Tensor> pictures;
  pictures.reserve(kRunFrames);
  for (std::int64_t i = 0; i < kRunFrames; ++i)
    pictures.push_back(waves.slice(1, i * y, i * y + kRunSide).slice(2, i * x, i * x + kRunSide));
  return at::stack(pictures);
}

// Two photos, two runs to learn from and one for the score.
inline MotionSet small_motion() {
  MotionSet set;
  set.photos = {wavy_picture(200, 260), wavy_picture(300, 240)};
  set.training = at::stack({panned_run(3, 0), panned_run(1, 2)});
  set.held_out = at::stack({panned_run(2, 1)});
  set.photo_files = 2;
  set.clip_files = 3;
  return set;
}

}  // namespace kinora::train

#pragma once
// Whether two consecutive pictures are a repeated frame, the same scene, or a cut.
#include <ATen/core/Tensor.h>

#include "models/interpolator.hpp"

namespace kinora::models::rife {

inline constexpr double kCutSimilarity = 0.2;     // less is a cut (Practical-RIFE's rule)
inline constexpr double kCutDifference = 0.30;    // more is a cut too
inline constexpr double kRepeatDifference = 1.5;  // levels of 0..255 of the most different block: less is a repeated frame

// Structural similarity of the two at 32x32 pixels, with an 11-wide Gaussian (deviation 1.5) over channel, height and width at once and
// repeated borders: Practical-RIFE's measure, -1 to 1. [1, 3, H, W] float32 0..1 of one size.
double structural_similarity(const at::Tensor& a, const at::Tensor& b);

// Of luma at 64x36: mean absolute difference plus half the chi-squared distance of 16-bin histograms; 0 to 2.
double tone_difference(const at::Tensor& a, const at::Tensor& b);

// Mean absolute difference in levels of 0..255 of the 16x16 block that differs most.
double largest_block_difference(const at::Tensor& a, const at::Tensor& b);

Change judge_change(const at::Tensor& before, const at::Tensor& after);

}  // namespace kinora::models::rife

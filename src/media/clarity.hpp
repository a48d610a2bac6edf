#pragma once
// How whole a film or picture looks without anything to compare it with: tells blurred, noisy and flickering from clear, not beautiful from
// plain. For choosing among several takes of one prompt.
//
// clarity = sharp x clean x steady, each 0..1, mean over sampled pictures; of the luma in the middle of the picture.
//   sharp:  1 - the blur effect of Crete et al. 2007 (what a mean of 9 pixels takes from the differences of neighbours; the worse axis)
//   clean:  1 - mean difference of neighbours / that of pixels from the mean / sqrt 2: independent noise has none of it
//   steady: the same of a pixel and its next picture; of a single picture 1
#include <cstdint>
#include <vector>

#include "media/frame.hpp"

namespace kinora::media {

struct LumaPatch {
  std::size_t width = 0, height = 0;
  std::vector<float> values;  // [height, width], 8-bit levels
};
double sharpness(const LumaPatch& patch);                          // 0: blurred or of one colour
double cleanness(const LumaPatch& patch);                          // 0: noise
double steadiness(const LumaPatch& a, const LumaPatch& b);         // 0: nothing in common
LumaPatch middle_of(const Frame& frame, std::size_t most_pixels);  // sides of at most that many pixels

class Clarity {
 public:
  static constexpr std::size_t kSide = 640;
  static constexpr std::int64_t kSamples = 8;
  // `expected`: pictures of the whole film, 0 when unknown.
  explicit Clarity(std::int64_t expected);
  void add(const Frame& frame);  // every picture, in order
  double value() const;          // 0..1; of no picture 0

 private:
  std::int64_t stride_;
  std::int64_t seen_ = 0, samples_ = 0, pairs_ = 0;
  LumaPatch last_;  // of a sample whose successor is awaited
  double pictures_ = 0, steady_ = 0;
};

}  // namespace kinora::media

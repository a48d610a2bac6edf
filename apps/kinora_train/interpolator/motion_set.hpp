#pragma once
// What the interpolator learns from, in memory: photos to move about, and runs of consecutive pictures of real clips. As a file, so that a
// run that goes on need not read the sources again. Throws Failure, nn::LoadError.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kinora_train/sources.hpp"

namespace kinora::train {

inline constexpr std::int64_t kRunFrames = 5;    // pictures of a run, a fixed number of the clip's pictures apart
inline constexpr std::int64_t kRunSide = 160;    // pixels
inline constexpr int kLongestStep = 3;           // of the clip's pictures between two of a run
inline constexpr double kMoving = 4;             // levels of 0..255 between first and last picture: less counts as no motion
inline constexpr double kTooMuch = 45;           // between two neighbours: more is a cut
inline constexpr double kStillShare = 0.12;      // of the runs: what does not move must be left alone
inline constexpr std::size_t kClipHeldOut = 8;   // every so many clips one is kept for the score
inline constexpr std::int64_t kPhotoSide = 800;  // the shorter side of a stored photo, and half of it

struct MotionSet {
  std::vector<at::Tensor> photos;  // uint8 [3, h, w]
  at::Tensor training, held_out;   // uint8 [runs, kRunFrames, 3, kRunSide, kRunSide]; undefined: none
  std::size_t photo_files = 0, clip_files = 0;
  std::vector<std::string> skipped;  // "path: why"
};

// runs: of all clips together, at most. Throws Failure when nothing could be used.
MotionSet make_motion_set(const SourceList& list, std::size_t runs, std::uint64_t seed,
                          const std::function<void(const std::string&)>& talk);

// The windows of one clip: [count, kRunFrames, 3, kRunSide, kRunSide], those that move and a few that do not. At most `count`.
std::vector<at::Tensor> runs_of_clip(const std::filesystem::path& path, std::size_t count, std::uint64_t seed);

void save_motion_set(const std::filesystem::path& path, const MotionSet& set);
MotionSet load_motion_set(const std::filesystem::path& path);

}  // namespace kinora::train

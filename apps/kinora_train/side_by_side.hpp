#pragma once
// A crop of several versions of one picture, beside each other, enlarged so that pixels can be seen.
#include <filesystem>
#include <vector>

#include "media/frame.hpp"

namespace kinora::train {

inline constexpr int kCropSide = 200;   // pixels of the pictures
inline constexpr int kCropEnlarge = 2;  // nearest neighbour
inline constexpr int kCropGap = 8;      // white pixels between

// Writes a PNG of the most detailed kCropSide square (of the last version, the truth). Versions have one size. Throws Failure.
void write_side_by_side(const std::filesystem::path& path, const std::vector<media::Frame>& versions);

}  // namespace kinora::train

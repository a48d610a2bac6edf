#pragma once
// What stands still between two pictures of a video. A picture between them needs no estimate of movement there: an estimate is never
// exactly nothing, and a logo or a wall that is moved by a tenth of a pixel in every second picture shimmers.
#include "media/frame.hpp"

namespace kinora::media {

// Root mean square difference of blocks of 8x8 pixels, in levels of 8 bits. A block and its eight neighbours that differ by no more than
// kStill stand still; from kMoving on something moves; between, it is partly so. A movement by s pixels differs by s f' and leaves the mean
// of both off by s^2 f'' / 8: about a level where both differ by four, less than an estimate of movement errs.
inline constexpr double kStill = 4, kMoving = 8;

// Where a and b stand still, `made`, a picture between the two, becomes crossfade(a, b, weight), without steps at the borders. Where both
// are equal it is so to the bit. All three of one size, 4:2:0, 8 or 10 bits; else `made` stays as it is. internal: out of memory.
base::Status keep_still_parts(Frame& made, const Frame& a, const Frame& b, double weight);

}  // namespace kinora::media

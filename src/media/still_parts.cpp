#include "media/still_parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "media/av.hpp"
#include "media/blend.hpp"

namespace kinora::media {
namespace {

constexpr int kBlock = 8;       // pixels of luma
constexpr int kShareBits = 8;   // of how much a place stands still
constexpr int kSubsampled = 1;  // chroma's shift in 4:2:0

// Bits of a sample of planar 4:2:0 pictures; 0: another format.
int depth_of_420(const Frame& frame) {
  switch (frame.av()->format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P: return 8;
    case AV_PIX_FMT_YUV420P10: return 10;
    default: return 0;
  }
}

struct Plane {
  int index, block, width, height;  // block: pixels of this plane that a block is wide and high
};
std::array<Plane, 3> planes_of(const Frame& frame) {
  const int width = AV_CEIL_RSHIFT(frame.width(), kSubsampled), height = AV_CEIL_RSHIFT(frame.height(), kSubsampled);
  const int small = kBlock >> kSubsampled;
  return {{{0, kBlock, frame.width(), frame.height()}, {1, small, width, height}, {2, small, width, height}}};
}

template <class Sample>
Sample* row(const Frame& frame, const Plane& plane, int y) {
  return reinterpret_cast<Sample*>(frame.av()->data[plane.index] + static_cast<std::ptrdiff_t>(y) * frame.av()->linesize[plane.index]);
}

// One number for each block, rows of `width`.
struct Grid {
  int width, height;
  std::vector<float> values;
  Grid(int w, int h) : width(w), height(h), values(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {}
  float& at(int x, int y) { return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)]; }
  float near(int x, int y) { return at(std::clamp(x, 0, width - 1), std::clamp(y, 0, height - 1)); }
};

// Mean square difference of each block, of the plane that differs most.
template <class Sample>
Grid differences(const Frame& a, const Frame& b) {
  Grid grid((a.width() + kBlock - 1) / kBlock, (a.height() + kBlock - 1) / kBlock);
  for (const Plane& plane : planes_of(a)) {
    std::vector<std::int64_t> sums(static_cast<std::size_t>(grid.width));
    for (int y = 0; y < plane.height; ++y) {
      const auto *from_a = row<const Sample>(a, plane, y), *from_b = row<const Sample>(b, plane, y);
      for (int block = 0, x = 0; x < plane.width; ++block) {
        int sum = 0;
        for (const int end = std::min(x + plane.block, plane.width); x < end; ++x) {
          const int off = from_a[x] - from_b[x];
          sum += off * off;
        }
        sums[static_cast<std::size_t>(block)] += sum;
      }
      if ((y + 1) % plane.block != 0 && y + 1 != plane.height) continue;
      const int down = y / plane.block, rows = y % plane.block + 1;
      for (int block = 0; block * plane.block < plane.width; ++block) {
        const int columns = std::min(plane.block, plane.width - block * plane.block);
        auto& sum = sums[static_cast<std::size_t>(block)];
        grid.at(block, down) = std::max(grid.at(block, down), static_cast<float>(sum) / static_cast<float>(rows * columns));
        sum = 0;
      }
    }
  }
  return grid;
}

// How much each block stands still, 0..1 shifted by kShareBits.
Grid shares(Grid squares, double level) {
  Grid out(squares.width, squares.height);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      float most = 0;
      for (int v = y - 1; v <= y + 1; ++v)
        for (int u = x - 1; u <= x + 1; ++u) most = std::max(most, squares.near(u, v));
      const double share = (kMoving - std::sqrt(static_cast<double>(most)) / level) / (kMoving - kStill);
      out.at(x, y) = static_cast<float>(std::clamp(share, 0.0, 1.0) * (1 << kShareBits));
    }
  }
  return out;
}

template <class Sample>
void mix(const Frame& made, const Frame& still, Grid& share) {
  constexpr float kAll = 1 << kShareBits;
  for (const Plane& plane : planes_of(made)) {
    const auto side = static_cast<float>(plane.block);
    std::vector<float> line(static_cast<std::size_t>(share.width) + 2);  // of this row, one block more on both sides
    for (int y = 0; y < plane.height; ++y) {
      const float down = (static_cast<float>(y) + 0.5F) / side - 0.5F;  // in blocks, from the first one's centre
      const int upper = static_cast<int>(std::floor(down));
      for (std::size_t block = 0; block < line.size(); ++block) {
        const int x = static_cast<int>(block) - 1;
        line[block] = std::lerp(share.near(x, upper), share.near(x, upper + 1), down - static_cast<float>(upper));
      }
      Sample* out = row<Sample>(made, plane, y);
      const auto* kept = row<const Sample>(still, plane, y);
      for (int left = 0; left <= share.width; ++left) {  // from the centre of one block to that of the next
        const int first = left * plane.block - plane.block / 2;
        const int begin = std::max(first, 0), end = std::min(first + plane.block, plane.width);
        const float from = line[static_cast<std::size_t>(left)], rise = line[static_cast<std::size_t>(left) + 1] - from;
        if (begin >= end || (from == 0 && rise == 0)) continue;
        if (from == kAll && rise == 0) {
          std::copy(kept + begin, kept + end, out + begin);
          continue;
        }
        for (int x = begin; x < end; ++x) {
          const int part = static_cast<int>(from + rise * (static_cast<float>(x - first) + 0.5F) / side);
          out[x] = static_cast<Sample>(out[x] + (((kept[x] - out[x]) * part + (1 << (kShareBits - 1))) >> kShareBits));
        }
      }
    }
  }
}

template <class Sample>
base::Status keep(Frame& made, const Frame& a, const Frame& b, double weight, double level) {
  Grid share = shares(differences<Sample>(a, b), level);
  if (std::ranges::all_of(share.values, [](float one) { return one == 0; })) return {};
  KINORA_TRY(const Frame still, crossfade(a, b, weight));
  if (av_frame_make_writable(made.av()) < 0) return base::fail(base::ErrorCode::internal, "out of memory for a picture");
  mix<Sample>(made, still, share);
  return {};
}

}  // namespace

base::Status keep_still_parts(Frame& made, const Frame& a, const Frame& b, double weight) {
  const int depth = depth_of_420(made);
  if (depth == 0) return {};
  for (const Frame* const other : {&a, &b})
    if (depth_of_420(*other) != depth || other->width() != made.width() || other->height() != made.height()) return {};
  return depth == 8 ? keep<std::uint8_t>(made, a, b, weight, 1) : keep<std::uint16_t>(made, a, b, weight, 4);
}

}  // namespace kinora::media

#include "media/decode_times.hpp"

#include <algorithm>

namespace kinora::media {

std::vector<std::int64_t> decode_times(const std::vector<std::int64_t>& pts) {
  std::vector<std::int64_t> sorted = pts;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return {};
  std::size_t depth = 0;
  for (std::size_t i = 0; i < pts.size(); ++i) {
    const auto rank = static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), pts[i]) - sorted.begin());
    if (i > rank) depth = std::max(depth, i - rank);
  }
  std::vector<std::int64_t> dts(pts.size());
  for (std::size_t i = 0; i < pts.size(); ++i) dts[i] = i >= depth ? sorted[i - depth] : sorted[i] - (sorted[depth] - sorted[0]);
  return dts;
}

}  // namespace kinora::media

#pragma once
// Decoding times from presentation times. Inside this room only.
#include <cstdint>
#include <vector>

namespace kinora::media {

// `pts` of a stream's packets in decoding order -> a dts for each: strictly rising, never later than the pts, with the
// smallest constant delay that allows it (as encoders do: the sorted pts, delayed by the depth of reordering).
// Empty when two packets have the same pts.
std::vector<std::int64_t> decode_times(const std::vector<std::int64_t>& pts);

}  // namespace kinora::media

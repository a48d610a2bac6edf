#pragma once
// Memory of RGB pictures that is used again and again: as many buffers as are on their way, never more.
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "media/rgb.hpp"
#include "models/upscaler.hpp"

namespace kinora::runner {

using Buffer = std::vector<std::uint8_t>;

class BufferPool {
 public:
  Buffer take(std::size_t bytes) {
    Buffer buffer;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        buffer = std::move(free_.back());
        free_.pop_back();
      }
    }
    buffer.resize(bytes);
    return buffer;
  }
  void give_back(Buffer buffer) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<Buffer> free_;
};

// 8-bit sources are packed bytes, deeper ones planar 16-bit words.
inline models::SampleType sample_type(int bit_depth) {
  return bit_depth > 8 ? models::SampleType::planar_u16 : models::SampleType::packed_u8;
}
inline std::size_t picture_bytes(models::SampleType type, std::int64_t width, std::int64_t height) {
  return static_cast<std::size_t>(width * height) * 3 * (type == models::SampleType::packed_u8 ? 1 : 2);
}
inline media::RgbView view_of(Buffer& buffer, models::SampleType type, std::int64_t width, std::int64_t height) {
  return {.data = buffer.data(),
          .type = type == models::SampleType::packed_u8 ? media::RgbType::packed_u8 : media::RgbType::planar_u16,
          .width = static_cast<int>(width),
          .height = static_cast<int>(height)};
}

}  // namespace kinora::runner

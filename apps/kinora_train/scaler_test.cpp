#include "kinora_train/scaler.hpp"

#include <gtest/gtest.h>

extern "C" {
#include <libavutil/frame.h>
}

#include <fstream>
#include <iterator>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {
namespace {

// The planes without padding, as rawvideo stores them.
std::string raw(const media::Frame& frame) {
  std::string bytes;
  for (int plane = 0; plane < 3; ++plane) {
    const int shift = plane == 0 ? 0 : 1;
    for (int y = 0; y < frame.height() >> shift; ++y)
      bytes.append(reinterpret_cast<const char*>(frame.av()->data[plane] + y * frame.av()->linesize[plane]),
                   static_cast<std::size_t>(frame.width() >> shift));
  }
  return bytes;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The peer is the ffmpeg command with the flags named in the header.
TEST(Scaler, makes_the_same_bytes_as_the_ffmpeg_command) {
  const TestFolder folder;
  const media::Frame frame = frame_of(wavy_picture(96, 128), {});
  std::ofstream(folder / "in.yuv", std::ios::binary) << raw(frame);
  for (const auto& [kernel, name] : {std::pair{Kernel::bicubic, "bicubic"}, std::pair{Kernel::lanczos, "lanczos"}}) {
    for (const auto& [width, height] : {std::pair{64, 48}, std::pair{256, 192}}) {
      const std::string size = std::to_string(width) + ":" + std::to_string(height);
      ASSERT_TRUE(ffmpeg("-f rawvideo -pix_fmt yuv420p -s 128x96 -i " + (folder / "in.yuv").string() + " -vf scale=" + size +
                         ":flags=" + name + "+accurate_rnd+full_chroma_int -pix_fmt yuv420p -f rawvideo " + (folder / "out.yuv").string()));
      EXPECT_EQ(raw(resized(frame, width, height, kernel)), read(folder / "out.yuv")) << name << " " << size;
    }
  }
}

TEST(Scaler, keeps_the_colour_tags) {
  media::ColorTags tags;
  tags.matrix = 1;
  tags.range = media::ColorRange::limited;
  EXPECT_EQ(resized(frame_of(wavy_picture(32, 32), tags), 16, 16, Kernel::bicubic).color(), tags);
}

TEST(Scaler, crops_to_the_top_left_corner) {
  const media::Frame frame = frame_of(wavy_picture(40, 48), {});
  const media::Frame corner = cropped(frame, 32, 20);
  EXPECT_EQ(corner.width(), 32);
  EXPECT_EQ(corner.height(), 20);
  EXPECT_EQ(frame.width(), 48) << "the picture itself stays whole";
  EXPECT_EQ(raw(corner).substr(0, 32), raw(frame).substr(0, 32));
  EXPECT_THROW(cropped(frame, 49, 20), Failure);
}

}  // namespace
}  // namespace kinora::train

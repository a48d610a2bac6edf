// Against motion that is known: ffmpeg shifts a picture by four pixels a frame.
#include "media/motion_vectors.hpp"

#include <gtest/gtest.h>

#include <array>

#include "media/test_tools.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using namespace testing;

class MotionVectors : public ::testing::Test {
 protected:
  // 20 pictures, a window that goes four pixels to the right and two down in each.
  std::string pan(const std::string& codec, const std::string& name) {
    const std::string still = scratch_ / "still.png", out = scratch_ / name;
    EXPECT_EQ(shell("ffmpeg -v error -y -i " + quoted(clip("london_roofs_360p_5s.mp4")) + " -frames:v 1 " + quoted(still)).status, 0);
    EXPECT_EQ(
        shell("ffmpeg -v error -y -loop 1 -t 0.8 -i " + quoted(still) + " -vf crop=320:240:4*n:2*n " + codec + ' ' + quoted(out)).status,
        0);
    return out;
  }
  // The vectors of the pictures after the first.
  static std::vector<MotionVector> read(const std::string& file, bool wanted = true, int threads = 0) {
    VideoReaderOptions options;
    options.motion_vectors = wanted;
    options.threads = threads;
    auto reader = VideoReader::open(file, options);
    EXPECT_TRUE(reader.has_value());
    std::vector<MotionVector> out;
    for (int i = 0;; ++i) {
      const auto frame = reader->next();
      if (!frame || !*frame) return out;
      const auto vectors = motion_vectors(**frame);
      if (i > 0) out.insert(out.end(), vectors.begin(), vectors.end());
    }
  }
  ScratchDir scratch_;
};

TEST_F(MotionVectors, are_those_of_the_camera) {
  for (const auto& [codec, name] :
       {std::pair{"-c:v libx264 -bf 0 -refs 1 -crf 10", "a.mp4"}, {"-c:v mpeg4 -q:v 2", "b.mp4"}, {"-c:v mpeg2video -q:v 2", "c.ts"}}) {
    const auto vectors = read(pan(codec, name));
    ASSERT_GT(vectors.size(), 1000U) << codec;
    std::size_t right = 0;
    for (const MotionVector& v : vectors) {
      right += std::abs(v.dx - 4) < 0.6F && std::abs(v.dy - 2) < 0.6F ? 1U : 0U;
      ASSERT_FALSE(v.later);
      ASSERT_TRUE(v.x >= 0 && v.y >= 0 && v.x + v.width <= 320 && v.y + v.height <= 240);
    }
    EXPECT_GT(static_cast<double>(right) / static_cast<double>(vectors.size()), 0.8) << codec;
  }
}

TEST_F(MotionVectors, do_not_depend_on_the_number_of_threads) {
  const auto values = [](const std::vector<MotionVector>& vectors) {
    std::vector<std::array<float, 4>> out;
    out.reserve(vectors.size());
    for (const MotionVector& v : vectors) out.push_back({static_cast<float>(v.x), static_cast<float>(v.y), v.dx, v.dy});
    return out;
  };
  const auto file = pan("-c:v libx264 -bf 2 -crf 10", "d.mp4");
  const auto alone = values(read(file, true, 1));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(values(read(file, true, 8)), alone) << i;
}

TEST_F(MotionVectors, of_pictures_between_lead_both_ways) {
  std::size_t later = 0;
  for (const MotionVector& v : read(pan("-c:v libx264 -bf 2 -crf 10", "b.mp4"))) later += v.later ? 1U : 0U;
  EXPECT_GT(later, 100U);
}

TEST_F(MotionVectors, are_none_where_the_codec_gives_none_or_nobody_asked) {
  EXPECT_TRUE(read(pan("-c:v libx265 -x265-params log-level=none", "hevc.mp4")).empty());
  EXPECT_TRUE(read(pan("-c:v libx264", "a.mp4"), false).empty());
  EXPECT_TRUE(motion_vectors(Frame()).empty());
}

}  // namespace
}  // namespace kinora::media

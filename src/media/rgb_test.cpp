#include "media/rgb.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "media/test_tools.hpp"
#include "media/video_reader.hpp"

extern "C" {
#include <libavutil/frame.h>
}

namespace kinora::media {
namespace {

using namespace testing;

// A 4:2:0 frame of one colour.
Frame flat(int width, int height, PixelFormat format, int y, int cb, int cr) {
  auto frame = Frame::create(width, height, format);
  EXPECT_TRUE(frame.has_value());
  const int values[3] = {y, cb, cr};
  for (int p = 0; p < 3; ++p) {
    const int w = p == 0 ? width : (width + 1) / 2, h = p == 0 ? height : (height + 1) / 2;
    for (int row = 0; row < h; ++row) {
      std::uint8_t* line = frame->av()->data[p] + row * frame->av()->linesize[p];
      for (int x = 0; x < w; ++x) {
        if (format == PixelFormat::yuv420p) line[x] = static_cast<std::uint8_t>(values[p]);
        if (format == PixelFormat::yuv420p10) reinterpret_cast<std::uint16_t*>(line)[x] = static_cast<std::uint16_t>(values[p]);
      }
    }
  }
  return *frame;
}

struct Rgb {
  double r, g, b;
};
// ITU-T H.273 equations for a matrix with these luma weights.
Rgb by_the_book(double y, double cb, double cr, double kr, double kb, bool full, int depth) {
  const double s = 1 << (depth - 8);
  const double luma = full ? y / (256 * s - 1) : (y - 16 * s) / (219 * s);
  const double u = full ? (cb - 128 * s) / (256 * s - 1) : (cb - 128 * s) / (224 * s);
  const double v = full ? (cr - 128 * s) / (256 * s - 1) : (cr - 128 * s) / (224 * s);
  const double r = luma + 2 * (1 - kr) * v, b = luma + 2 * (1 - kb) * u;
  return {r, (luma - kr * r - kb * b) / (1 - kr - kb), b};
}

TEST(Rgb, follows_h273_for_each_matrix_range_and_depth) {
  struct Case {
    int matrix;
    double kr, kb;
  };
  for (const Case c : {Case{1, 0.2126, 0.0722}, Case{6, 0.299, 0.114}, Case{9, 0.2627, 0.0593}}) {
    for (const bool full : {false, true}) {
      for (const int depth : {8, 10}) {
        SCOPED_TRACE(std::to_string(c.matrix) + (full ? " full " : " limited ") + std::to_string(depth));
        const int s = 1 << (depth - 8);
        const int y = 110 * s, cb = 100 * s, cr = 150 * s;
        Frame frame = flat(32, 16, depth == 8 ? PixelFormat::yuv420p : PixelFormat::yuv420p10, y, cb, cr);
        frame.set_color({2, 2, c.matrix, full ? ColorRange::full : ColorRange::limited});
        std::vector<float> out(3 * 32 * 16);
        RgbConverter converter;
        const auto done = converter.to_rgb(frame, {out.data(), RgbType::planar_f32, 32, 16, 0, 0});
        ASSERT_TRUE(done.has_value()) << done.error().message;
        const Rgb wanted = by_the_book(y, cb, cr, c.kr, c.kb, full, depth);
        const std::size_t middle = 8 * 32 + 16, plane = 32 * 16;
        EXPECT_NEAR(out[middle], wanted.r, 0.006);
        EXPECT_NEAR(out[plane + middle], wanted.g, 0.006);
        EXPECT_NEAR(out[2 * plane + middle], wanted.b, 0.006);
      }
    }
  }
}

TEST(Rgb, writes_every_layout_with_red_first_and_nothing_outside) {
  // Limited BT.601 red: Y 81, Cb 90, Cr 240.
  Frame frame = flat(37, 21, PixelFormat::yuv420p, 81, 90, 240);
  frame.set_color({2, 2, 6, ColorRange::limited});
  RgbConverter converter;
  for (const RgbType type : {RgbType::packed_u8, RgbType::planar_u8, RgbType::planar_u16, RgbType::planar_f32}) {
    const std::size_t size = type == RgbType::planar_f32 ? 4 : type == RgbType::planar_u16 ? 2 : 1;
    const std::size_t bytes = 3 * 37 * 21 * size;
    // swscale is known to run over the end of a row in some formats: guard both ends.
    std::vector<std::uint8_t> memory(bytes + 128, 0xcd);
    ASSERT_TRUE(converter.to_rgb(frame, {memory.data() + 64, type, 37, 21, 0, 0}).has_value());
    for (std::size_t i = 0; i < 64; ++i) {
      ASSERT_EQ(memory[i], 0xcd);
      ASSERT_EQ(memory[64 + bytes + i], 0xcd) << static_cast<int>(type);
    }
    const auto value = [&](int channel, std::size_t pixel) -> double {
      const std::size_t plane = 37 * 21;
      const std::uint8_t* base = memory.data() + 64;
      if (type == RgbType::packed_u8) return base[pixel * 3 + static_cast<std::size_t>(channel)] / 255.0;
      const std::size_t at = static_cast<std::size_t>(channel) * plane + pixel;
      if (type == RgbType::planar_u8) return base[at] / 255.0;
      if (type == RgbType::planar_u16) {
        std::uint16_t v = 0;
        std::memcpy(&v, base + at * 2, 2);
        return v / 65535.0;
      }
      float v = 0;
      std::memcpy(&v, base + at * 4, 4);
      return v;
    };
    for (const std::size_t pixel : {std::size_t{0}, std::size_t{36}, std::size_t{37 * 21 - 1}}) {
      EXPECT_NEAR(value(0, pixel), 1.0, 0.02) << static_cast<int>(type);
      EXPECT_NEAR(value(1, pixel), 0.0, 0.02) << static_cast<int>(type);
      EXPECT_NEAR(value(2, pixel), 0.0, 0.02) << static_cast<int>(type);
    }
  }
}

TEST(Rgb, comes_back_to_the_same_luma_after_a_round_trip) {
  for (const char* name : {"london_roofs_360p_5s.mp4", "odd/hdr10_av1_portrait_720x1280.mp4"}) {
    SCOPED_TRACE(name);
    auto reader = VideoReader::open(clip(name));
    ASSERT_TRUE(reader.has_value());
    const auto frame = reader->next();
    ASSERT_TRUE(frame && *frame);
    const Frame& f = **frame;
    const auto width = static_cast<std::size_t>(f.width()), height = static_cast<std::size_t>(f.height());
    std::vector<float> rgb(3 * width * height);
    RgbConverter converter;
    const RgbView view{rgb.data(), RgbType::planar_f32, f.width(), f.height(), 0, 0};
    ASSERT_TRUE(converter.to_rgb(f, view).has_value());
    const bool deep = f.bit_depth() > 8;
    const auto back = converter.to_frame(view, deep ? PixelFormat::yuv420p10 : PixelFormat::yuv420p, f.color());
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->color(), f.color());
    EXPECT_EQ(back->pixel_format(), f.pixel_format());
    double sum = 0;
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const std::uint8_t* a = f.av()->data[0] + static_cast<std::ptrdiff_t>(y) * f.av()->linesize[0];
        const std::uint8_t* b = back->av()->data[0] + static_cast<std::ptrdiff_t>(y) * back->av()->linesize[0];
        const double d = deep ? reinterpret_cast<const std::uint16_t*>(a)[x] - reinterpret_cast<const std::uint16_t*>(b)[x] : a[x] - b[x];
        sum += d * d;
      }
    }
    const double mse = sum / static_cast<double>(width * height);
    EXPECT_LT(mse, deep ? 2.0 : 0.5);  // about a step of rounding; colours outside RGB clip
  }
}

TEST(Rgb, judges_an_unspecified_matrix_by_the_size_given) {
  EXPECT_EQ(effective_matrix({}, 640, 360), 6);
  EXPECT_EQ(effective_matrix({}, 1280, 720), 1);
  EXPECT_EQ(effective_matrix({}, 720, 1280), 1);
  EXPECT_EQ(effective_matrix({2, 2, 9, ColorRange::unspecified}, 16, 16), 9);
}

TEST(Rgb, refuses_memory_of_another_size) {
  std::vector<float> out(3 * 16 * 16);
  RgbConverter converter;
  EXPECT_FALSE(converter.to_rgb(flat(32, 16, PixelFormat::yuv420p, 16, 128, 128), {out.data(), RgbType::planar_f32, 16, 16, 0, 0}));
  EXPECT_FALSE(converter.to_rgb(flat(16, 16, PixelFormat::yuv420p, 16, 128, 128), {nullptr, RgbType::planar_f32, 16, 16, 0, 0}));
  EXPECT_TRUE(converter.to_rgb_scaled(flat(32, 16, PixelFormat::yuv420p, 16, 128, 128), {out.data(), RgbType::planar_f32, 16, 16, 0, 0}));
}

}  // namespace
}  // namespace kinora::media

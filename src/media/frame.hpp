#pragma once
// One decoded picture. Owns a reference to FFmpeg's picture buffer (moving is cheap, copying shares the pixels).
// Values only; a Frame may be handed to another thread, but not used by two at once.
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "media/rational.hpp"

struct AVFrame;

namespace kinora::media {

enum class ColorRange { unspecified, limited, full };
// Colour as coded by ITU-T H.273 (2 = unspecified): the numbers of primaries, transfer characteristics, matrix.
struct ColorTags {
  int primaries = 2;
  int transfer = 2;
  int matrix = 2;
  ColorRange range = ColorRange::unspecified;
  // PQ (16) or HLG (18) transfer.
  bool hdr() const { return transfer == 16 || transfer == 18; }
  friend bool operator==(const ColorTags&, const ColorTags&) = default;
};
// FFmpeg's and ffprobe's names: "bt709", "smpte2084", "unknown"; range: "tv", "pc", "unknown".
std::string_view primaries_name(int primaries);
std::string_view transfer_name(int transfer);
std::string_view matrix_name(int matrix);
std::string_view range_name(ColorRange range);

// What writers make. 4:2:0 planar, 8 bits, or 10 bits in 16-bit words.
enum class PixelFormat { yuv420p, yuv420p10 };

class Frame {
 public:
  Frame();  // empty
  explicit Frame(AVFrame* owned);
  Frame(const Frame& other);
  Frame& operator=(const Frame& other);
  Frame(Frame&&) noexcept;
  Frame& operator=(Frame&&) noexcept;
  ~Frame();
  // A new picture with its own pixels (not cleared). invalid: sides not in [1, kMaxMadeSide]; internal: out of memory.
  static base::Result<Frame> create(int width, int height, PixelFormat format);

  explicit operator bool() const { return frame_ != nullptr; }
  int width() const;
  int height() const;
  // Bits of one sample, and FFmpeg's name of the pixel format, e.g. "yuv420p10le".
  int bit_depth() const;
  std::string_view pixel_format() const;
  ColorTags color() const;
  void set_color(const ColorTags& tags);
  Rational sample_aspect() const;  // {0, 1}: unknown
  void set_sample_aspect(Rational sar);
  // Presentation time on the stream's clock, and how long it is shown (0: unknown).
  Timestamp pts() const;
  void set_pts(Timestamp pts);
  std::int64_t duration_ticks() const { return duration_; }
  void set_duration_ticks(std::int64_t ticks) { duration_ = ticks; }
  bool interlaced() const;
  // The pixel format has transparency.
  bool has_alpha() const;
  bool key() const;
  // The decoder met damage in this picture and concealed it.
  bool damaged() const;

  AVFrame* av() const { return frame_.get(); }

 private:
  struct Free {
    void operator()(AVFrame* frame) const;
  };
  std::unique_ptr<AVFrame, Free> frame_;
  Rational base_{1, 1};
  std::int64_t duration_ = 0;
};

}  // namespace kinora::media

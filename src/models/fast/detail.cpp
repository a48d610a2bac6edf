#include "models/fast/detail.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace kinora::models::fast {
namespace {

using Taps = std::array<float, 4>;  // of pixels floor(x)-1 .. floor(x)+2

// Keys' cubic convolution kernel with a = -0.5.
float keys(float x) {
  x = std::abs(x);
  if (x < 1) return (1.5F * x - 2.5F) * x * x + 1;
  if (x < 2) return ((-0.5F * x + 2.5F) * x - 4) * x + 2;
  return 0;
}

// For each of the `scale` places of an enlarged pixel within a source pixel: the first source pixel, relative, and its weights.
struct Phase {
  int first;
  Taps taps;
};
std::vector<Phase> phases(int scale) {
  std::vector<Phase> out;
  for (int i = 0; i < scale; ++i) {
    const float at = (static_cast<float>(i) + 0.5F) / static_cast<float>(scale) - 0.5F;
    const float whole = std::floor(at), part = at - whole;
    out.push_back({static_cast<int>(whole) - 1, {keys(part + 1), keys(part), keys(1 - part), keys(2 - part)}});
  }
  return out;
}

// A row of the source to floats in units of the layer, with `margin` pixels repeated on both sides.
constexpr int kPad = 3;
template <class Sample>
void load(const Sample* in, int width, int step, float unit, std::vector<float>& out) {
  const std::ptrdiff_t pad = kPad * step, length = static_cast<std::ptrdiff_t>(width) * step;
  out.resize(static_cast<std::size_t>(length + 2 * pad));
  float* const row = out.data() + pad;
  for (std::ptrdiff_t i = 0; i < length; ++i) row[i] = static_cast<float>(in[i]) * unit;
  for (std::ptrdiff_t i = 0; i < pad; ++i) {
    row[i - pad] = row[i % step];
    row[length + i] = row[length - step + i % step];
  }
}

void widen(const std::vector<float>& in, int width, int step, const std::vector<Phase>& phases, std::vector<float>& out) {
  const int scale = static_cast<int>(phases.size());
  out.resize(phases.size() * static_cast<std::size_t>(width) * static_cast<std::size_t>(step));
  for (int i = 0; i < scale; ++i) {
    const Phase& phase = phases[static_cast<std::size_t>(i)];
    const float* from = in.data() + static_cast<std::ptrdiff_t>(kPad + phase.first) * step;
    float* const to = out.data() + static_cast<std::ptrdiff_t>(i) * step;
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < step; ++c) {
        const float* p = from + x * step + c;
        to[static_cast<std::ptrdiff_t>(x) * scale * step + c] =
            phase.taps[0] * p[0] + phase.taps[1] * p[step] + phase.taps[2] * p[2 * step] + phase.taps[3] * p[3 * step];
      }
  }
}

std::int16_t to_unit(float value) { return static_cast<std::int16_t>(std::clamp(value, -32768.0F, 32767.0F) + (value < 0 ? -0.5F : 0.5F)); }

template <class Sample>
Layer enlarge(const Picture& picture, int scale) {
  const int width = static_cast<int>(picture.width), height = static_cast<int>(picture.height);
  Layer out(picture.type, width * scale, height * scale);
  const int step = out.samples_per_pixel(), length = width * scale * step;
  const float unit = static_cast<float>(kUnit) * (sizeof(Sample) == 1 ? 1.0F : 255.0F / 65535.0F);
  const auto places = phases(scale);
  std::array<std::vector<float>, 4> rows;  // source rows first .. first+3, widened
  std::vector<float> source;
  for (int plane = 0; plane < out.planes(); ++plane) {
    const auto* in = static_cast<const Sample*>(picture.data) + static_cast<std::ptrdiff_t>(plane) * width * height;
    const auto fill = [&](std::vector<float>& row, int y) {
      load(in + static_cast<std::ptrdiff_t>(std::clamp(y, 0, height - 1)) * width * step, width, step, unit, source);
      widen(source, width, step, places, row);
    };
    int held = -1000;  // the source row in rows[0]
    for (int y = 0; y < height * scale; ++y) {
      const Phase& phase = places[static_cast<std::size_t>(y % scale)];
      const int first = y / scale + phase.first;
      if (held != first) {
        if (held == first - 1) {
          std::rotate(rows.begin(), rows.begin() + 1, rows.end());
          fill(rows[3], first + 3);
        } else {
          for (int i = 0; i < 4; ++i) fill(rows[static_cast<std::size_t>(i)], first + i);
        }
        held = first;
      }
      std::int16_t* to = out.row(plane, y);
      const float *a = rows[0].data(), *b = rows[1].data(), *c = rows[2].data(), *d = rows[3].data();
      const Taps t = phase.taps;
      for (int x = 0; x < length; ++x) to[x] = to_unit(t[0] * a[x] + t[1] * b[x] + t[2] * c[x] + t[3] * d[x]);
    }
  }
  return out;
}

// Samples of a row <-> units.
template <class Sample>
constexpr float kUnitsPerSample = sizeof(Sample) == 1 ? static_cast<float>(kUnit) : static_cast<float>(kUnit) * 255.0F / 65535.0F;

template <class Sample>
void subtract(const Picture& enlarged, const Layer& base, Layer& out) {
  const int length = base.width() * base.samples_per_pixel();
  const auto* in = static_cast<const Sample*>(enlarged.data);
  for (int plane = 0; plane < base.planes(); ++plane)
    for (int y = 0; y < base.height(); ++y, in += length) {
      const std::int16_t* from = base.row(plane, y);
      std::int16_t* to = out.row(plane, y);
      for (int x = 0; x < length; ++x) to[x] = to_unit(static_cast<float>(in[x]) * kUnitsPerSample<Sample> - static_cast<float>(from[x]));
    }
}

template <class Sample>
void sum(const Layer& base, const Layer& detail, Sample* out) {
  const int length = base.width() * base.samples_per_pixel();
  constexpr float most = sizeof(Sample) == 1 ? 255.0F : 65535.0F;
  for (int plane = 0; plane < base.planes(); ++plane)
    for (int y = 0; y < base.height(); ++y, out += length) {
      const std::int16_t *a = base.row(plane, y), *b = detail.row(plane, y);
      for (int x = 0; x < length; ++x) {
        const float value = static_cast<float>(a[x] + b[x]) / kUnitsPerSample<Sample> + 0.5F;
        out[x] = static_cast<Sample>(std::clamp(value, 0.0F, most));
      }
    }
}

}  // namespace

Layer::Layer(SampleType type, int width, int height)
    : width_(width),
      height_(height),
      planes_(type == SampleType::packed_u8 ? 1 : 3),
      step_(type == SampleType::packed_u8 ? 3 : 1),
      values_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {}

Layer bicubic(const Picture& picture, int scale) {
  return picture.type == SampleType::packed_u8 ? enlarge<std::uint8_t>(picture, scale) : enlarge<std::uint16_t>(picture, scale);
}

Layer difference(const Picture& enlarged, const Layer& base) {
  Layer out(enlarged.type, base.width(), base.height());
  if (enlarged.type == SampleType::packed_u8)
    subtract<std::uint8_t>(enlarged, base, out);
  else
    subtract<std::uint16_t>(enlarged, base, out);
  return out;
}

void add(const Layer& base, const Layer& detail, SampleType type, void* out) {
  if (type == SampleType::packed_u8)
    sum(base, detail, static_cast<std::uint8_t*>(out));
  else
    sum(base, detail, static_cast<std::uint16_t*>(out));
}

}  // namespace kinora::models::fast

#include "nn/gguf/ggml_type.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace kinora::nn::gguf {
namespace {

using Byte = std::uint8_t;

// IEEE 754 binary16 -> binary32.
float half(const Byte* at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16, exponent = (bits >> 10) & 31U, fraction = bits & 0x3ffU;
  if (exponent == 0) return (sign != 0 ? -1.0F : 1.0F) * static_cast<float>(fraction) * 0x1p-24F;  // subnormal
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

// 32 elements in 4 bits, those of a block's first half in the low nibbles; from 5-bit types the fifth bits are in `high`.
int nibble(const Byte* quants, int i) { return i < 16 ? quants[i] & 15 : quants[i - 16] >> 4; }

void q8_0(const Byte* in, float* out) {
  const float d = half(in);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<std::int8_t>(in[2 + i]));
}
void q4_0(const Byte* in, float* out) {
  const float d = half(in);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(nibble(in + 2, i) - 8);
}
void q4_1(const Byte* in, float* out) {
  const float d = half(in), m = half(in + 2);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(nibble(in + 4, i)) + m;
}
int fifth_bit(const Byte* at, int i) {
  std::uint32_t high;
  std::memcpy(&high, at, sizeof high);
  return static_cast<int>((high >> i) & 1U) << 4;
}
void q5_0(const Byte* in, float* out) {
  const float d = half(in);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>((nibble(in + 6, i) | fifth_bit(in + 2, i)) - 16);
}
void q5_1(const Byte* in, float* out) {
  const float d = half(in), m = half(in + 2);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(nibble(in + 8, i) | fifth_bit(in + 4, i)) + m;
}

// The 12 bytes s of Q4_K and Q5_K hold eight 6-bit scales and eight 6-bit minima.
struct ScaleMin {
  int scale, min;
};
ScaleMin scale_min(const Byte* s, int j) {
  if (j < 4) return {s[j] & 63, s[j + 4] & 63};
  return {(s[j + 4] & 15) | ((s[j - 4] >> 2) & 48), (s[j + 4] >> 4) | ((s[j] >> 2) & 48)};
}
void q4_k(const Byte* in, float* out) {
  const float d = half(in), dmin = half(in + 2);
  const Byte* quants = in + 16;
  for (int j = 0; j < 8; ++j) {  // each run of 32 bytes holds two sub-blocks: low nibbles, then high
    const auto [scale, min] = scale_min(in + 4, j);
    const float by = d * static_cast<float>(scale), less = dmin * static_cast<float>(min);
    for (int i = 0; i < 32; ++i) {
      const int byte = quants[32 * (j / 2) + i];
      out[32 * j + i] = by * static_cast<float>(j % 2 == 0 ? byte & 15 : byte >> 4) - less;
    }
  }
}
void q5_k(const Byte* in, float* out) {
  const float d = half(in), dmin = half(in + 2);
  const Byte *high = in + 16, *quants = in + 48;
  for (int j = 0; j < 8; ++j) {  // bit j of high[i] is the fifth bit of element i of sub-block j
    const auto [scale, min] = scale_min(in + 4, j);
    const float by = d * static_cast<float>(scale), less = dmin * static_cast<float>(min);
    for (int i = 0; i < 32; ++i) {
      const int byte = quants[32 * (j / 2) + i];
      const int q = (j % 2 == 0 ? byte & 15 : byte >> 4) | (((high[i] >> j) & 1) << 4);
      out[32 * j + i] = by * static_cast<float>(q) - less;
    }
  }
}
void q6_k(const Byte* in, float* out) {
  const Byte *low = in, *high = in + 128, *scales = in + 192;
  const float d = half(in + 208);
  for (int e = 0; e < 256; ++e) {
    const int part = e / 128, row = e % 128 / 32, i = e % 32;  // two parts of four rows of 32
    const int byte = low[64 * part + 32 * (row % 2) + i];
    const int q = ((row < 2 ? byte & 15 : byte >> 4) | (((high[32 * part + i] >> (2 * row)) & 3) << 4)) - 32;
    out[e] = d * static_cast<float>(static_cast<std::int8_t>(scales[e / 16])) * static_cast<float>(q);
  }
}
void q2_k(const Byte* in, float* out) {
  const Byte *scales = in, *quants = in + 16;
  const float d = half(in + 80), dmin = half(in + 82);
  for (int e = 0; e < 256; ++e) {
    const int part = e / 128, row = e % 128 / 32, i = e % 32;
    const int q = (quants[32 * part + i] >> (2 * row)) & 3;
    const float by = d * static_cast<float>(scales[e / 16] & 15), less = dmin * static_cast<float>(scales[e / 16] >> 4);
    out[e] = by * static_cast<float>(q) - less;
  }
}
void q3_k(const Byte* in, float* out) {
  const Byte *mask = in, *quants = in + 32, *packed = in + 96;
  const float d = half(in + 108);
  for (int e = 0; e < 256; ++e) {
    const int part = e / 128, row = e % 128 / 32, i = e % 32, j = e / 16;
    // Sixteen 6-bit scales: the low 4 bits in the nibbles of 8 bytes, the high 2 bits in the 4 bytes after them.
    const int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
    const int scale = (low | (((packed[8 + j % 4] >> (2 * (j / 4))) & 3) << 4)) - 32;
    const int q = ((quants[32 * part + i] >> (2 * row)) & 3) - (((mask[i] >> (4 * part + row)) & 1) != 0 ? 0 : 4);
    out[e] = d * static_cast<float>(scale) * static_cast<float>(q);
  }
}

using Decode = void (*)(const Byte*, float*);
struct Row {
  GgmlType type;
  Decode decode;
};
constexpr std::array<Row, 18> kRows{{{{0, "F32", 1, 4, Dtype::f32}, nullptr},
                                     {{1, "F16", 1, 2, Dtype::f16}, nullptr},
                                     {{2, "Q4_0", 32, 18, {}}, q4_0},
                                     {{3, "Q4_1", 32, 20, {}}, q4_1},
                                     {{6, "Q5_0", 32, 22, {}}, q5_0},
                                     {{7, "Q5_1", 32, 24, {}}, q5_1},
                                     {{8, "Q8_0", 32, 34, {}}, q8_0},
                                     {{10, "Q2_K", 256, 84, {}}, q2_k},
                                     {{11, "Q3_K", 256, 110, {}}, q3_k},
                                     {{12, "Q4_K", 256, 144, {}}, q4_k},
                                     {{13, "Q5_K", 256, 176, {}}, q5_k},
                                     {{14, "Q6_K", 256, 210, {}}, q6_k},
                                     {{24, "I8", 1, 1, Dtype::i8}, nullptr},
                                     {{25, "I16", 1, 2, Dtype::i16}, nullptr},
                                     {{26, "I32", 1, 4, Dtype::i32}, nullptr},
                                     {{27, "I64", 1, 8, Dtype::i64}, nullptr},
                                     {{28, "F64", 1, 8, Dtype::f64}, nullptr},
                                     {{30, "BF16", 1, 2, Dtype::bf16}, nullptr}}};

}  // namespace

std::optional<GgmlType> ggml_type(std::uint32_t id) {
  for (const Row& row : kRows)
    if (row.type.id == id) return row.type;
  return std::nullopt;
}

std::optional<GgmlType> packed_type(std::size_t block_bytes) {
  for (const Row& row : kRows)
    if (row.decode != nullptr && row.type.bytes == block_bytes) return row.type;
  return std::nullopt;
}

void dequantise(const GgmlType& type, std::span<const std::byte> in, std::span<float> out) {
  for (const Row& row : kRows) {
    if (row.type.id != type.id || row.decode == nullptr) continue;
    const auto* bytes = reinterpret_cast<const Byte*>(in.data());
    for (std::size_t block = 0; block < out.size() / type.elements; ++block)
      row.decode(bytes + block * type.bytes, out.data() + block * type.elements);
  }
}

}  // namespace kinora::nn::gguf

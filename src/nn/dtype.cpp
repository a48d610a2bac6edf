#include "nn/dtype.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace kinora::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian and are used in place");

struct Row {
  Dtype dtype;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array<Row, 17> kTable{{{Dtype::boolean, "BOOL", 1},
                                      {Dtype::u8, "U8", 1},
                                      {Dtype::i8, "I8", 1},
                                      {Dtype::f8_e4m3, "F8_E4M3", 1},
                                      {Dtype::f8_e5m2, "F8_E5M2", 1},
                                      {Dtype::f8_e8m0, "F8_E8M0", 1},
                                      {Dtype::u16, "U16", 2},
                                      {Dtype::i16, "I16", 2},
                                      {Dtype::f16, "F16", 2},
                                      {Dtype::bf16, "BF16", 2},
                                      {Dtype::u32, "U32", 4},
                                      {Dtype::i32, "I32", 4},
                                      {Dtype::f32, "F32", 4},
                                      {Dtype::u64, "U64", 8},
                                      {Dtype::i64, "I64", 8},
                                      {Dtype::f64, "F64", 8},
                                      {Dtype::c64, "C64", 8}}};

const Row& row(Dtype dtype) { return kTable[static_cast<std::size_t>(dtype)]; }

// IEEE 754: all exponent bits set means infinity or NaN.
template <class Bits>
std::optional<std::size_t> find_full_exponent(std::span<const std::byte> data, Bits exponent) {
  for (std::size_t i = 0; i + sizeof(Bits) <= data.size(); i += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, data.data() + i, sizeof bits);
    if ((bits & exponent) == exponent) return i / sizeof(Bits);
  }
  return std::nullopt;
}

std::optional<std::size_t> find_byte(std::span<const std::byte> data, unsigned mask, unsigned value) {
  for (std::size_t i = 0; i < data.size(); ++i)
    if ((std::to_integer<unsigned>(data[i]) & mask) == value) return i;
  return std::nullopt;
}

}  // namespace

std::optional<Dtype> dtype_from_name(std::string_view name) {
  for (const Row& entry : kTable)
    if (entry.name == name) return entry.dtype;
  return std::nullopt;
}

std::string_view name(Dtype dtype) { return row(dtype).name; }
std::size_t bytes_per_element(Dtype dtype) { return row(dtype).bytes; }

std::optional<std::size_t> first_non_finite(std::span<const std::byte> data, Dtype dtype) {
  switch (dtype) {
    case Dtype::f16: return find_full_exponent<std::uint16_t>(data, 0x7c00);
    case Dtype::bf16: return find_full_exponent<std::uint16_t>(data, 0x7f80);
    case Dtype::f32: return find_full_exponent<std::uint32_t>(data, 0x7f800000U);
    case Dtype::f64: return find_full_exponent<std::uint64_t>(data, 0x7ff0000000000000ULL);
    case Dtype::c64:
      if (const auto part = find_full_exponent<std::uint32_t>(data, 0x7f800000U)) return *part / 2;
      return std::nullopt;
    case Dtype::f8_e4m3: return find_byte(data, 0x7f, 0x7f);  // OCP 8-bit: e4m3 has one NaN pattern and no infinity
    case Dtype::f8_e5m2: return find_byte(data, 0x7c, 0x7c);
    case Dtype::f8_e8m0: return find_byte(data, 0xff, 0xff);
    default: return std::nullopt;
  }
}

}  // namespace kinora::nn

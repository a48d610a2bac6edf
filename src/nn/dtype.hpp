#pragma once
// Element types of stored tensors, as safetensors names them. No LibTorch here.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace kinora::nn {

enum class Dtype : std::uint8_t { boolean, u8, i8, f8_e4m3, f8_e5m2, f8_e8m0, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64, c64 };

// "BF16" -> Dtype::bf16; nullopt for names that are not in the table (F4 and F6 pack several elements a byte: not supported).
std::optional<Dtype> dtype_from_name(std::string_view name);
std::string_view name(Dtype dtype);
std::size_t bytes_per_element(Dtype dtype);

// Index of the first NaN or infinity in little-endian elements of a floating type, or nullopt. Integer types have none.
// Elements of data beyond the last whole one are ignored.
std::optional<std::size_t> first_non_finite(std::span<const std::byte> data, Dtype dtype);

}  // namespace kinora::nn

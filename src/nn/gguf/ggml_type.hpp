#pragma once
// The element types of GGUF files: plain numbers, and blocks of small integers with common scales. Layouts and formulas: ggml's
// quantisation types as the gguf Python package (gguf/quants.py) decodes them. Pure.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "nn/dtype.hpp"

namespace kinora::nn::gguf {

struct GgmlType {
  std::uint32_t id;
  std::string_view name;        // "Q4_K"
  std::size_t elements, bytes;  // of a block
  std::optional<Dtype> plain;   // used in place; nullopt: blocks that dequantise() decodes
};

std::optional<GgmlType> ggml_type(std::uint32_t id);  // nullopt: unknown or not supported
// The type whose blocks have this many bytes: no two have the same. nullopt: none.
std::optional<GgmlType> packed_type(std::size_t block_bytes);

// Decodes whole blocks: out.size() = blocks * type.elements, in.size() = blocks * type.bytes. type must not be plain.
void dequantise(const GgmlType& type, std::span<const std::byte> in, std::span<float> out);

}  // namespace kinora::nn::gguf

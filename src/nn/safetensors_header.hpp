#pragma once
// Reads the header of a safetensors file: 8 bytes little-endian length N, N bytes of JSON, then the data (format 0.4 and later;
// https://huggingface.co/docs/safetensors). Pure: bytes in, table out; no LibTorch, no file access, nothing is allocated that
// the header's own size does not bound. Every way in which a file can lie about its tensors is a LoadError.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/dtype.hpp"
#include "nn/load_error.hpp"

namespace kinora::nn {

inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;  // as the format's own library
inline constexpr std::size_t kMaxTensorRank = 16;
inline constexpr std::size_t kMaxTensors = 1'000'000;

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // empty: a scalar
  std::uint64_t begin = 0;          // bytes from the start of the data, end exclusive; end - begin = product(shape) * element
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;             // by position in the file
  std::map<std::string, std::string> metadata;  // the "__metadata__" object
  std::uint64_t data_offset = 0;                // where in the file the data begin

  const TensorEntry* find(std::string_view name) const;  // nullptr when absent; linear
};

// file: the whole file (or its beginning, up to at least the end of the header) and file_bytes the file's size.
// Checked: length within the file and kMaxSafetensorsHeaderBytes; strict JSON object, no duplicate or unknown fields; known
// dtype; 0 <= dims, no overflow of their product; offsets in the file, in step with shape and dtype, without overlap, without
// holes, and reaching the end of the file.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, std::uint64_t file_bytes, std::string_view file_name);

}  // namespace kinora::nn

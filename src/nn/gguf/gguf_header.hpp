#pragma once
// The header of a GGUF file, version 2 or 3 (ggml/docs/gguf.md): metadata, then the tensors' names, shapes, types and places. Pure; nothing
// is allocated that the file's own size does not bound. Errors: LoadError naming byte or tensor.
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/gguf/ggml_type.hpp"

namespace kinora::nn::gguf {

inline constexpr std::uint64_t kMaxMetadata = 1'000'000;

struct TensorEntry {
  std::string name;
  GgmlType type;
  std::vector<std::int64_t> shape;     // slowest first, as everywhere else here
  std::uint64_t begin = 0, bytes = 0;  // in the file
};

struct Header {
  std::map<std::string, std::string> texts;  // metadata that are texts: "general.architecture"
  std::vector<TensorEntry> tensors;
};

bool is_gguf(std::span<const std::byte> file);
// Files of ComfyUI keep shapes of more than 4 dimensions in metadata "comfy.gguf.orig_shape.NAME"; they are given back.
Header parse_gguf_header(std::span<const std::byte> file, std::string_view file_name);

}  // namespace kinora::nn::gguf

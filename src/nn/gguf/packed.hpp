#pragma once
// Matrices of GGUF files kept as the blocks that the file holds: uint8 [rows, blocks of a row, bytes of a block]. The bytes tell the
// element type, for no two types have blocks of one size. Such a tensor moves, counts its bytes and is exchanged like any other weight; a
// layer turns it into numbers when it is used.
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "nn/gguf/ggml_type.hpp"

namespace kinora::nn::gguf {

bool is_packed(const at::Tensor& weight);
// [rows, columns] of a packed matrix, the sizes of any other tensor.
std::vector<std::int64_t> logical_sizes(const at::Tensor& weight);
// The numbers of a packed matrix [rows, columns] on its device: those of dequantise(), rounded once to dtype.
at::Tensor unpacked(const at::Tensor& packed, at::ScalarType dtype);
// The same by operators that every device has (CUDA).
at::Tensor unpacked_by_operators(const at::Tensor& packed, at::ScalarType dtype);

}  // namespace kinora::nn::gguf

#pragma once
// Files that torch.save writes (.pth, .pt, .ckpt, .bin): the zip form of PyTorch 1.6 and later, and the legacy stream before it. Gives the
// tensors of their state dict without executing anything; see unpickler.hpp and state_dict.hpp for what is accepted. Pure.
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "nn/torch_file/state_dict.hpp"

namespace kinora::nn::torch_file {

bool is_torch_file(std::span<const std::byte> file);  // begins like one of the two forms
std::vector<TensorRecord> read_torch_file(std::span<const std::byte> file, std::string_view file_name);

}  // namespace kinora::nn::torch_file

#pragma once
// Reads the subset of Python's pickle format (protocols 2 to 5) that state dicts are made of. It is a reader of data: no opcode calls
// anything, a name outside torch_globals.hpp is refused, and so is every opcode that torch.save does not write. Memory is bounded by
// kMaxPickleBytes and kMaxPickleValues. Opcodes: CPython, Lib/pickletools.py. Errors: LoadError naming file and byte.
#include <cstddef>
#include <span>
#include <string_view>

#include "nn/torch_file/pickle_value.hpp"

namespace kinora::nn::torch_file {

inline constexpr std::size_t kMaxPickleBytes = 64 << 20;
inline constexpr std::size_t kMaxPickleValues = 1 << 22;

// The pickle at the beginning of `bytes`, which must outlive the result. what: the part of the file that it is, for messages.
Pickle unpickle(std::span<const std::byte> bytes, std::string_view file, std::string_view what);

}  // namespace kinora::nn::torch_file

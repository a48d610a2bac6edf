#pragma once
// What the pickle of a state dict can hold. Values live in one table and refer to each other by index, so that sharing, cycles and
// depth cost nothing when they are built, walked or destroyed. Texts point into the pickle's bytes.
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nn/torch_file/torch_globals.hpp"

namespace kinora::nn::torch_file {

using Ref = std::uint32_t;  // index into Pickle::values

struct Plain {};  // a value that no state dict needs: None, a fraction, a set ...
struct LongInteger {
  std::string_view bytes;  // little-endian, more than 8 of them
};
struct Text {
  std::string_view utf8;
};
struct Sequence {
  std::vector<Ref> items;
  bool tuple = false;  // else a list
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;  // in the order they were set; a later equal key replaces an earlier one
};
struct Storage {
  std::optional<Dtype> dtype;  // nullopt: untyped
  std::string_view key;
  std::uint64_t count = 0;  // elements, or bytes when untyped
};
struct PickledTensor {
  Ref storage = 0;
  Dtype dtype = Dtype::f32;
  std::int64_t offset = 0;  // in elements
  std::vector<std::int64_t> shape, strides;
};

using Value = std::variant<Plain, bool, std::int64_t, LongInteger, Text, Sequence, Dict, Global, Storage, PickledTensor>;

struct Pickle {
  std::vector<Value> values;
  Ref root = 0;
  std::size_t bytes = 0;  // of the input that it took

  template <class T>
  const T* get(Ref ref) const {
    return std::get_if<T>(&values[ref]);
  }
  const Value* find(const Dict& dict, std::string_view key) const;  // nullptr when absent
};

}  // namespace kinora::nn::torch_file

#pragma once
// Reads little-endian numbers and runs of bytes from memory; every read past the end is a LoadError that names the byte.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "nn/load_error.hpp"

namespace kinora::nn {

class ByteReader {
 public:
  // what: the part of the file that the bytes are, "data.pkl"; for messages.
  ByteReader(std::span<const std::byte> bytes, std::string_view file, std::string_view what, std::size_t position = 0)
      : bytes_(bytes), file_(file), what_(what), position_(position) {}

  template <class T>
  T read() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > left()) refuse("ends early");
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }
  std::string_view text(std::uint64_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  // Up to the next line feed, which is taken and not given.
  std::string_view line() {
    std::size_t length = 0;
    while (length < left() && bytes_[position_ + length] != std::byte{'\n'}) ++length;
    const auto found = text(length);
    take(1);
    return found;
  }
  std::size_t position() const { return position_; }
  std::size_t left() const { return position_ < bytes_.size() ? bytes_.size() - position_ : 0; }
  [[noreturn]] void refuse(std::string_view reason) const { throw LoadError(file_, what_ + " byte " + std::to_string(position_), reason); }

 private:
  std::span<const std::byte> bytes_;
  std::string file_, what_;
  std::size_t position_;
};

}  // namespace kinora::nn

#pragma once
// A price as Livepeer has it: wei per some number of units, an exact fraction. For external capabilities the unit is a
// second of compute. Pure.
#include <cstdint>
#include <optional>
#include <string>

namespace kinora::wire {

struct Price {
  std::int64_t wei = 0;    // pricePerUnit, >= 0
  std::int64_t units = 1;  // pixelsPerUnit, > 0
  // Compares by cross multiplication in 128 bits: exact.
  friend bool operator<=(const Price& a, const Price& b);
  friend bool operator<(const Price& a, const Price& b) { return !(b <= a); }
  friend bool operator==(const Price& a, const Price& b) { return a <= b && b <= a; }
  bool valid() const { return wei >= 0 && units > 0; }
};

// "1200" or "1010/3".
std::string to_string(const Price& price);

}  // namespace kinora::wire

#pragma once
// How names of files and adapters are read for what they tell.
#include <cctype>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

// Everything but letters and digits left out, in small letters: "Wan2.2_T2V_High-Noise" -> "wan22t2vhighnoise".
inline std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) plain.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return plain;
}

}  // namespace kinora::models::single_file

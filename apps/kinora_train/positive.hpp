#pragma once
#include <CLI/CLI.hpp>
#include <cmath>
#include <string>

namespace kinora::train {

// A finite number above 0. (CLI::PositiveNumber takes "nan", and tells a bound of 309 digits.)
inline CLI::Validator positive() {
  const auto check = [](const std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0) return {};
    return "must be a number above 0, not " + text;
  };
  return {check, "ABOVE 0", "positive"};
}

}  // namespace kinora::train

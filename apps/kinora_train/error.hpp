#pragma once
// The trainer is a tool for one person at a terminal: what cannot be done is thrown as Failure and printed by main.
#include <stdexcept>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace kinora::train {

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The value, or its error as Failure.
template <class T>
T take(base::Result<T> result) {
  if (!result) throw Failure(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace kinora::train

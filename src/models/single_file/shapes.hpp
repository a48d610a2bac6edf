#pragma once
// The shapes of a checkpoint's tensors, asked for what a configuration would say. Errors: nn::LoadError naming the tensor.
#include <cstdint>
#include <string>
#include <utility>

#include "nn/load_error.hpp"
#include "nn/weight_check.hpp"

namespace kinora::models::single_file {

// Refers to the shapes that it is made with.
class Shapes {
 public:
  Shapes(const nn::WeightShapes& shapes, std::string file) : shapes_(shapes), file_(std::move(file)) {}

  bool has(const std::string& name) const { return shapes_.contains(name); }
  std::int64_t side(const std::string& name, std::size_t dimension) const {
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) throw nn::LoadError(file_, name, "is missing");
    if (found->second.size() <= dimension) throw nn::LoadError(file_, name, "has too few dimensions");
    return found->second[dimension];
  }
  std::size_t rank(const std::string& name) const { return has(name) ? shapes_.find(name)->second.size() : 0; }
  // How many of "before0after", "before1after", ... there are.
  std::int64_t count(const std::string& before, const std::string& after) const {
    std::int64_t n = 0;
    while (has(std::string(before).append(std::to_string(n)).append(after))) ++n;
    return n;
  }

 private:
  const nn::WeightShapes& shapes_;
  std::string file_;
};

}  // namespace kinora::models::single_file

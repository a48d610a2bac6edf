#pragma once
// The adapters that a request names, on a pipeline's weights. Those of the last request stay set and their files read, so that a request
// with the same ones changes nothing. One thread.
#include <filesystem>
#include <vector>

#include "models/diffusion/component.hpp"
#include "models/pipeline.hpp"

namespace kinora::models::diffusion {

class AdapterShelf {
 public:
  // Throws AdapterRefused, naming the adapter, when a file cannot be read or does not fit; then nothing changes.
  void set(const std::vector<AdapterChoice>& choices, Components& components);

 private:
  struct Held {
    AdapterChoice choice;
    std::filesystem::file_time_type written;
    lora::AdapterUse use;
  };
  bool holds(const std::vector<AdapterChoice>& choices) const;

  std::vector<Held> held_;
};

}  // namespace kinora::models::diffusion

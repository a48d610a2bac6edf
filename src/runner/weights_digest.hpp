#pragma once
// A name for what a model's weights are, however the model is called and wherever it lies. Any thread.
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runner/model_entry.hpp"

namespace kinora::runner {

// The weight files that the model is loaded from, of sharded components all shards; by path.
std::vector<std::filesystem::path> weight_files(const ModelEntry& model);

class WeightsDigests {
 public:
  // "sha256:" and the SHA-256 of one line "HASH  PATH\n" for each weight file, as sha256sum prints them in the model's folder, by path. A
  // file is read once, and again when its size or time changes; one of a hub cache never: its name there is its hash. io: a file
  // cannot be read.
  base::Result<std::string> of(const ModelEntry& model);

 private:
  struct Known {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type written;
    std::string hash;
  };
  base::Result<std::string> hash_of(const std::filesystem::path& file);

  std::mutex mutex_;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace kinora::runner

#pragma once
// A name for what a model's weights are, however the model is called and wherever it lies. Any thread.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "runner/model_entry.hpp"

namespace kinora::runner {

// The weight files that the model is loaded from, of sharded components all shards, by their paths in the model's folder. What comes from
// elsewhere has a name there as well: "unet/FILE", "motion_adapter/FILE".
std::map<std::string, std::filesystem::path> weight_files(const ModelEntry& model);
// Another number when any of them has changed: of names, sizes, times. Reads no file.
std::uint64_t weights_stamp(const ModelEntry& model);

class WeightsDigests {
 public:
  // "sha256:" and the SHA-256 of one line "HASH  PATH\n" for each weight file, as sha256sum prints them in the model's folder, by path. A
  // file is read once, and again when its size or time changes; one of a hub cache never: its name there is its hash. io: a file
  // cannot be read.
  base::Result<std::string> of(const ModelEntry& model);
  // The same, when no file has to be read for it.
  std::optional<std::string> known(const ModelEntry& model);
  // Reads what known() lacks, one file after the other on a thread of its own; returns at once. Nothing, while it reads for an earlier
  // call.
  void learn(std::vector<ModelEntry> models);

 private:
  struct Known {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type written;
    std::string hash;
  };
  // not_found: it would have to be read, and `read` is false. canceled.
  base::Result<std::string> hash_of(const std::filesystem::path& file, bool read, const std::stop_token& stop);
  base::Result<std::string> digest(const ModelEntry& model, bool read, const std::stop_token& stop);

  std::mutex mutex_;
  std::map<std::filesystem::path, Known> known_;
  std::atomic<bool> learning_ = false;
  std::jthread learner_;  // last: it uses the rest
};

}  // namespace kinora::runner

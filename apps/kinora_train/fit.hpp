#pragma once
// Updates of networks by their loss until the time or the steps are over, with an average of the weights and a checkpoint to go on from.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kinora_train/leaves.hpp"

namespace kinora::train {

using Talk = std::function<void(const std::string&)>;

struct FitSettings {
  std::string name;                  // for talk
  std::filesystem::path checkpoint;  // written now and then and at the end; where a run goes on from
  bool resume = false;               // go on from the checkpoint when it exists
  // Exactly one of these two; both count from the first start, not from the last. Minutes are of processor time divided by `threads`: as
  // long as a free machine takes, however busy this one is.
  std::optional<double> minutes;
  std::optional<std::int64_t> steps;
  int threads = 1;
  std::uint64_t seed = 1;
  double peak_rate = 1e-3, last_rate = 1e-5, warmup = 0.02;
  std::function<bool(const std::string& name)> by_muon;  // of the weights that Muon takes: these by it, all else by Adam; none: Adam alone
  double muon_rate = 5;                                  // times the rate of Adam
  double average_decay = 0.999;
  double longest_gradient = 1;
  double save_every_s = 120;
  std::int64_t talk_every = 50;
};

struct FitReport {
  std::int64_t steps = 0;      // from the first start
  std::vector<double> losses;  // of this call's steps
  nn::TensorMap average;       // of the weights
};

// loss: of update `step` (from 0), which depends on nothing else, so that a run that goes on is as one that never stopped.
// saved: after each checkpoint but the last, with the average and the steps so far. Throws Failure.
FitReport fit(Leaves& leaves, const FitSettings& settings, const std::function<at::Tensor(std::int64_t step)>& loss,
              const std::function<void(const nn::TensorMap& average, std::int64_t step)>& saved, const Talk& talk);

}  // namespace kinora::train

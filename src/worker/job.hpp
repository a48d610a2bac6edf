#pragma once
// What is done for one order, from its inputs to its uploaded files: fetch, run, upload (docs/protocol.md 4, 5).
//
// The whole's fraction: fetching is the first twentieth, uploading the last; what the program says lies between.
// Cancelling stops within a second; afterwards nothing of the order runs any more, its folder may be removed.
#include <functional>
#include <span>

#include "worker/input_cache.hpp"
#include "worker/runner_call.hpp"
#include "worker/work_folder.hpp"

namespace kinora::worker {

inline constexpr double kFetchShare = 0.05;
inline constexpr double kUploadShare = 0.05;
inline constexpr std::size_t kUploadsAtOnce = 4;

struct JobContext {
  Disk& disk;
  net::Client& client;
  InputCache& cache;
  const WorkFolder& folder;
  std::uint64_t max_input_bytes = 0;
  std::chrono::milliseconds transfer_retry{200};
  net::Reach media_reach = net::Reach::public_only;
  std::span<const std::string> own_gateways{};
};

// Runs the program on the inputs; the one that differs between kinora-media and a runner.
using Program = std::function<net::Task<Outcome<tasks::TaskResult>>(const tasks::TaskOrder& order, const LocalInputs& inputs,
                                                                    std::filesystem::path output_dir, ProgressReport report)>;

// The order's folder is made here and removed by the caller.
net::Task<Outcome<tasks::TaskResult>> do_job(JobContext context, const tasks::TaskOrder& order, const Program& program,
                                             ProgressReport report);

}  // namespace kinora::worker

#pragma once
// `kinora run`, of a task and of a workflow.
#include <string>
#include <vector>

#include "kinora/api_client.hpp"
#include "kinora/command.hpp"

namespace kinora::cli {

struct RunOptions {
  std::string workflow;  // its file; empty: words[0] is a task
  std::vector<std::string> words, sets, args, outputs, loras;
  std::string model, key, preview;
  bool quiet = false;
};

// What Ctrl-C cancels: "/v1/jobs/job_..." or "/v1/runs/run_..."; empty until it is there.
struct Submitted {
  std::string path;
};

// The exit status.
net::Task<base::Result<int>> run_workflow(ApiClient& api, const Context& context, const RunOptions& options, Submitted& submitted);

}  // namespace kinora::cli

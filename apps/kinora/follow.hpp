#pragma once
// Waiting for a job or run to end, and what its end means for the command.
#include <string>

#include "kinora/api_client.hpp"
#include "kinora/command.hpp"
#include "kinora/run_tree.hpp"

namespace kinora::cli {

// Of an ended job or run: 0 succeeded, 130 canceled, 3 when nobody could do it, else 1.
int exit_status(const base::json::object& ended);

// Follows a run until it ends: shows its tree, and with --json prints each event on a line of stdout. From its first event that is kept.
// The run as it is at the end.
net::Task<base::Result<base::json::object>> follow_run(ApiClient& api, const Context& context, std::string id, RunDisplay& display);

// "run_... succeeded in 3.2 s", with what went wrong. The last line of the display.
std::string ending_text(const base::json::object& run);

// A worker that has just started needs a moment to offer its tasks; after that nobody doing one of them is an answer (exhausted).
net::Task<base::Status> wait_for_offers(ApiClient& api, std::vector<std::string> tasks);

}  // namespace kinora::cli

#pragma once
#include <string>
#include <vector>

#include "kinora/api_client.hpp"
#include "kinora/job_input.hpp"

namespace kinora::cli {

// Fetches the files of artifacts to where plan_downloads() puts them; the paths that were written.
net::Task<base::Result<std::vector<std::string>>> download_items(ApiClient& api, std::vector<OutputItem> items, std::string to);

}  // namespace kinora::cli

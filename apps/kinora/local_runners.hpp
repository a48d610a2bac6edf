#pragma once
// The kinora-runner processes of this home's workers, asked directly: what they tell is not known to the network.
#include <boost/asio/awaitable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "kinora/home.hpp"
#include "net/client.hpp"

namespace kinora::cli {

// Device and address of each; one that has just ended may be among them.
std::vector<std::pair<std::string, std::string>> local_runners(const Home& home);
net::Task<base::Result<base::json::value>> ask_runner(net::Client& client, std::string url_and_path);

}  // namespace kinora::cli

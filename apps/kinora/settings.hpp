#pragma once
// The settings of a node, from config.toml of the home, KINORA_* variables and flags (base/config.hpp).
#include <map>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "kinora/home.hpp"

namespace kinora::cli {

const std::vector<base::ConfigKey>& config_keys();

// Reads them for this home; flags are "section.name" -> text.
base::Result<base::Config> load_settings(const Home& home, const std::map<std::string, std::string>& flags);

struct Endpoint {
  std::string address;  // "127.0.0.1"
  std::uint16_t port = 0;
  bool loopback = true;
};
// "127.0.0.1:8935", "[::1]:0", "0.0.0.0:8935".
base::Result<Endpoint> parse_endpoint(std::string_view text, std::string_view what);

}  // namespace kinora::cli

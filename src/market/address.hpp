#pragma once
// The address of an orchestrator as an operator writes it: "https://host:port", optionally with its key,
// "https://host:port#sha256/<base64>" (docs/protocol.md, section 3). Pure.
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kinora::market {

struct OrchestratorAddress {
  std::string url;  // scheme://host:port, no path, no trailing slash
  std::string pin;  // "sha256/<base64>" or empty
  friend bool operator==(const OrchestratorAddress&, const OrchestratorAddress&) = default;
};

// invalid: not http(s), has a path, query or user, or the part after '#' is no pin, or a pin on an http address.
base::Result<OrchestratorAddress> parse_address(std::string_view text);

}  // namespace kinora::market

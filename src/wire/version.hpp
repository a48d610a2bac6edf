#pragma once
// The version rule of the protocol: semantic versions whose pre-release part is ignored ("0.9.1-abc-dirty" equals 0.9.1).
#include <string_view>

namespace kinora::wire {

// The go-livepeer release whose protocol we speak; announced, because gateways compare it with their minimum.
inline constexpr std::string_view kProtocolVersion = "0.9.1";

// Empty or unparsable minimum: true. Version empty, "undefined" or unparsable: false.
bool version_satisfies(std::string_view minimum, std::string_view version);

}  // namespace kinora::wire

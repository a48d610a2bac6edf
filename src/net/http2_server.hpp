#pragma once
// The server's side of HTTP/2 (RFC 9113) as bytes in, bytes out.
#include <chrono>
#include <functional>
#include <memory>

#include "net/engine.hpp"

namespace kinora::net {

using Now = std::function<std::chrono::steady_clock::time_point()>;
std::unique_ptr<ServerEngine> make_http2_server(EngineLimits limits, ServerEngine::Accept accept, Now now = std::chrono::steady_clock::now);

}  // namespace kinora::net

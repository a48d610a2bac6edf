#pragma once
// The server's side of HTTP/1.1 (RFC 9112) as bytes in, bytes out: one exchange at a time, pipelined requests wait.
#include <memory>

#include "net/engine.hpp"
#include "net/http1_body.hpp"

namespace kinora::net {

inline constexpr std::size_t kMaxPipelinedBytes = 64 * 1024;   // read ahead while a request is being answered
inline constexpr std::uint64_t kMaxDrainedBytes = 256 * 1024;  // of a body that nobody read, to keep the connection

std::unique_ptr<ServerEngine> make_http1_server(EngineLimits limits, ServerEngine::Accept accept);

}  // namespace kinora::net

#pragma once
// The client's side of HTTP/1.1 (RFC 9112) as bytes in, bytes out: one exchange at a time.
#include <memory>

#include "net/engine.hpp"

namespace kinora::net {

std::unique_ptr<ClientEngine> make_http1_client(EngineLimits limits);

}  // namespace kinora::net

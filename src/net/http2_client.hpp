#pragma once
// The client's side of HTTP/2 (RFC 9113) as bytes in, bytes out: many exchanges on one connection.
#include <memory>

#include "net/engine.hpp"

namespace kinora::net {

std::unique_ptr<ClientEngine> make_http2_client(EngineLimits limits);

}  // namespace kinora::net

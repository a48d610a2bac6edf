#pragma once
// The textual parts of gRPC's headers (github.com/grpc/grpc doc/PROTOCOL-HTTP2.md).
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/grpc.hpp"

namespace kinora::net {

// grpc-message: bytes outside of 0x20..0x7e, and '%', as %XX. Decoding keeps what is malformed, as the protocol asks.
std::string encode_grpc_message(std::string_view message);
std::string decode_grpc_message(std::string_view text);

// grpc-timeout: at most 8 digits and a unit (H M S m u n). Parsed to at least 1 ns.
std::optional<std::chrono::nanoseconds> parse_grpc_timeout(std::string_view text);
std::string format_grpc_timeout(std::chrono::milliseconds timeout);

base::ErrorCode error_code_of(int grpc_status);
// What an HTTP status without grpc-status means (grpc doc/http-grpc-status-mapping.md).
base::ErrorCode error_code_of_http(int status);

}  // namespace kinora::net

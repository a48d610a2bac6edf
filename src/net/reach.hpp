#pragma once
// Where a request may go when a stranger has chosen its URL (server-side request forgery, CWE-918). The client looks a name up once, keeps
// the addresses that its reach allows and connects to one of those: a name that leads elsewhere a moment later (DNS rebinding) changes
// nothing, and SNI, certificate check and Host keep the name. Nothing follows redirects.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "net/http.hpp"

namespace kinora::net {

enum class Reach {
  anywhere,    // addresses that we or the operator chose
  public_only  // only addresses of the public internet
};

// True for globally reachable unicast addresses: none of IANA's special-purpose registries (loopback, private, link-local with cloud
// metadata, shared, documentation, benchmarking, multicast, reserved ...). IPv4 inside IPv6 (mapped, 6to4, NAT64) is judged as IPv4.
bool is_public(const boost::asio::ip::address& address);

// May a stranger's URL be asked for at all? Names are judged when they are looked up. Errors: invalid (no URL; not https, unless anywhere),
// forbidden (an address that is not within the reach).
base::Status check_reach(std::string_view url, Reach reach);

using Addresses = std::vector<boost::asio::ip::address>;
// Finds the addresses of a host name. Errors: unavailable (no such name), timeout.
using Resolver = std::function<Task<base::Result<Addresses>>(std::string host)>;
// The system's (getaddrinfo). A look-up that takes longer than `limit` is given up; its thread ends when the system lets it.
Resolver system_resolver(boost::asio::any_io_executor executor, std::chrono::milliseconds limit);

}  // namespace kinora::net

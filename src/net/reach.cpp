#include "net/reach.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>

#include "net/sync.hpp"
#include "net/url.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;
using asio::ip::address_v6;
using base::ErrorCode;
using base::fail;

struct Range4 {
  std::uint32_t first;
  int bits;
};
constexpr std::uint32_t ip4(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0, std::uint32_t d = 0) {
  return a << 24 | b << 16 | c << 8 | d;
}
// IANA IPv4 Special-Purpose Address Registry, multicast and class E.
constexpr Range4 kSpecial4[] = {{ip4(0), 8},
                                {ip4(10), 8},
                                {ip4(100, 64), 10},
                                {ip4(127), 8},
                                {ip4(169, 254), 16},
                                {ip4(172, 16), 12},
                                {ip4(192, 0, 0), 24},
                                {ip4(192, 0, 2), 24},
                                {ip4(192, 88, 99), 24},
                                {ip4(192, 168), 16},
                                {ip4(198, 18), 15},
                                {ip4(198, 51, 100), 24},
                                {ip4(203, 0, 113), 24},
                                {ip4(224), 4},
                                {ip4(240), 4}};

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(kSpecial4, [&](const Range4& range) { return (address ^ range.first) >> (32 - range.bits) == 0; });
}

struct Range6 {
  std::array<std::uint8_t, 4> first;
  int bits;
};
// Inside 2000::/3, the only block of global unicast: IETF protocol assignments (Teredo, ORCHID, benchmarking), documentation.
constexpr Range6 kSpecial6[] = {{{0x20, 0x01, 0x00, 0x00}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x3f, 0xff, 0x00, 0x00}, 20}};

std::uint32_t ip4_at(const address_v6::bytes_type& bytes, std::size_t at) {
  return ip4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

bool is_public6(const address_v6& address) {
  const auto bytes = address.to_bytes();
  if (address.is_v4_mapped()) return is_public4(ip4_at(bytes, 12));
  constexpr std::array<std::uint8_t, 12> kNat64{0x00, 0x64, 0xff, 0x9b};  // 64:ff9b::/96, RFC 6052
  if (std::equal(kNat64.begin(), kNat64.end(), bytes.begin())) return is_public4(ip4_at(bytes, 12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_public4(ip4_at(bytes, 2));  // 6to4, RFC 3056
  if (bytes[0] >> 5 != 1) return false;
  const std::uint32_t head = ip4_at(bytes, 0);
  return std::ranges::none_of(kSpecial6, [&](const Range6& range) {
    return (head ^ ip4(range.first[0], range.first[1], range.first[2], range.first[3])) >> (32 - range.bits) == 0;
  });
}

// Shared with the resolver's thread, which may outlive the wait.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
  asio::ip::tcp::resolver resolver;
  Signal done;
  bool ended = false;
  boost::system::error_code error;
  Addresses found;
};

Task<base::Result<Addresses>> look_up(asio::any_io_executor executor, std::chrono::milliseconds limit, std::string host) {
  const auto lookup = std::make_shared<Lookup>(executor);
  lookup->resolver.async_resolve(host, "", [lookup](boost::system::error_code error, const asio::ip::tcp::resolver::results_type& results) {
    lookup->ended = true;
    lookup->error = error;
    for (const auto& entry : results) lookup->found.push_back(entry.endpoint().address());
    lookup->done.notify();
  });
  const auto deadline = Clock::now() + limit;
  while (!lookup->ended && Clock::now() < deadline) co_await lookup->done.wait(deadline);
  if (!lookup->ended) {
    lookup->resolver.cancel();
    co_return fail(ErrorCode::timeout, "the address of " + host + " was not found in time");
  }
  if (lookup->error || lookup->found.empty())
    co_return fail(ErrorCode::unavailable, "cannot find " + host + ": " + lookup->error.message());
  co_return std::move(lookup->found);
}

}  // namespace

bool is_public(const asio::ip::address& address) {
  return address.is_v4() ? is_public4(address.to_v4().to_uint()) : is_public6(address.to_v6());
}

base::Status check_reach(std::string_view url, Reach reach) {
  KINORA_TRY(const Url parsed, parse_url(url));
  if (reach == Reach::anywhere) return {};
  if (!parsed.tls()) return fail(ErrorCode::invalid, "must be an https URL");
  boost::system::error_code no_literal;
  const auto literal = asio::ip::make_address(parsed.host, no_literal);
  if (!no_literal && !is_public(literal)) return fail(ErrorCode::forbidden, "leads to an address that is not public");
  return {};
}

Resolver system_resolver(asio::any_io_executor executor, std::chrono::milliseconds limit) {
  return [executor, limit](std::string host) { return look_up(executor, limit, std::move(host)); };
}

}  // namespace kinora::net

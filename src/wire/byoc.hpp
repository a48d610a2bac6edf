#pragma once
// Texts of the external-capability protocol ("bring your own container", capability 37): the worker's registration, the
// job header, the address header and the job token. Source: go-livepeer 0.9.1 (byoc), docs/protocol.md for what is ours.
//
// Pure; every parser faces strangers. Unknown members are tolerated, types are strict.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/price.hpp"

namespace kinora::wire {

inline constexpr std::size_t kMaxCapabilityNameBytes = 256;
inline constexpr std::size_t kMaxRegistrationText = 64 << 10;  // JSON of one registration
inline constexpr std::size_t kMaxDescriptionBytes = 4096;
inline constexpr std::size_t kMaxUnusableBytes = 1024;
inline constexpr std::size_t kMaxUrlBytes = 2048;
inline constexpr std::size_t kMaxTokenBytes = 4096;
inline constexpr std::int64_t kMaxWorkerCapacity = 65'536;
inline constexpr std::int64_t kMaxTtlSeconds = 86'400;
inline constexpr std::size_t kMaxJobHeaderBytes = 16 << 10;  // base64 text
inline constexpr std::int64_t kMaxJobSeconds = 86'400;
inline constexpr std::size_t kMaxAddressHeaderBytes = 1024;
inline constexpr std::size_t kMaxSignatureBytes = 65;                                           // R, S, V
inline constexpr std::string_view kZeroAddress = "0x0000000000000000000000000000000000000000";  // of an off-chain gateway

// 1 to kMaxCapabilityNameBytes printable ASCII characters other than space, '"' and '\\': names stand in headers and logs.
bool is_capability_name(std::string_view name);

// POST /capability/register
struct Registration {
  std::string name;
  std::string description;
  std::string url;  // http(s), no trailing slash
  std::int64_t capacity = 1;
  Price price;  // wei per second
  std::string token;
  std::string tls_pin;     // ours: key of an https url
  bool warm = false;       // ours
  std::string group;       // ours; empty: a capacity of its own
  std::int64_t ttl_s = 0;  // ours; 0: until it is taken away
  std::string unusable{};  // ours; of a name without capacity: why the model cannot be used
  std::string weights{};   // ours; digest of the model's weights, "sha256:" and 64 hex digits; empty: not known
  friend bool operator==(const Registration&, const Registration&) = default;
};
// "sha256:" and 64 lower-case hex digits.
bool is_weights_digest(std::string_view text);
// Errors name the member: "capacity must be ...". Only wei is a currency.
base::Result<Registration> parse_registration(std::string_view text);
std::string format_registration(const Registration& registration);

// POST /capability/unregister: a bare name, or (ours) JSON {"name","url"} for one worker's registration.
struct Unregistration {
  std::string name;
  std::string url;  // empty: all workers of that name
};
base::Result<Unregistration> parse_unregistration(std::string_view text);

// Header `Livepeer` of a job.
struct JobHeader {
  std::string id;
  std::string request;     // JSON text
  std::string parameters;  // JSON text
  std::string capability;
  std::string sender;  // "0x…", 20 bytes
  std::string sig;     // hex; empty off-chain
  std::int64_t timeout_s = 0;
};
// invalid: not base64, not JSON, wrong types, no capability, timeout 0 ("timeout_seconds must be …").
base::Result<JobHeader> parse_job_header(std::string_view header);
std::string format_job_header(const JobHeader& job);

// Header `Livepeer-Eth-Address`: base64 of {"addr":"0x…","sig":"0x…"}. The signature may be empty or "0x" (off-chain).
struct AddressHeader {
  std::string address;
  std::string sig;
};
base::Result<AddressHeader> parse_address_header(std::string_view header);

// Answer of GET /process/token.
struct JobToken {
  AddressHeader sender;
  Price price;
  std::string service_url;
  std::int64_t available_capacity = 0;
};
std::string format_job_token(const JobToken& token);

}  // namespace kinora::wire

#pragma once
// GET over libcurl: TLS with the system's roots, proxies from the environment, at most 8 redirects and never from https to http. The token
// goes to the first host only, never to where it redirects. One Http is used by one thread at a time; its connections are kept. Blocking.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/result.hpp"

namespace kinora::hub {

struct HttpSettings {
  std::string token;       // bearer token; empty: none
  std::string user_agent;  // "kinora/0.1.0"
  std::chrono::seconds connect_timeout{20};
  std::chrono::seconds stall_timeout{30};  // below 1 KiB/s for so long: cut
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // of the last answer; names in lower case
  std::string header(const std::string& name) const;
};

class Http {
 public:
  explicit Http(const HttpSettings& settings);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // Receives the body of a 2xx answer as it comes, after `answer` got its status and headers; false ends the transfer (not an error).
  using Sink = std::function<bool(const HttpAnswer& answer, std::span<const char> bytes)>;
  // begin: first byte wanted of a Range request; end exclusive. unavailable: no connection, cut or stalled; canceled: stop was asked for;
  // invalid: an address that is none. Any HTTP status is an answer, not an error.
  struct Range {
    std::uint64_t begin, end;
  };
  base::Result<HttpAnswer> get(const std::string& url, std::optional<Range> range, const Sink& sink, std::stop_token stop);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  HttpSettings settings_;
};

// What a status other than 2xx means for a person, with the address's host but without its query.
base::Error status_error(int status, const std::string& what);
// Whether it may work later: 408, 429, 5xx.
bool worth_retrying(int status);
// From Retry-After (seconds only); capped at two minutes.
std::optional<std::chrono::milliseconds> retry_after(const HttpAnswer& answer);

}  // namespace kinora::hub

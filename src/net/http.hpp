#pragma once
// What HTTP messages are made of, whatever the version: headers, bodies as streams, request and response of a server.
//
// Threading: everything here belongs to one executor (one io_context run by one thread); nothing is locked.
// Cancellation: when the peer goes away or the server stops, the handler's coroutine is cancelled: its next co_await
// throws boost::system::system_error(operation_aborted), destructors clean up, the server catches it.
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace kinora::net {

template <class T>
using Task = boost::asio::awaitable<T>;

// Header fields in order of arrival; names compare without case and are kept in lower case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  Headers() = default;
  Headers(std::initializer_list<Field> fields);
  void add(std::string_view name, std::string value);
  // The same with one more field: co_await response.start(200, Headers().with("content-type", "text/plain")), where GCC 12 cannot
  // compile a braced list of strings inside a co_await expression.
  Headers with(std::string_view name, std::string value) &&;
  void set(std::string_view name, std::string value);  // replaces all of that name
  void erase(std::string_view name);
  std::optional<std::string_view> get(std::string_view name) const;  // the first
  std::vector<std::string_view> all(std::string_view name) const;
  bool contains(std::string_view name) const { return get(name).has_value(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

// A body as it arrives. read() suspends until bytes are there; the peer is slowed down by not reading.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next piece (at most 256 KiB), empty at the end. Errors: too_large (the route's limit), unavailable (peer gone).
  virtual Task<base::Result<std::string>> read() = 0;
  // Everything, or too_large once it is more than max_bytes.
  Task<base::Result<std::string>> read_all(std::size_t max_bytes);
};

struct Peer {
  std::string address;  // "127.0.0.1"
  bool loopback = false;
  bool tls = false;
  int http_version = 11;  // 10, 11 or 20
};

struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent: "/v1/jobs?limit=3"
  std::string path;    // percent-decoded: "/v1/jobs"; never holds "..", NUL or "//"
  std::string query;   // raw, without '?'
  Headers headers;     // host (or :authority) included as "host"
  std::optional<std::uint64_t> content_length;
  Peer peer;
  BodyReader* body = nullptr;  // never null in a handler
  // Filled by Router: values of {name} segments.
  std::vector<std::pair<std::string, std::string>> params;
  std::string_view param(std::string_view name) const;
};

// The answer to one request. Either send() once, or start(), write()*, finish().
class Response {
 public:
  virtual ~Response() = default;
  Task<base::Status> send(int status, Headers headers, std::string body);
  virtual Task<base::Status> start(int status, Headers headers) = 0;
  // Suspends while the peer reads slowly (at most 256 KiB are queued per stream).
  virtual Task<base::Status> write(std::string chunk) = 0;
  virtual Task<base::Status> finish(Headers trailers = {}) = 0;
  // Instead of start(): 101, then request.body and write() carry the other protocol. Error unsupported: not over this connection.
  virtual Task<base::Status> upgrade(std::string protocol, Headers headers);
  bool started() const { return started_; }

 protected:
  bool started_ = false;
};

std::string_view reason_phrase(int status);

}  // namespace kinora::net

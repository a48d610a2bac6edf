#pragma once
// The public API as the command line uses it: JSON calls, uploads, event streams, downloads. Coroutines of one executor.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "net/client.hpp"
#include "net/sse.hpp"

namespace kinora::cli {

struct ApiAddress {
  std::string url;  // "http://127.0.0.1:8935", no trailing slash
  std::string pin;  // of the node's key; empty with https: the system's authorities
  std::string key;  // API key, secret
};

// "https://host:port#sha256/<base64>" -> url and pin.
base::Result<ApiAddress> parse_api_address(std::string_view text);

class ApiClient {
 public:
  // problem: is set to the stable code of each problem answer, and emptied by every other one.
  ApiClient(net::Client& client, ApiAddress address, std::shared_ptr<std::string> problem)
      : client_(client), address_(std::move(address)), problem_(std::move(problem)) {}

  // The JSON answer. A problem answer becomes an Error whose message holds its detail and each field error.
  net::Task<base::Result<base::json::value>> get(std::string path);
  net::Task<base::Result<base::json::value>> post(std::string path, base::json::value body, net::Headers headers = {});
  net::Task<base::Status> remove(std::string path);

  // Uploads a file; the id of the artifact it became. on_bytes is told how many bytes are sent so far.
  net::Task<base::Result<std::string>> upload(std::filesystem::path file,
                                              std::function<void(std::uint64_t sent, std::uint64_t total)> on_bytes);
  // Follows a job's events until the stream ends; reconnects with Last-Event-ID when the connection breaks.
  net::Task<base::Status> follow(std::string path, std::function<void(const net::SseEvent&)> on_event);
  // Writes the body of a GET to the file (whole or not at all).
  net::Task<base::Status> download(std::string url_or_path, std::filesystem::path file);

 private:
  net::Task<base::Result<net::ClientResponse>> send(std::string method, std::string url_or_path, net::ClientRequest request);
  net::Task<base::Result<base::json::value>> read_json(net::ClientResponse response);
  base::Error problem(int status, const std::string& body);
  net::Task<base::Result<bool>> follow_once(const std::string& path, std::string& last_id,
                                            const std::function<void(const net::SseEvent&)>& on_event);

  net::Client& client_;
  ApiAddress address_;
  std::shared_ptr<std::string> problem_;
};

}  // namespace kinora::cli

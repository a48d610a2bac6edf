#pragma once
// For tests of this room: a gateway that serves inputs and takes outputs, over real HTTP on loopback, with faults on demand.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "net/router.hpp"
#include "net/sync.hpp"
#include "net/testing.hpp"
#include "net/url.hpp"

namespace kinora::worker {

inline std::string sha256_of(std::string_view bytes) { return base::to_hex(base::sha256(base::as_bytes(bytes))); }

inline std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Bytes without a period, the same every time.
inline std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t state = 12345;
  for (char& c : out) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  return out;
}

// A folder of one test; gone with it.
class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / ("kinora-worker-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Inputs at /in/<name>, outputs at /out/<name>.
class TestGateway {
 public:
  explicit TestGateway(boost::asio::io_context& loop)
      : changed_(loop.get_executor()),
        server_(loop, [this](net::Request& request, net::Response& response) { return router_.route(request, response); }, {}, true) {
    router_.add("GET", "/in/{name}", [this](net::Request& request, net::Response& response) { return give(request, response); });
    router_.add("PUT", "/out/{name...}", [this](net::Request& request, net::Response& response) { return take(request, response); });
  }

  std::string url(std::string_view path, bool tls = false) const { return server_.url(path, tls); }

  std::map<std::string, std::string> inputs;
  std::map<std::string, std::string> outputs;
  std::map<std::string, std::string> types;  // of outputs
  std::vector<std::string> log;              // "GET a 0", "GET a 100" (from byte), "PUT b"
  std::string token = "upload-token";
  // Faults, counted down by each request they hit.
  int break_after_half = 0;  // a GET sends half of what was asked and breaks off
  int answer_500 = 0;
  int lie_about_hash = 0;
  bool ignore_range = false;
  std::size_t hold_after = 0;  // a GET sends so many bytes, then waits for release()
  void release() { released_ = true, changed_.notify(); }
  int cancelled_gets = 0;

 private:
  net::Task<void> give(net::Request& request, net::Response& response) {
    const std::string name(request.param("name"));
    if (!inputs.contains(name)) {
      log.push_back("GET " + name);
      co_await response.send(404, {}, "no");
      co_return;
    }
    const auto range =
        ignore_range ? std::nullopt : net::parse_range(request.headers.get("range"), inputs[name].size()).value_or(std::nullopt);
    log.push_back("GET " + name + " " + std::to_string(range ? range->first : 0));
    if (answer_500 > 0) {
      --answer_500;
      co_await response.send(500, {}, "no");
      co_return;
    }
    const std::string all = inputs[name];
    const std::string part = range ? all.substr(range->first, range->size()) : all;
    net::Headers headers{{"content-length", std::to_string(part.size())}};
    if (range) {
      headers.add("content-range",
                  "bytes " + std::to_string(range->first) + "-" + std::to_string(range->last) + "/" + std::to_string(all.size()));
    }
    if (!co_await response.start(range ? 206 : 200, std::move(headers))) co_return;
    if (hold_after > 0) {
      struct Gone {
        int& count;
        bool ended = false;
        ~Gone() { count += ended ? 0 : 1; }
      } gone{cancelled_gets};
      co_await response.write(part.substr(0, hold_after));
      while (!released_) co_await changed_.wait();
      co_await response.write(part.substr(hold_after));
      gone.ended = true;
    } else if (break_after_half > 0) {
      --break_after_half;
      co_await response.write(part.substr(0, part.size() / 2));
      co_return;
    } else {
      co_await response.write(part);
    }
    co_await response.finish();
  }

  net::Task<void> take(net::Request& request, net::Response& response) {
    const std::string name(request.param("name"));
    log.push_back("PUT " + name);
    if (request.headers.get("authorization") != "Bearer " + token) {
      co_await response.send(401, {}, "no");
      co_return;
    }
    const auto body = co_await request.body->read_all(64 << 20);
    if (!body) co_return;
    EXPECT_EQ(request.content_length, body->size());
    if (answer_500 > 0) {
      --answer_500;
      co_await response.send(500, {}, "no");
      co_return;
    }
    outputs[name] = *body;
    types[name] = std::string(request.headers.get("content-type").value_or(""));
    std::string hash = sha256_of(*body);
    if (lie_about_hash > 0) {
      --lie_about_hash;
      hash = std::string(64, '0');
    }
    net::Headers headers{{"content-type", "application/json"}};
    const boost::json::object answer{{"bytes", body->size()}, {"sha256", hash}};
    co_await response.send(200, std::move(headers), boost::json::serialize(answer));
  }

  net::Router router_;
  bool released_ = false;
  net::Signal changed_;
  net::testing::TestServer server_;  // the last: it stops before the rest goes
};

}  // namespace kinora::worker

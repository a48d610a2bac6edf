#pragma once
// Drives a protocol engine with fuzzed bytes: the first byte decides the size of the pieces, each request is answered at once
// with what came of its body, so that both directions are exercised.
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "net/engine.hpp"
#include "net/request_target.hpp"

namespace kinora::net {

using MakeServer = std::function<std::unique_ptr<ServerEngine>(EngineLimits, ServerEngine::Accept)>;

inline EngineLimits fuzz_limits() { return {4096, 32, 1 << 20, 16, 100}; }

inline void drive_server(std::string_view bytes, const MakeServer& make) {
  if (bytes.empty()) return;
  const std::size_t piece = static_cast<unsigned char>(bytes.front()) + 1u;
  bytes.remove_prefix(1);
  std::vector<std::shared_ptr<Exchange>> fresh;
  std::vector<std::shared_ptr<Exchange>> open;
  const auto engine = make(fuzz_limits(), [&](MessageHead head) {
    (void)make_request(head, {});
    fresh.push_back(std::make_shared<Exchange>());
    return fresh.back();
  });
  std::size_t written = 0;
  while (!bytes.empty() && !engine->done()) {
    engine->feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (auto& exchange : fresh) {
      engine->want_body(*exchange);
      engine->respond(*exchange, exchange->id % 3 == 0 ? 200 : 404, {{"x", "y"}});
      open.push_back(std::move(exchange));
    }
    fresh.clear();
    for (const auto& exchange : open) {
      while (!exchange->in.empty()) {
        auto some = exchange->in.pop(1000);
        engine->consumed(*exchange, some.size());
        if (!exchange->out_end) exchange->out.push(std::move(some));
      }
      exchange->out_end = exchange->out_end || exchange->in_end || exchange->in_error.has_value();
      engine->out_changed(*exchange);
    }
    std::erase_if(open, [](const auto& exchange) { return exchange->closed; });
    for (std::string out; !(out = engine->take_output()).empty();) written += out.size();
  }
  engine->input_ended();
  for (const auto& exchange : open) KINORA_CHECK(exchange->closed);
  KINORA_CHECK(written <= (64u << 20));
}

inline void drive_client(std::string_view bytes, ClientEngine& engine) {
  if (bytes.empty()) return;
  const std::size_t piece = static_cast<unsigned char>(bytes.front()) + 1u;
  bytes.remove_prefix(1);
  std::vector<std::shared_ptr<Exchange>> open;
  for (int i = 0; i < 3 && engine.can_submit(); ++i) {
    MessageHead head;
    head.method = i == 0 ? "POST" : i == 1 ? "HEAD" : "GET";
    head.target = "/";
    head.scheme = "https";
    head.headers = {{"host", "a"}};
    auto exchange = std::make_shared<Exchange>();
    if (i == 0) exchange->out.push(std::string_view("body"));
    exchange->out_end = true;
    engine.submit(exchange, head);
    open.push_back(std::move(exchange));
  }
  while (!bytes.empty() && !engine.done()) {
    while (!engine.take_output().empty()) {
    }
    engine.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (const auto& exchange : open)
      while (!exchange->in.empty()) engine.consumed(*exchange, exchange->in.pop(1000).size());
  }
  engine.input_ended();
  for (const auto& exchange : open) KINORA_CHECK(exchange->closed);
}

}  // namespace kinora::net

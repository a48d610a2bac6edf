#pragma once
// The surface of the API: puts endpoints on a router, each with what it takes to be let in, and gives every answer the
// conventions of developer-api 5.1 (request id, version, problem+json), whatever happens inside the endpoint.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/call.hpp"
#include "gateway/key_store.hpp"
#include "net/router.hpp"

namespace kinora::gateway {

using Clock = std::function<base::UnixMillis()>;

enum class Access {
  open,    // no key: health
  key,     // a key with the scope
  either,  // a key with the scope or a signature that the endpoint checks itself (the caller is empty then)
  own      // no key: the endpoint checks its own token
};

// One row of the route table.
struct RouteInfo {
  std::string method, pattern;
  Access access = Access::key;
  std::string scope;
};

class Surface {
 public:
  Surface(net::Router& router, const KeyStore& keys, base::UlidSource& ids, Clock clock);
  void add(std::string method, std::string pattern, Access access, std::string scope, Endpoint endpoint);
  // Endpoints that an API key with the scope may call.
  void add(std::string method, std::string pattern, std::string scope, Endpoint endpoint) {
    add(std::move(method), std::move(pattern), Access::key, std::move(scope), std::move(endpoint));
  }
  // All that were added, also those that are added later.
  std::shared_ptr<const std::vector<RouteInfo>> routes() const { return routes_; }

 private:
  struct Shared;
  std::shared_ptr<std::vector<RouteInfo>> routes_ = std::make_shared<std::vector<RouteInfo>>();
  net::Router& router_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace kinora::gateway

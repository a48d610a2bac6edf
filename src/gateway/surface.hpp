#pragma once
// The surface of the API: puts endpoints on a router, each with what it takes to be let in, and gives every answer the
// conventions of developer-api 5.1 (request id, version, problem+json), whatever happens inside the endpoint.
#include <functional>
#include <map>
#include <string>

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

class Surface {
 public:
  Surface(net::Router& router, const KeyStore& keys, base::UlidSource& ids, Clock clock);
  void add(std::string method, std::string pattern, Access access, std::string scope, Endpoint endpoint);
  // Endpoints that an API key with the scope may call.
  void add(std::string method, std::string pattern, std::string scope, Endpoint endpoint) {
    add(std::move(method), std::move(pattern), Access::key, std::move(scope), std::move(endpoint));
  }

 private:
  struct Shared;
  net::Router& router_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace kinora::gateway

#pragma once
// Routes by method and path. A pattern's {name} is one segment, {name...} one or more (none too, at the end); the first that fits.
// Unknown path -> 404, known path with another method -> 405 with Allow; HEAD is served by GET's handler without body
// unless it has its own. A trailing slash is ignored.
#include <functional>
#include <string>
#include <vector>

#include "net/server.hpp"

namespace kinora::net {

class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler);
  // What to answer when nothing matches; the default is a short text body. For 405 request.param("allow") holds the Allow value.
  using Refusal = std::function<Task<void>(Request&, Response&, int status)>;
  void on_refusal(Refusal refusal);
  Task<void> route(Request& request, Response& response) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
  Refusal refusal_;
};

}  // namespace kinora::net

// GET /openapi.json and /docs: made from the route table, which is complete when the first request comes.
#include "gateway/openapi.hpp"
#include "gateway/services.hpp"

namespace kinora::gateway {

void add_openapi_routes(Surface& surface, SharedServices services) {
  const auto routes = surface.routes();
  surface.add("GET", "/openapi.json", Access::open, "",
              [routes, services](Call&) -> Task<Answer> { co_return Reply::of(200, openapi_document(*routes, services->address.url)); });
  surface.add("GET", "/docs", Access::open, "", [routes, services](Call&) -> Task<Answer> {
    net::Headers headers{{"content-type", "text/html; charset=utf-8"},
                         {"content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}};
    co_return Reply{200, std::move(headers), openapi_page(openapi_document(*routes, services->address.url)), false};
  });
}

}  // namespace kinora::gateway

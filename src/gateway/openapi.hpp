#pragma once
// The OpenAPI 3.1 document of the public API, made from the route table and the catalogue of tasks; and a page for people made from the
// document. Pure.
#include <span>
#include <string>

#include "base/json.hpp"
#include "gateway/surface.hpp"

namespace kinora::gateway {

json::object openapi_document(std::span<const RouteInfo> routes, std::string_view server_url);
// One HTML page without scripts and without anything from elsewhere.
std::string openapi_page(const json::object& document);
// "{name...}" -> "{name}"
std::string openapi_path(std::string_view pattern);

}  // namespace kinora::gateway

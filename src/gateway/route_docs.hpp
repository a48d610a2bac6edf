#pragma once
// What the OpenAPI document says about each route beside its method, path and scope: one entry a route, checked by a test to be complete.
// The names of query parameters here are also the only ones that a route takes.
#include <initializer_list>
#include <span>
#include <string_view>

namespace kinora::gateway {

struct RouteDoc {
  std::string_view method, pattern;
  std::string_view tag, summary;
  std::string_view query = "";     // names of parameters, separated by blanks; "*": any (a signed URL, or a route that checks itself)
  std::string_view body = "";      // a schema's name, "bytes" or "form"; "": none
  int status = 200;                // of success
  std::string_view response = "";  // a schema's name, "bytes", "events", "html" or "" (no body)
  std::string_view more = "";  // further statuses that it may answer, separated by blanks: "202:Job 304 409 410"; with a schema when they
                               // are successes with a body
};

std::span<const RouteDoc> route_docs();
const RouteDoc* find_route_doc(std::string_view method, std::string_view pattern);  // nullptr: none

}  // namespace kinora::gateway

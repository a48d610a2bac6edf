#include "gateway/openapi.hpp"

#include <algorithm>
#include <vector>

#include "gateway/openapi_schemas.hpp"
#include "gateway/route_docs.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/validation.hpp"

namespace kinora::gateway {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

json::object ref(std::string_view schema) { return {{"$ref", "#/components/schemas/" + std::string(schema)}}; }

json::object content(std::string_view kind) {
  const json::object bytes{{"schema", json::object()}};
  if (kind == "bytes") return {{"*/*", bytes}};
  if (kind == "events") return {{"text/event-stream", json::object{{"schema", json::object{{"type", "string"}}}}}};
  if (kind == "events or Any") {
    json::object out = content("events");
    const json::object other = content("Any");
    out.insert(other.begin(), other.end());
    return out;
  }
  if (kind == "html") return {{"text/html", json::object{{"schema", json::object{{"type", "string"}}}}}};
  return {{"application/json", json::object{{"schema", ref(kind)}}}};
}

json::object request_body(std::string_view kind) {
  if (kind == "tus") return {{"content", json::object{{"application/offset+octet-stream", json::object{{"schema", json::object()}}}}}};
  if (kind == "bytes")
    return {{"required", true}, {"content", json::object{{"application/octet-stream", json::object{{"schema", json::object()}}}}}};
  if (kind == "form")
    return {
        {"required", true},
        {"content",
         json::object{
             {"multipart/form-data",
              json::object{{"schema", json::object{{"type", "object"},
                                                   {"required", json::array{"file"}},
                                                   {"properties",
                                                    json::object{{"file", json::object{{"type", "string"}, {"format", "binary"}}}}}}}}}}}};
  return {{"required", true}, {"content", content(kind)}};
}

json::object problem_response(int status) {
  json::object out{{"description", net::reason_phrase(status)},
                   {"content", json::object{{"application/problem+json", json::object{{"schema", ref("Problem")}}}}}};
  // What is no HTTP request is refused before it is known what it asks for.
  if (status == 400 || status == 413 || status == 431)
    out["content"].as_object()["text/plain"] = json::object{{"schema", json::object{{"type", "string"}}}};
  return out;
}

json::object responses(const RouteInfo& route, const RouteDoc& doc) {
  json::object out;
  const auto add = [&](int status, std::string_view schema) {
    const std::string key = std::to_string(status);
    if (status >= 400)
      out[key] = problem_response(status);
    else if (schema.empty())
      out[key] = json::object{{"description", net::reason_phrase(status)}};
    else
      out[key] = json::object{{"description", net::reason_phrase(status)}, {"content", content(schema)}};
  };
  add(doc.status, doc.response);
  for (const int status : {400, 408, 413, 429, 431, 500, 503}) add(status, "");
  if (route.access != Access::open) add(401, ""), add(403, "");
  if (!doc.body.empty()) add(415, ""), add(422, "");
  if (route.pattern.find('{') != std::string::npos) add(404, "");
  for (const std::string& word : words(doc.more)) {
    const auto colon = std::min(word.find(':'), word.size());
    add(std::stoi(word.substr(0, colon)), colon < word.size() ? std::string_view(word).substr(colon + 1) : std::string_view());
  }
  if (route.pattern == "/v1/ws")
    out["426"] = json::object{{"description", "Upgrade Required"}, {"content", json::object{{"text/plain", json::object()}}}};
  return out;
}

json::array parameters(const RouteInfo& route, const RouteDoc& doc, const json::object& known) {
  json::array out;
  const std::string path = openapi_path(route.pattern);
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    const std::string name = path.substr(open + 1, path.find('}', open) - open - 1);
    out.push_back(
        json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", json::object{{"type", "string"}, {"minLength", 1}}}});
  }
  for (const std::string& name : words(doc.query)) {
    if (name == "*") continue;
    json::object parameter = known.at(name).as_object();
    parameter["in"] = "query";
    out.push_back(std::move(parameter));
  }
  return out;
}

json::object operation(const RouteInfo& route, const RouteDoc& doc, const json::object& known) {
  json::object out{{"operationId", std::string(doc.method) + " " + std::string(doc.pattern)},
                   {"summary", doc.summary},
                   {"tags", json::array{doc.tag}},
                   {"parameters", parameters(route, doc, known)},
                   {"responses", responses(route, doc)}};
  if (!doc.body.empty()) out["requestBody"] = request_body(doc.body);
  if (route.access == Access::open || route.access == Access::own)
    out["security"] = json::array{};
  else if (route.access == Access::either)
    out["security"] = json::array{json::object{{"key", json::array{}}}, json::object{}};
  if (!route.scope.empty()) out["x-scope"] = route.scope;
  return out;
}

// POST /v1/jobs: the input is that of the task that is named.
json::object job_request() {
  json::array names, rules;
  for (const tasks::TaskSpec& task : tasks::catalogue()) {
    if (task.internal) continue;
    names.emplace_back(task.name);
    rules.push_back(json::object{{"if", json::object{{"properties", json::object{{"task", json::object{{"const", task.name}}}}}}},
                                 {"then", json::object{{"properties", json::object{{"input", tasks::input_schema(task)}}}}}});
  }
  const json::object text{{"type", "string"}, {"maxLength", 255}};
  return {
      {"type", "object"},
      {"required", json::array{"task"}},
      {"properties",
       json::object{{"task", json::object{{"enum", std::move(names)}}},
                    {"model", json::object{{"type", "string"}, {"maxLength", 200}}},
                    {"input", json::object{{"type", "object"}}},
                    {"adapters", ref("Adapters")},
                    {"requirements", ref("Requirements")},
                    {"output", json::object{{"type", "object"}}},
                    {"retry", json::object{{"type", "object"}}},
                    {"webhook", ref("SubjectWebhook")},
                    {"wait_s", json::object{{"type", "integer"}, {"minimum", 0}, {"maximum", 60}}},
                    {"ephemeral", json::object{{"type", "boolean"}}},
                    {"client_ref", text},
                    {"end_user", text},
                    {"tags", json::object{{"type", "array"},
                                          {"maxItems", 32},
                                          {"items", json::object{{"type", "string"}, {"minLength", 1}, {"maxLength", 64}}}}},
                    {"metadata",
                     json::object{{"type", "object"}, {"maxProperties", 32}, {"additionalProperties", json::object{{"type", "string"}}}}}}},
      {"allOf", std::move(rules)}};
}

}  // namespace

std::string openapi_path(std::string_view pattern) {
  std::string out(pattern);
  for (auto dots = out.find("...}"); dots != std::string::npos; dots = out.find("...}")) out.erase(dots, 3);
  return out;
}

json::object openapi_document(std::span<const RouteInfo> routes, std::string_view server_url) {
  const json::object known = json::parse(kOpenApiParameters).as_object();
  json::object schemas = json::parse(kOpenApiSchemas).as_object();
  schemas["JobRequest"] = job_request();
  json::object paths;
  for (const RouteInfo& route : routes) {
    const RouteDoc* doc = find_route_doc(route.method, route.pattern);
    const RouteDoc plain{route.method, route.pattern, "Other", route.pattern, "*"};
    std::string method = route.method;
    std::ranges::transform(method, method.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    json::value& path = paths[openapi_path(route.pattern)];
    if (path.is_null()) path = json::object();
    path.as_object()[method] = operation(route, doc != nullptr ? *doc : plain, known);
  }
  return {
      {"openapi", "3.1.0"},
      {"info", json::object{{"title", "Kinora"}, {"version", kApiVersion}, {"description", "Video jobs over an open compute network."}}},
      {"servers", json::array{json::object{{"url", server_url}}}},
      {"security", json::array{json::object{{"key", json::array{}}}}},
      {"paths", std::move(paths)},
      {"components", json::object{{"schemas", std::move(schemas)},
                                  {"securitySchemes", json::object{{"key", json::object{{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace kinora::gateway

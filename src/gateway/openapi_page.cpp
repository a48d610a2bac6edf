// The OpenAPI document as one HTML page (openapi.hpp).
#include <map>

#include "gateway/openapi.hpp"

namespace kinora::gateway {
namespace {

constexpr std::string_view kHead =
    R"html(<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Kinora API</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}details{border:1px solid #ddd;border-radius:6px;margin:.5rem 0;padding:.3rem .8rem}
summary{cursor:pointer}code,pre{font:14px ui-monospace,monospace}pre{background:#f5f5f5;padding:.6rem;overflow:auto;border-radius:6px}
b.m{display:inline-block;min-width:4.5rem}table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}
nav a{margin-right:1rem}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}pre{background:#222}details{border-color:#444}a{color:#8ab4f8}}
</style></head><body>)html";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string text_of(const json::value& value) { return value.is_string() ? std::string(value.as_string()) : json::serialize(value); }

// "#/components/schemas/Job" -> a link to it; else the schema itself.
std::string schema_html(const json::value& schema) {
  if (const auto* ref = schema.as_object().if_contains("$ref")) {
    const std::string name = text_of(*ref).substr(std::string_view("#/components/schemas/").size());
    return "<a href=\"#schema-" + escaped(name) + "\">" + escaped(name) + "</a>";
  }
  return schema.as_object().empty() ? "bytes" : "<code>" + escaped(json::serialize(schema)) + "</code>";
}

std::string content_html(const json::value& holder) {
  const auto* content = holder.as_object().if_contains("content");
  if (content == nullptr) return "";
  std::string out;
  for (const auto& media : content->as_object()) {
    out += (out.empty() ? "" : ", ") + escaped(media.key());
    if (const auto* schema = media.value().as_object().if_contains("schema")) out += " " + schema_html(*schema);
  }
  return out;
}

std::string operation_html(std::string_view method, std::string_view path, const json::object& operation) {
  std::string upper(method);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  std::string out = "<details><summary><b class=\"m\">" + upper + "</b> <code>" + escaped(path) + "</code> " +
                    escaped(text_of(operation.at("summary"))) + "</summary>";
  if (const auto* scope = operation.if_contains("x-scope")) out += "<p>Scope: <code>" + escaped(text_of(*scope)) + "</code></p>";
  if (const auto& parameters = operation.at("parameters").as_array(); !parameters.empty()) {
    out += "<table><tr><th>Parameter</th><th>In</th><th></th></tr>";
    for (const json::value& parameter : parameters) {
      const auto* description = parameter.as_object().if_contains("description");
      out += "<tr><td><code>" + escaped(text_of(parameter.at("name"))) + "</code></td><td>" + escaped(text_of(parameter.at("in"))) +
             "</td><td>" + schema_html(parameter.at("schema")) + (description != nullptr ? " " + escaped(text_of(*description)) : "") +
             "</td></tr>";
    }
    out += "</table>";
  }
  if (const auto* body = operation.if_contains("requestBody")) out += "<p>Body: " + content_html(*body) + "</p>";
  out += "<table><tr><th>Answer</th><th></th><th></th></tr>";
  for (const auto& response : operation.at("responses").as_object())
    out += "<tr><td>" + escaped(response.key()) + "</td><td>" + escaped(text_of(response.value().at("description"))) + "</td><td>" +
           content_html(response.value()) + "</td></tr>";
  return out + "</table></details>";
}

}  // namespace

std::string openapi_page(const json::object& document) {
  std::map<std::string, std::string> by_tag;
  for (const auto& path : document.at("paths").as_object())
    for (const auto& operation : path.value().as_object())
      by_tag[text_of(operation.value().at("tags").at(0))] += operation_html(operation.key(), path.key(), operation.value().as_object());
  std::string out(kHead);
  out += "<h1>Kinora API</h1><p>Version " + escaped(text_of(document.at("info").at("version"))) +
         ". Every request carries <code>Authorization: Bearer &lt;key&gt;</code>. For programs: <a "
         "href=\"/openapi.json\">openapi.json</a>.</p><nav>";
  for (const auto& [tag, html] : by_tag) out += "<a href=\"#" + escaped(tag) + "\">" + escaped(tag) + "</a>";
  out += "<a href=\"#Schemas\">Schemas</a></nav>";
  for (const auto& [tag, html] : by_tag) out += "<h2 id=\"" + escaped(tag) + "\">" + escaped(tag) + "</h2>" + html;
  out += "<h2 id=\"Schemas\">Schemas</h2>";
  for (const auto& schema : document.at("components").at("schemas").as_object())
    out += "<h3 id=\"schema-" + escaped(schema.key()) + "\">" + escaped(schema.key()) + "</h3><pre>" +
           escaped(json::serialize(schema.value())) + "</pre>";
  return out + "</body></html>";
}

}  // namespace kinora::gateway

// Hundreds of wrong variants of every route, made from the route table and the schemas of OpenAPI: each is answered by 4xx with a code of
// the table, and no job and no worker comes of any.
#include <random>
#include <set>

#include "gateway/openapi.hpp"
#include "gateway/route_docs.hpp"
#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

constexpr int kVariants = 300;

struct Variant {
  std::string target;
  std::string body;
  net::Headers headers;
};

class InvalidRequests : public GatewayTest {
 protected:
  // A path of the pattern whose ids are well formed and lead nowhere.
  static std::string path_of(std::string_view pattern, const std::string& id) {
    std::string out = openapi_path(pattern);
    for (auto open = out.find('{'); open != std::string::npos; open = out.find('{')) out.replace(open, out.find('}') - open + 1, id);
    return out;
  }
  std::string word(std::size_t longest) {
    static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_-.~";
    std::string out;
    for (auto n = 1 + random() % longest; n > 0; --n) out += kLetters[random() % kLetters.size()];
    return out;
  }
  // JSON that is broken, of the wrong kind, or with members that no route knows.
  std::string wrong_body() {
    switch (random() % 8) {
      case 0: return "{\"" + word(8) + "\":";
      case 1: return "[" + std::to_string(random() % 1000) + "]";
      case 2: return "\"" + word(20) + "\"";
      case 3: return std::to_string(random());
      case 4: return "{\"x_" + word(12) + "\":" + std::to_string(random() % 10) + "}";
      case 5: return std::string(33 + random() % 200, '[') + std::string(33, ']');
      case 6: return "{\"a\":1,\"a\":" + std::to_string(random() % 9) + "}";
      default: return std::string(1 + random() % 30, static_cast<char>(0x80 + random() % 0x7f));
    }
  }
  // A value that a member of this schema cannot have; nullopt: the schema says too little.
  std::optional<json::value> misfit(const json::object& schema) {
    const json::value* type = schema.if_contains("type");
    if (schema.contains("enum")) return json::value("x_" + word(20));
    if (type == nullptr || !type->is_string()) return std::nullopt;
    const auto number = [&](std::string_view name) {
      const json::value* found = schema.if_contains(name);
      return found == nullptr ? std::optional<std::int64_t>() : found->to_number<std::int64_t>();
    };
    const auto more = static_cast<std::int64_t>(1 + random() % 1000);
    const std::string_view kind = type->as_string();
    const bool in_kind = random() % 2 == 0;
    if (kind == "integer" && in_kind && number("maximum")) return json::value(*number("maximum") + more);
    if (kind == "integer" && in_kind && number("minimum")) return json::value(*number("minimum") - more);
    if (kind == "string" && in_kind && number("maxLength"))
      return json::value(std::string(static_cast<std::size_t>(*number("maxLength") + more), 'x'));
    if (kind == "array" && in_kind && number("maxItems")) return json::array(static_cast<std::size_t>(*number("maxItems") + more), "x");
    if (kind == "string") return json::value(more);
    if (kind == "array" || kind == "integer" || kind == "boolean") return json::object{{word(8), more}};
    if (kind == "object") return json::array{more};
    return std::nullopt;
  }
  // One member that its schema does not allow, beside those that are required, as far as a word does for them.
  std::optional<std::string> misfit_body(const json::object& schema) {
    const json::value* properties = schema.if_contains("properties");
    if (properties == nullptr) return std::nullopt;
    std::vector<std::pair<std::string, json::value>> all;
    for (const auto& property : properties->as_object())
      if (auto value = misfit(property.value().as_object())) all.emplace_back(property.key(), std::move(*value));
    if (all.empty()) return std::nullopt;
    auto& [name, value] = all[random() % all.size()];
    return json::serialize(json::object{{name, std::move(value)}});
  }
  Variant variant(const RouteInfo& route, const RouteDoc& doc, int n) {
    const bool has_id = route.pattern.find('{') != std::string::npos;
    const bool json_body = !doc.body.empty() && doc.body != "bytes" && doc.body != "form" && doc.body != "tus";
    const bool keyed = route.access == Access::key;
    const std::string path = path_of(route.pattern, "x" + word(30));
    Variant out{path, json_body ? "{}" : "", {}};
    if (json_body) out.headers.set("content-type", "application/json");
    // Ways in which this route can be asked wrongly; each is wrong whatever else is right.
    std::vector<std::function<void()>> ways;
    ways.push_back([&] { out.headers.set("api-version", word(12)); });
    if (doc.query != "*") ways.push_back([&] { out.target += "?x_" + word(10) + "=" + word(10); });
    if (doc.query != "*") ways.push_back([&] { out.target += "?x_" + word(8) + "&y_" + word(8); });
    if (doc.query.find("limit") != std::string_view::npos)
      ways.push_back([&] { out.target += "?limit=" + std::to_string(1001 + random() % 100000); });
    if (keyed) {
      ways.push_back([&] { out.headers.set("authorization", "Bearer gk_live_" + word(44)); });
      ways.push_back([&] { out.headers.set("authorization", word(30)); });
    }
    if (has_id && route.access != Access::open && route.pattern != "/v1/end-users/{id}")
      ways.push_back([] {});  // the id alone leads nowhere (of an end user without data there is nothing to erase)
    if (json_body) {
      ways.push_back([&] { out.body = wrong_body(); });
      const json::value* schema = schemas.if_contains(doc.body);
      if (const auto body = schema == nullptr ? std::nullopt : misfit_body(schema->as_object()))
        for (int twice = 0; twice < 2; ++twice) ways.push_back([&out, body] { out.body = *body; });
      ways.push_back([&] { out.headers.set("content-type", "text/" + word(8)); });
    }
    ways[static_cast<std::size_t>(n) % ways.size()]();
    return out;
  }
  std::mt19937 random{20261128};
  json::object schemas;
};

TEST_F(InvalidRequests, of_every_route_are_refused_and_reach_no_worker) {
  int reached = 0;
  *work = [&](jobs::AttemptRequest, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> {
    ++reached;
    co_return pinged();
  };
  net::Router router;
  Surface surface = gateway->routes(router);
  const auto routes = *surface.routes();
  schemas = openapi_document(routes, url).at("components").at("schemas").as_object();
  std::set<std::string> codes;
  for (const auto& error : tasks::error_codes()) codes.emplace(error.code);
  for (const RouteInfo& route : routes) {
    const RouteDoc* doc = find_route_doc(route.method, route.pattern);
    ASSERT_NE(doc, nullptr) << route.pattern;
    // Routes that answer OPTIONS and a WebSocket's handshake are asked like the others: the version and the query come first.
    std::set<std::string> seen;
    for (int n = 0; seen.size() < kVariants; ++n) {
      ASSERT_LT(n, 10 * kVariants) << route.pattern;
      const Variant wrong = variant(route, *doc, n);
      std::string all = wrong.target + "\n" + wrong.body;
      for (const auto& [name, value] : wrong.headers) all += "\n" + name + ": " + value;
      if (!seen.insert(std::move(all)).second) continue;
      const auto answer = send(route.method, wrong.target, wrong.body, wrong.headers);
      ASSERT_TRUE(answer.status >= 400 && answer.status < 500)
          << route.method << " " << wrong.target << " " << wrong.body << ": " << answer.status << " " << answer.body;
      if (route.method != "HEAD") {
        ASSERT_TRUE(codes.contains(answer.code()) || answer.status == 426) << answer.status << answer.body;
      }
    }
  }
  EXPECT_EQ(reached, 0);
  EXPECT_TRUE(get("/v1/jobs")["data"].as_array().empty());
  EXPECT_TRUE(get("/v1/webhooks")["data"].as_array().empty());
  EXPECT_TRUE(get("/v1/events")["data"].as_array().empty());
}

}  // namespace
}  // namespace kinora::gateway

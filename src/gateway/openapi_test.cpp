// GET /openapi.json and /docs, and that they tell of every route.
#include "gateway/openapi.hpp"

#include <set>

#include "gateway/route_docs.hpp"
#include "gateway/test_gateway.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::gateway {
namespace {

class OpenApi : public GatewayTest {
 protected:
  json::object document() {
    const auto answer = get("/openapi.json", {{"authorization", ""}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.value.as_object();
  }
};

TEST_F(OpenApi, tells_of_every_route_and_of_no_other) {
  std::set<std::string> routes, docs;
  net::Router router;
  Surface surface = gateway->routes(router);
  for (const RouteInfo& route : *surface.routes()) routes.insert(route.method + " " + route.pattern);
  for (const RouteDoc& doc : route_docs()) docs.insert(std::string(doc.method) + " " + std::string(doc.pattern));
  EXPECT_EQ(routes, docs) << "every route needs an entry in route_docs.cpp";
}

TEST_F(OpenApi, is_a_document_whose_references_lead_somewhere) {
  const json::object all = document();
  EXPECT_EQ(all.at("openapi"), "3.1.0");
  const auto& schemas = all.at("components").at("schemas").as_object();
  const std::string text = json::serialize(all);
  constexpr std::string_view kRef = R"("$ref":"#/components/schemas/)";
  int references = 0;
  for (auto at = text.find(kRef); at != std::string::npos; at = text.find(kRef, at + 1), ++references) {
    const auto name = text.substr(at + kRef.size(), text.find('"', at + kRef.size()) - at - kRef.size());
    EXPECT_TRUE(schemas.contains(name)) << name;
  }
  EXPECT_GT(references, 100);
  std::set<std::string> operations;
  for (const auto& path : all.at("paths").as_object())
    for (const auto& operation : path.value().as_object())
      EXPECT_TRUE(operations.insert(std::string(operation.value().at("operationId").as_string())).second);
}

TEST_F(OpenApi, describes_the_input_of_every_task) {
  const json::object all = document();
  const auto& request = all.at("components").at("schemas").at("JobRequest").as_object();
  std::size_t public_tasks = 0;
  for (const auto& task : tasks::catalogue()) public_tasks += task.internal ? 0 : 1;
  EXPECT_EQ(request.at("properties").at("task").at("enum").as_array().size(), public_tasks);
  EXPECT_EQ(request.at("allOf").as_array().size(), public_tasks);
}

TEST_F(OpenApi, page_stands_alone_and_escapes_what_it_shows) {
  const auto page = get("/docs", {{"authorization", ""}});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("<code>/v1/jobs/{id}/cancel</code>"), std::string::npos);
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
  EXPECT_EQ(page.body.find("src="), std::string::npos);
  EXPECT_EQ(page.body.find("http://"), std::string::npos);
  const json::object nasty{
      {"info", json::object{{"version", "<img>"}}}, {"paths", json::object()}, {"components", json::object{{"schemas", json::object()}}}};
  EXPECT_NE(openapi_page(nasty).find("&lt;img&gt;"), std::string::npos);
}

TEST(OpenApiPath, is_a_pattern_without_dots) {
  EXPECT_EQ(openapi_path("/v1/artifacts/{id}/files/{name...}"), "/v1/artifacts/{id}/files/{name}");
}

}  // namespace
}  // namespace kinora::gateway

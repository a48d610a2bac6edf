#include "net/router.hpp"

#include "net/request_target.hpp"
#include "net/testing.hpp"

namespace kinora::net {
namespace {

struct Recorded final : Response {
  Task<base::Status> start(int s, Headers h) override {
    started_ = true;
    status = s;
    headers = std::move(h);
    co_return base::Status();
  }
  Task<base::Status> write(std::string chunk) override {
    body += chunk;
    co_return base::Status();
  }
  Task<base::Status> finish(Headers) override { co_return base::Status(); }
  int status = 0;
  Headers headers;
  std::string body;
};

Handler answering(std::string name) {
  return [name](Request& request, Response& response) -> Task<void> {
    std::string text = name;
    for (const auto& [key, value] : request.params) text += " " + key + "=" + value;
    (void)co_await response.send(200, {}, text);
  };
}

struct Site {
  Site() {
    router.add("GET", "/v1/jobs", answering("list"));
    router.add("POST", "/v1/jobs", answering("create"));
    router.add("GET", "/v1/jobs/{id}", answering("get"));
    router.add("GET", "/v1/jobs/{id}/events", answering("events"));
    router.add("PUT", "/v1/attempts/{id}/files/{name...}", answering("file"));
    router.add("GET", "/v1/models/{id...}/schema", answering("schema"));
    router.add("GET", "/v1/models/{id...}", answering("model"));
    router.add("GET", "/", answering("root"));
    router.add("HEAD", "/v1/own", answering("own head"));
    router.add("GET", "/v1/own", answering("own get"));
  }
  std::string ask(std::string method, std::string path) {
    last.emplace();
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    boost::asio::io_context loop;
    testing::run(loop, router.route(request, *last));
    return std::to_string(last->status) + " " + last->body;
  }
  Router router;
  std::optional<Recorded> last;
};

TEST(Router, finds_routes_by_method_and_path) {
  Site site;
  EXPECT_EQ(site.ask("GET", "/v1/jobs"), "200 list");
  EXPECT_EQ(site.ask("POST", "/v1/jobs"), "200 create");
  EXPECT_EQ(site.ask("GET", "/v1/jobs/"), "200 list");
  EXPECT_EQ(site.ask("GET", "/"), "200 root");
  EXPECT_EQ(site.ask("GET", "/v1/jobs/job_1"), "200 get id=job_1");
  EXPECT_EQ(site.ask("GET", "/v1/jobs/job_1/events"), "200 events id=job_1");
}

TEST(Router, gives_the_rest_of_the_path_to_a_last_parameter) {
  Site site;
  EXPECT_EQ(site.ask("PUT", "/v1/attempts/a/files/hls/720p/seg.ts"), "200 file id=a name=hls/720p/seg.ts");
  EXPECT_EQ(site.ask("PUT", "/v1/attempts/a/files"), "200 file id=a name=");
}

TEST(Router, a_parameter_of_several_segments_may_stand_before_others) {
  Site site;
  EXPECT_EQ(site.ask("GET", "/v1/models/owner/name"), "200 model id=owner/name");
  EXPECT_EQ(site.ask("GET", "/v1/models/owner/name/schema"), "200 schema id=owner/name");
  EXPECT_EQ(site.ask("GET", "/v1/models/plain/schema/"), "200 schema id=plain");
  EXPECT_EQ(site.ask("GET", "/v1/models/schema"), "200 model id=schema");
}

TEST(Router, serves_head_by_get_unless_it_has_its_own) {
  Site site;
  EXPECT_EQ(site.ask("HEAD", "/v1/jobs"), "200 list");
  EXPECT_EQ(site.ask("HEAD", "/v1/own"), "200 own head");
  EXPECT_EQ(site.ask("GET", "/v1/own"), "200 own get");
}

TEST(Router, says_404_for_unknown_paths_and_405_with_allow_for_other_methods) {
  Site site;
  EXPECT_EQ(site.ask("GET", "/v1/other").substr(0, 3), "404");
  EXPECT_EQ(site.ask("GET", "/v1/jobs/a/b").substr(0, 3), "404");
  EXPECT_EQ(site.ask("DELETE", "/v1/jobs").substr(0, 3), "405");
  EXPECT_EQ(site.last->headers.get("allow"), "GET, HEAD, POST");
}

TEST(Router, says_400_to_a_target_that_is_no_path_even_where_the_root_has_a_route) {
  Site site;
  EXPECT_EQ(site.ask("GET", "").substr(0, 3), "400");
}

TEST(Router, lets_the_owner_word_its_refusals) {
  Site site;
  site.router.on_refusal([](Request& request, Response& response, int status) -> Task<void> {
    (void)co_await response.send(status, Headers().with("content-type", "application/problem+json"),
                                 "{} " + std::string(request.param("allow")));
  });
  EXPECT_EQ(site.ask("GET", "/none"), "404 {} ");
  EXPECT_EQ(site.ask("PATCH", "/v1/jobs/1"), "405 {} GET, HEAD");
}

TEST(Target, is_decoded_and_cut_from_its_query) {
  const auto target = parse_target("/v1/a%20b/c?limit=3&x=%2F").value();
  EXPECT_EQ(target.path, "/v1/a b/c");
  EXPECT_EQ(target.query, "limit=3&x=%2F");
  EXPECT_EQ(parse_target("http://host:1/x?y").value().path, "/x");
  EXPECT_EQ(parse_target("http://host").value().path, "/");
  EXPECT_EQ(parse_target("*").value().path, "*");
  EXPECT_EQ(parse_target("//a///b/").value().path, "/a/b/");
}

TEST(Target, refuses_what_could_leave_its_folder) {
  for (const char* text :
       {"/a/../b", "/..", "/a/%2e%2e/b", "/a%2F..%2Fb", "/a/.", "/./", "/a%00b", "/a%zz", "/a#b", "a", "", "host:443", "/%2e"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
  EXPECT_EQ(parse_target("/a..b/...").value().path, "/a..b/...");
}

TEST(Headers, compare_names_without_case_and_keep_their_order) {
  Headers headers{{"Content-Type", "a"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(headers.get("content-TYPE"), "a");
  EXPECT_EQ(headers.all("X-a").size(), 2u);
  EXPECT_EQ(headers.begin()->first, "content-type");
  headers.set("X-A", "3");
  EXPECT_EQ(headers.all("x-a"), std::vector<std::string_view>{"3"});
  headers.erase("X-A");
  EXPECT_FALSE(headers.contains("x-a"));
}

}  // namespace
}  // namespace kinora::net

// Media by URL as a client sees it (developer-api 5.3.5): a real gateway, a real server that it fetches from.
#include <map>

#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

using namespace std::chrono_literals;

GatewaySettings from_anywhere() {
  GatewaySettings settings;
  settings.fetch.reach = net::Reach::anywhere;
  settings.fetch.pause = 1ms;
  settings.fetch.max_bytes = 4096;
  return settings;
}

struct Page {
  int status = 200;
  net::Headers headers{};
  std::string body{};
};

class InputUrls : public GatewayTest {
 protected:
  InputUrls() : InputUrls(from_anywhere()) {}
  explicit InputUrls(GatewaySettings settings) : GatewayTest(std::move(settings)) {
    source = serve();
    other = serve();
    pages["/a.png"] = {.headers = {{"content-type", "image/png"}}, .body = tiny_png()};
    *work = [](jobs::AttemptRequest request, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> {
      tasks::TaskResult result;
      result.outputs["media"] = json::object{{"name", request.order.inputs.at(0).name}};
      co_return jobs::outcome::Succeeded{std::move(result), "https://node"};
    };
  }
  ~InputUrls() override {
    for (const auto& one : servers) one->stop(0ms);
    run_until([this] { return ended == servers.size(); });
  }
  // A server of the pages; its origin.
  std::string serve() {
    net::ServerSettings listen;
    listen.plain_on_loopback = true;
    servers.push_back(std::make_unique<net::Server>(
        context.get_executor(), listen, [this](net::Request& request, net::Response& response) -> net::Task<void> {
          asked.emplace_back(request.path, std::string(request.headers.get("x-key").value_or("")));
          const Page page = pages.contains(request.path) ? pages.at(request.path) : Page{.status = 404};
          if (page.status == 0) co_return;  // breaks off
          (void)co_await response.send(page.status, page.headers, page.body);
        }));
    EXPECT_TRUE(servers.back()->listen());
    boost::asio::co_spawn(context, servers.back()->run(), [this](std::exception_ptr) { ++ended; });
    return "http://127.0.0.1:" + std::to_string(servers.back()->port());
  }
  HttpAnswer submit(const json::value& media, json::object more = {}) {
    more["task"] = "probe";
    more["input"] = json::object{{"media", media}};
    return post("/v1/jobs", more);
  }
  // The job as it ended.
  json::value ended_job(const json::value& media) {
    const auto made = submit(media);
    EXPECT_EQ(made.status, 202) << made.body;
    const std::string path = "/v1/jobs/" + std::string(made["id"].as_string());
    json::value job;
    run_until([&] {
      job = get(path).value;
      return job.at("status") != "queued" && job.at("status") != "running";
    });
    return job;
  }
  // "" of a job that succeeded.
  std::string error_of(const json::value& media) {
    const auto job = ended_job(media);
    return job.at("error").is_null() ? "" : std::string(job.at("error").at("code").as_string());
  }
  std::size_t times(std::string_view path) {
    return static_cast<std::size_t>(std::ranges::count_if(asked, [&](const auto& one) { return one.first == path; }));
  }

  std::vector<std::unique_ptr<net::Server>> servers;
  std::size_t ended = 0;
  std::string source, other;
  std::map<std::string, Page> pages;
  std::vector<std::pair<std::string, std::string>> asked;  // path, x-key
};

TEST_F(InputUrls, are_fetched_looked_at_and_given_to_the_worker) {
  const auto job = ended_job(json::value(source + "/a.png?sig=secret"));
  EXPECT_EQ(job.at("status"), "succeeded");
  EXPECT_EQ(job.at("output").at("media").at("name"), "a.png");
  const auto listed = get("/v1/artifacts?kind=image");
  ASSERT_EQ(listed["data"].as_array().size(), 1U);
  EXPECT_EQ(listed["data"].at(0).at("media").at("width"), 4);
  EXPECT_EQ(listed["data"].at(0).at("mime"), "image/png");
}

TEST_F(InputUrls, are_named_by_what_the_bytes_are) {
  pages["/lie"] = {.headers = {{"content-type", "video/mp4; codecs=x"}}, .body = tiny_png()};
  EXPECT_EQ(error_of(json::value(source + "/lie")), "");
  EXPECT_EQ(get("/v1/artifacts?kind=image")["data"].as_array().size(), 1U);
  pages["/text"] = {.headers = {{"content-type", "image/png"}}, .body = "<html>"};
  EXPECT_EQ(error_of(json::value(source + "/text")), "input_invalid");
}

TEST_F(InputUrls, take_their_headers_along_but_not_to_another_origin) {
  pages["/moved"] = {.status = 302, .headers = {{"location", other + "/a.png"}}};
  pages["/within"] = {.status = 307, .headers = {{"location", "a.png"}}};
  EXPECT_EQ(error_of({{"url", source + "/moved"}, {"headers", {{"X-Key", "secret"}}}}), "");
  EXPECT_EQ(asked, (std::vector<std::pair<std::string, std::string>>{{"/moved", "secret"}, {"/a.png", ""}}));
  asked.clear();
  EXPECT_EQ(error_of({{"url", source + "/within"}, {"headers", {{"X-Key", "secret"}}}}), "");
  EXPECT_EQ(asked, (std::vector<std::pair<std::string, std::string>>{{"/within", "secret"}, {"/a.png", "secret"}}));
}

TEST_F(InputUrls, lead_on_five_times_at_most) {
  for (int hop = 0; hop < 5; ++hop)
    pages["/" + std::to_string(hop)] = {.status = 301, .headers = {{"location", "/" + std::to_string(hop + 1)}}};
  pages["/5"] = pages.at("/a.png");
  EXPECT_EQ(error_of(json::value(source + "/0")), "");
  pages["/5"] = {.status = 301, .headers = {{"location", "/a.png"}}};
  EXPECT_EQ(error_of(json::value(source + "/0")), "input_unavailable");
}

TEST_F(InputUrls, that_may_go_better_are_tried_again) {
  pages["/busy"] = {.status = 503};
  EXPECT_EQ(error_of(json::value(source + "/busy")), "input_unavailable");
  EXPECT_EQ(times("/busy"), 3U);
  pages["/broken"] = {.status = 0};
  EXPECT_EQ(error_of(json::value(source + "/broken")), "input_unavailable");
  EXPECT_GE(times("/broken"), 3U);
  EXPECT_EQ(error_of(json::value(source + "/missing")), "input_unavailable");
  EXPECT_EQ(times("/missing"), 1U);
}

TEST_F(InputUrls, of_too_many_or_of_other_bytes_are_refused) {
  pages["/large"] = {.body = tiny_png() + std::string(4096, 'x')};
  EXPECT_EQ(error_of(json::value(source + "/large")), "media_too_large");
  pages["/limit"] = {.body = tiny_png() + std::string(4096 - tiny_png().size(), 'x')};
  EXPECT_EQ(error_of(json::value(source + "/limit")), "");
  EXPECT_EQ(error_of({{"url", source + "/a.png"}, {"sha256", std::string(64, '0')}}), "input_invalid");
}

TEST_F(InputUrls, are_left_alone_once_the_job_has_ended) {
  pages["/busy"] = {.status = 503};
  settings_.fetch.pause = 1h;  // it waits for its second try
  settings_.fetch.total = 2h;
  close();
  open();
  const auto made = submit(json::value(source + "/busy"));
  run_until([&] { return times("/busy") == 1; });
  EXPECT_EQ(post("/v1/jobs/" + std::string(made["id"].as_string()) + "/cancel", json::object()).status, 200);
  const auto uploads = [&] { return get("/v1/events?types=upload.failed")["data"].as_array().size(); };
  run_until([&] { return uploads() == 1; });
  EXPECT_EQ(times("/busy"), 1U);
}

TEST_F(InputUrls, show_no_secret) {
  const auto job = ended_job({{"url", source + "/missing?sig=secret1"}, {"headers", {{"x-key", "secret2"}}}});
  EXPECT_EQ(json::serialize(job.at("error")).find("secret"), std::string::npos);
  EXPECT_EQ(json::serialize(job).find("secret2"), std::string::npos);
}

class PublicInputUrls : public InputUrls {
 protected:
  PublicInputUrls() : InputUrls(GatewaySettings{}) {}
};

TEST_F(PublicInputUrls, must_be_https_and_public) {
  for (const char* url : {"http://media.example/a.png", "https://127.0.0.1/a.png", "https://10.0.0.1/a.png",
                          "https://169.254.169.254/latest/meta-data/", "https://[::1]/a.png", "https://user:pw@media.example/a.png"}) {
    const auto refused = submit(json::value(url));
    EXPECT_EQ(refused.status, 422) << url;
    EXPECT_EQ(refused.code(), "input_invalid") << url;
  }
  EXPECT_EQ(error_of(json::value("https://localhost/a.png")), "input_unavailable") << "the name leads to an address that is not public";
}

}  // namespace
}  // namespace kinora::gateway

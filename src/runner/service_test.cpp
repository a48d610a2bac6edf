// The runner's HTTP surface, over loopback, with a client of our own and a real clip.
#include "runner/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>

#include "base/json.hpp"
#include "net/client.hpp"
#include "net/sse.hpp"
#include "runner/task_api.hpp"
#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

namespace asio = boost::asio;
namespace json = base::json;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class Services : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::make_model(work_.path() / "models/repeat2x");
    ASSERT_EQ(
        testing::ffmpeg("-f lavfi -i testsrc2=s=64x48:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac '" + (work_ / "in.mp4") + "'"),
        "");
    RunnerSettings settings;
    settings.work_dir = work_.path();
    settings.models_dirs = {work_.path() / "models"};
    settings.threads = 1;
    service_ = std::make_unique<Service>(context_.get_executor(), settings, Identity{"upscale", "repeat2x", "0.1.0"});
    ASSERT_TRUE(service_->listen());
  }

  // Runs the test's coroutine beside the service, then stops the service.
  void run(const std::function<net::Task<void>()>& body) {
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(context_, service_->run(), asio::detached);
    asio::co_spawn(context_, body(), [&](std::exception_ptr error) {
      thrown = error;
      ended = true;
      client_.close();
      service_->stop();
    });
    context_.run_for(120s);
    ASSERT_TRUE(ended);
    if (thrown) std::rethrow_exception(thrown);
  }

  struct Answer {
    int status = 0;
    net::Headers headers;
    std::string body;
  };
  net::Task<Answer> get(std::string path) { return call("GET", std::move(path), {}); }
  net::Task<Answer> call(std::string method, std::string path, std::string body) {
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = service_->url() + path;
    request.body = std::move(body);
    auto response = co_await client_.send(std::move(request));
    if (!response) throw std::runtime_error(response.error().message);
    auto text = co_await response->read_all(1 << 20);
    co_return Answer{response->status(), response->headers(), text ? *text : "broken off"};
  }
  json::object order(const std::string& input = "in.mp4") const {
    return {{"attempt", "att_1"}, {"inputs", {{"video", work_ / input}}}, {"output_dir", work_ / "out"}};
  }
  static std::vector<std::string> events(const std::string& body) {
    net::SseParser parser;
    std::vector<std::string> all;
    const auto parsed = parser.feed(body);
    for (const auto& event : parsed.value()) all.push_back(event.data);
    return all;
  }

  testing::Scratch work_;
  asio::io_context context_{1};
  net::Client client_{context_.get_executor()};
  std::unique_ptr<Service> service_;
};

// The shapes of ai-runner 0.14.1.
TEST_F(Services, answers_the_probes_of_livepeer_nodes) {
  run([&]() -> net::Task<void> {
    EXPECT_EQ((co_await get("/health")).body, R"({"status":"OK"})");
    EXPECT_EQ((co_await get("/health/")).status, 200);
    const auto info = json::parse((co_await get("/hardware/info")).body);
    EXPECT_EQ(info.at("pipeline").as_string(), "upscale");
    EXPECT_EQ(info.at("model_id").as_string(), "repeat2x");
    EXPECT_TRUE(info.at("gpu_info").is_object());
    EXPECT_TRUE(json::parse((co_await get("/hardware/stats/")).body).at("gpu_stats").is_object());
    const auto version = co_await get("/version");
    EXPECT_EQ(version.body, R"({"pipeline":"upscale","model_id":"repeat2x","version":"0.1.0"})");
    EXPECT_EQ(version.headers.get("content-type"), "application/json");
  });
}

TEST_F(Services, lists_its_models_and_tells_about_itself) {
  run([&]() -> net::Task<void> {
    const auto models = json::parse((co_await get("/models")).body).as_array();
    EXPECT_EQ(models.size(), 1U);
    EXPECT_EQ(models.at(0).at("id").as_string(), "repeat2x");
    EXPECT_EQ(models.at(0).at("scale").as_int64(), 2);
    EXPECT_EQ(models.at(0).at("loaded").as_bool(), false);
    const auto info = json::parse((co_await get("/native/info")).body);
    EXPECT_EQ(info.at("device").as_string(), "cpu");
    EXPECT_THAT(std::string(info.at("devices").as_string()), HasSubstr("threads"));
  });
}

TEST_F(Services, upscales_a_video_and_streams_what_happens) {
  run([&]() -> net::Task<void> {
    const auto answer = co_await call("POST", "/tasks/video-upscale", json::serialize(order()));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.get("content-type"), "text/event-stream");
    const auto all = events(answer.body);
    EXPECT_GE(all.size(), 3U);
    EXPECT_EQ(all.back(), "[DONE]");
    const auto result = json::parse(all[all.size() - 2]);
    EXPECT_EQ(result.at("type").as_string(), "result") << json::serialize(result);
    EXPECT_EQ(result.at("outputs").at("video").at("frames").as_int64(), 25);
    const auto& file = result.at("files").at(0);
    EXPECT_EQ(file.at("name").as_string(), "upscaled.mp4");
    EXPECT_EQ(file.at("bytes").to_number<std::uintmax_t>(), std::filesystem::file_size(work_ / "out/upscaled.mp4"));
    EXPECT_EQ(file.at("media").at("streams").at(0).at("width").as_int64(), 128);
    for (std::size_t i = 0; i + 2 < all.size(); ++i) EXPECT_EQ(json::parse(all[i]).at("type").as_string(), "progress");
    EXPECT_EQ(testing::ffprobe(work_ / "out/upscaled.mp4", "width,height,nb_frames"), "128,96,25");
    EXPECT_TRUE(json::parse((co_await get("/models")).body).at(0).at("loaded").as_bool());
  });
}

TEST_F(Services, gives_failures_of_tasks_as_data) {
  run([&]() -> net::Task<void> {
    const auto failure = [&](json::object wanted) -> net::Task<std::string> {
      const auto answer = co_await call("POST", "/tasks/video-upscale", json::serialize(wanted));
      EXPECT_EQ(answer.status, 200);
      const auto all = events(answer.body);
      co_return std::string(json::parse(all.at(all.size() - 2)).at("error").at("code").as_string());
    };
    // A folder that breaks after it was listed, and is whole again later.
    const auto weights = work_ / "models/repeat2x/model.safetensors";
    std::filesystem::copy_file(weights, weights + ".whole");
    std::filesystem::resize_file(weights, 100);
    EXPECT_EQ(co_await failure(order()), "worker_error");
    std::filesystem::rename(weights + ".whole", weights);
    EXPECT_EQ(co_await failure(order("absent.mp4")), "input_invalid");
    EXPECT_EQ(co_await failure(order("models/repeat2x/config.json")), "input_invalid");
    auto unknown = order();
    unknown["model"] = "nonsense";
    EXPECT_EQ(co_await failure(unknown), "model_not_found");
    // And the process is none the worse.
    EXPECT_EQ((co_await get("/health")).body, R"({"status":"OK"})");
  });
}

TEST_F(Services, refuses_wrong_requests_at_once) {
  run([&]() -> net::Task<void> {
    EXPECT_EQ((co_await call("POST", "/tasks/nonsense", "{}")).status, 404);
    EXPECT_EQ((co_await call("POST", "/tasks/video-upscale", "{")).status, 400);
    EXPECT_EQ((co_await call("POST", "/tasks/video-upscale", std::string(kMaxTaskBodyBytes + 1, ' '))).status, 413);
    auto outside = order();
    outside["output_dir"] = "/tmp";
    const auto answer = co_await call("POST", "/tasks/video-upscale", json::serialize(outside));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(json::parse(answer.body).at("error").at("code").as_string(), "schema_invalid");
    EXPECT_EQ((co_await call("GET", "/tasks/video-upscale", {})).status, 405);
  });
}

TEST_F(Services, refuses_more_than_its_queue_holds_and_cancels_when_streams_close) {
  ASSERT_EQ(testing::ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=60 -c:v libx264 -preset ultrafast '" + (work_ / "long.mp4") + "'"), "");
  run([&]() -> net::Task<void> {
    std::vector<net::ClientResponse> open;
    for (std::size_t i = 0; i <= kQueueDepth; ++i) {
      net::ClientRequest request;
      request.method = "POST";
      request.url = service_->url() + "/tasks/video-upscale";
      request.body = json::serialize(order("long.mp4"));
      auto response = co_await client_.send(std::move(request));
      EXPECT_TRUE(response);
      EXPECT_EQ(response->status(), 200);
      open.push_back(*std::move(response));
    }
    const auto refused = co_await call("POST", "/tasks/video-upscale", json::serialize(order()));
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.get("retry-after"), "1");
    EXPECT_EQ((co_await get("/health")).status, 200);  // while it is busy

    open.clear();  // closes the streams
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t load = 1; load > 0;) load = json::parse((co_await get("/native/info")).body).at("load").to_number<std::int64_t>();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);  // 1 s on a free machine
    EXPECT_FALSE(std::filesystem::exists(work_ / "out/upscaled.mp4"));
  });
}

TEST_F(Services, ends_while_a_task_runs) {
  ASSERT_EQ(testing::ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=60 -c:v libx264 -preset ultrafast '" + (work_ / "long.mp4") + "'"), "");
  run([&]() -> net::Task<void> {
    net::ClientRequest request;
    request.method = "POST";
    request.url = service_->url() + "/tasks/video-upscale";
    request.body = json::serialize(order("long.mp4"));
    auto response = co_await client_.send(std::move(request));
    EXPECT_TRUE(response);
    service_->stop();
    while (true) {  // to the end, in order or not
      const auto piece = co_await response->read();
      if (!piece || piece->empty()) break;
    }
  });
}

}  // namespace
}  // namespace kinora::runner

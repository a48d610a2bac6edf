// The runner's HTTP surface, over loopback, with a client of our own and a real clip.
#include "runner/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
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
  virtual Identity identity() const { return {"upscale", "repeat2x", "0.1.0"}; }
  void SetUp() override {
    testing::make_model(work_.path() / "models/repeat2x");
    ASSERT_EQ(
        testing::ffmpeg("-f lavfi -i testsrc2=s=64x48:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac '" + (work_ / "in.mp4") + "'"),
        "");
    RunnerSettings settings;
    settings.work_dir = work_.path();
    settings.models_dirs = {work_.path() / "models"};
    settings.threads = 1;
    service_ = std::make_unique<Service>(context_.get_executor(), settings, identity());
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
  // multipart/form-data with texts and one file.
  net::Task<Answer> post_form(std::string path, std::vector<std::pair<std::string, std::string>> fields, std::string slot,
                              std::string file) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = service_->url() + path;
    request.headers.add("content-type", "multipart/form-data; boundary=b");
    if (!slot.empty())
      request.body +=
          "--b\r\nContent-Disposition: form-data; name=\"" + slot + "\"; filename=\"f\"\r\n\r\n" + testing::read_file(file) + "\r\n";
    for (const auto& [name, value] : fields)
      request.body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    request.body += "--b--\r\n";
    auto response = co_await client_.send(std::move(request));
    if (!response) throw std::runtime_error(response.error().message);
    auto text = co_await response->read_all(8 << 20);
    co_return Answer{response->status(), response->headers(), text ? *text : "broken off"};
  }
  // Writes what a data URL holds; its MIME type.
  std::string save(std::string_view url, const std::string& name) const {
    const auto comma = url.find(";base64,");
    if (!url.starts_with("data:") || comma == std::string_view::npos) return "no data URL";
    std::ofstream(work_ / (name + ".b64")) << url.substr(comma + 8);
    testing::shell("base64 -d '" + (work_ / (name + ".b64")) + "' > '" + (work_ / name) + "'");
    return std::string(url.substr(5, comma - 5));
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
    // A folder that breaks, and is whole again later.
    const auto weights = work_ / "models/repeat2x/model.safetensors";
    std::filesystem::copy_file(weights, weights + ".whole");
    std::filesystem::resize_file(weights, 100);
    EXPECT_EQ(co_await failure(order()), "model_not_found");  // not offered any more
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

// Networks as their authors give them away, tiny ones: dropped into the folder, no description.
TEST_F(Services, serves_published_files_by_their_names) {
  const auto golden = std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden";
  std::filesystem::create_directories(work_ / "models/rife-4.25");
  std::filesystem::copy_file(golden / "rife_425/model/flownet.pkl", work_ / "models/rife-4.25/flownet.pkl");
  std::filesystem::copy_file(golden / "sr_rrdb_x4/model/model.pth", work_ / "models/RealESRGAN_x4plus.pth");
  std::ofstream(work_ / "models/broken.pth") << "nothing";
  run([&]() -> net::Task<void> {
    const auto models = json::parse((co_await get("/models")).body);
    EXPECT_EQ(models.as_array().size(), 4U) << json::serialize(models);
    const auto& broken = models.as_array().back().as_object();  // the last, for it is of no use
    EXPECT_EQ(broken.at("id").as_string(), "broken");
    EXPECT_EQ(broken.at("kind").as_string(), "unusable");
    EXPECT_NE(broken.at("reason").as_string().find("is no checkpoint"), std::string::npos);
    const auto result_of = [&](const std::string& task, json::object params, const std::string& model) -> net::Task<json::value> {
      auto wanted = order();
      wanted["model"] = model;
      wanted["params"] = std::move(params);
      const auto all = events((co_await call("POST", "/tasks/" + task, json::serialize(wanted))).body);
      co_return json::parse(all.at(all.size() - 2));
    };
    json::object rate;
    rate["target_fps"] = "60000/1001";
    const auto smooth = co_await result_of("frame-interpolation", rate, "rife-4.25");
    EXPECT_EQ(smooth.at("type").as_string(), "result") << json::serialize(smooth);
    EXPECT_EQ(smooth.at("outputs").at("video").at("frames").as_int64(), 60);
    EXPECT_EQ(smooth.at("metrics").at("units").to_number<double>(), 60.0 * 64 * 48);  // output pixels x frames
    EXPECT_EQ(testing::ffprobe(work_ / "out/interpolated.mp4", "width,height,r_frame_rate,nb_frames"), "64,48,60000/1001,60");

    json::object four;
    four["scale"] = 4;
    const auto large = co_await result_of("video-upscale", four, "RealESRGAN_x4plus");
    EXPECT_EQ(large.at("type").as_string(), "result") << json::serialize(large);
    EXPECT_EQ(testing::ffprobe(work_ / "out/upscaled.mp4", "width,height,nb_frames"), "256,192,25");

    // Both in one pass, the interpolator named or the only one there is.
    json::object chain;
    chain["scale"] = 4;
    chain["factor"] = 2;
    chain["ops"] = json::array{"interpolate", "upscale"};
    for (const bool named : {false, true}) {
      if (named) chain["interpolator"] = "rife-4.25";
      const auto both_done = co_await result_of("video-enhance", chain, "RealESRGAN_x4plus");
      EXPECT_EQ(both_done.at("type").as_string(), "result") << json::serialize(both_done);
      const auto& facts = both_done.at("outputs").at("video");
      EXPECT_EQ(json::serialize(facts.at("ops")), R"(["interpolate","upscale"])");
      EXPECT_GT(facts.at("interpolated_frames").as_int64(), 0);
      EXPECT_EQ(both_done.at("metrics").at("units").to_number<double>(), 50.0 * 256 * 192);
      EXPECT_EQ(testing::ffprobe(work_ / "out/enhanced.mp4", "width,height,r_frame_rate,nb_frames"), "256,192,50/1,50");
    }
    chain.erase("ops");  // the tiny upscaler is as light as can be
    EXPECT_EQ(json::serialize((co_await result_of("video-enhance", chain, "RealESRGAN_x4plus")).at("outputs").at("video").at("ops")),
              R"(["interpolate","upscale"])");
    chain["interpolator"] = "nobody";
    EXPECT_THAT(json::serialize(co_await result_of("video-enhance", chain, "RealESRGAN_x4plus")), HasSubstr("model_not_found"));
    chain["ops"] = json::array{"upscale", "upscale"};
    auto twice = order();
    twice["params"] = chain;
    EXPECT_THAT((co_await call("POST", "/tasks/video-enhance", json::serialize(twice))).body, HasSubstr("is there twice"));

    // Refused by name, before work: what the network or the catalogue does not have.
    four["denoise"] = 0.5;
    EXPECT_THAT(json::serialize(co_await result_of("video-upscale", four, "RealESRGAN_x4plus")), HasSubstr("no denoise strength"));
    json::object ensemble;
    ensemble["ensemble"] = true;
    EXPECT_THAT(json::serialize(co_await result_of("frame-interpolation", ensemble, "rife-4.25")), HasSubstr("no ensemble"));
    json::object both;
    both["target_fps"] = "100000";
    auto absurd = order();
    absurd["params"] = both;
    const auto refused = co_await call("POST", "/tasks/frame-interpolation", json::serialize(absurd));
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, HasSubstr("from 1 to 480"));
    both["factor"] = 2;
    both["target_fps"] = "60";
    auto wanted = order();
    wanted["params"] = both;
    EXPECT_EQ((co_await call("POST", "/tasks/frame-interpolation", json::serialize(wanted))).status, 400);
  });
}

class ServicesOfAnyModel : public Services {
  Identity identity() const override { return {"upscale", "", "0.1.0"}; }
};

TEST_F(ServicesOfAnyModel, answer_the_ai_runners_upscale_and_frame_interpolation_routes) {
  std::filesystem::create_directories(work_ / "models/rife");
  std::filesystem::copy_file(std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/rife_425/model/flownet.pkl",
                             work_ / "models/rife/flownet.pkl");
  ASSERT_EQ(testing::ffmpeg("-f lavfi -i testsrc2=s=32x24:d=1 -frames:v 1 '" + (work_ / "in.png") + "'"), "");
  run([&]() -> net::Task<void> {
    std::vector<std::pair<std::string, std::string>> fields{{"prompt", "a test card"}, {"seed", "7"}, {"num_inference_steps", "20"}};
    auto answer = co_await post_form("/upscale", fields, "image", work_ / "in.png");
    EXPECT_EQ(answer.status, 200) << answer.body;
    auto body = json::parse(answer.body);
    EXPECT_EQ(body.at("images").as_array().size(), 1U);
    const auto& image = body.at("images").at(0);
    EXPECT_EQ(image.at("seed").to_number<std::int64_t>(), 7);
    EXPECT_FALSE(image.at("nsfw").as_bool());
    EXPECT_EQ(save(image.at("url").as_string(), "large.png"), "image/png");
    EXPECT_EQ(testing::ffprobe(work_ / "large.png", "width,height"), "128,96");  // four times

    // A seed of 0 counts as not given, a missing prompt is a 422, what is no picture a 400.
    fields[1].second = "0";
    body = json::parse((co_await post_form("/upscale", fields, "image", work_ / "in.png")).body);
    EXPECT_NE(body.at("images").at(0).at("seed").to_number<std::int64_t>(), 0);
    answer = co_await post_form("/upscale", {}, "image", work_ / "in.png");
    EXPECT_EQ(answer.status, 422);
    EXPECT_THAT(answer.body, HasSubstr(R"("loc":["body","prompt"],"msg":"Field required")"));
    EXPECT_EQ((co_await post_form("/upscale", fields, "image", work_ / "in.png.absent")).status, 400);

    fields = {{"factor", "4"}};
    answer = co_await post_form("/frame-interpolation", fields, "video", work_ / "in.mp4");
    EXPECT_EQ(answer.status, 200) << answer.body.substr(0, 300);
    body = json::parse(answer.body);
    EXPECT_EQ(save(body.at("video").at("url").as_string(), "smooth.mp4"), "video/mp4");
    EXPECT_EQ(testing::ffprobe(work_ / "smooth.mp4", "r_frame_rate,nb_frames"), "100/1,100");
    fields = {{"target_fps", "fast"}};
    answer = co_await post_form("/frame-interpolation", fields, "video", work_ / "in.mp4");
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("target_fps"));
    EXPECT_EQ((co_await post_form("/frame-interpolation", fields, "", "")).status, 422);
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

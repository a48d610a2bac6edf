// A worker with the real kinora-runner and a small real network: upscale, crash in the middle, restart.
#include <gmock/gmock.h>
#include <signal.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cstdlib>
#include <sstream>

#include "base/test_program.hpp"
#include "worker/worker_fixture_test.hpp"

namespace kinora::worker {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;

// The runner's process: the one child of ours that has its name.
int runner_pid() {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const auto end = text.rfind(") ");
    if (end == std::string::npos || text.find("(kinora-runner)") == std::string::npos) continue;
    std::istringstream fields(text.substr(end + 2));
    char state = 0;
    int parent = 0;
    fields >> state >> parent;
    if (parent == ::getpid() && state != 'Z') return std::stoi(name);
  }
  return 0;
}

class WorkerRunnerTest : public WorkerFixture {
 protected:
  void SetUp() override {
    WorkerFixture::SetUp();
    const char* elsewhere = std::getenv("KINORA_PROGRAMS");
    settings_.programs = elsewhere ? fs::path(elsewhere) : fs::path(KINORA_BINARY_DIR) / "bin";
    KINORA_NEEDS_PROGRAM(settings_.programs / "kinora-media");
    KINORA_NEEDS_PROGRAM(settings_.programs / "kinora-runner");
    const fs::path source = KINORA_SOURCE_DIR;
    gateway_.inputs["clip"] = contents(source / "tests/media/london_roofs_360p_5s.mp4");
    gateway_.inputs["cat"] = contents(source / "tests/media/cat_chelsea.png");
    const fs::path model = folder_.path() / "models/golden2x";
    fs::create_directories(model);
    fs::copy_file(source / "tests/golden/sr_srvgg_x2/model/model.safetensors", model / "model.safetensors");
    std::ofstream(model / "config.json")
        << R"({"architecture":"SRVGGNetCompact","num_in_ch":3,"num_out_ch":3,"num_feat":12,"num_conv":3,"upscale":2,"act_type":"prelu"})";
    std::ofstream(model / "card.json")
        << R"({"name":"Golden","description":"For tests.","tasks":["video-upscale","image-upscale"],"scale":2,"license":"CC0-1.0"})";
    settings_.models = {folder_.path() / "models"};
    settings_.devices = {{"cpu"}};
    settings_.timings.runner_backoff = 10ms;
    start();
  }
  net::Task<void> until_ready() {
    co_await until([&] { return worker_->devices().at(1).state == "ready"; });
  }
  json::object upscale(const std::string& kind, const std::string& input) {
    auto body = order(kind + "-upscale", attempt_id());
    body["inputs"] = json::array{json::object{{"slot", kind},
                                              {"url", gateway_.url("/in/" + input)},
                                              {"name", input},
                                              {"bytes", gateway_.inputs[input].size()},
                                              {"sha256", sha256_of(gateway_.inputs[input])}}};
    return body;
  }
};

TEST_F(WorkerRunnerTest, makes_a_picture_twice_as_large) {
  run(loop_, [&]() -> net::Task<void> {
    auto work = [&]() -> net::Task<void> {
      co_await until_ready();
      EXPECT_THAT(worker_->devices().at(1).models, ::testing::ElementsAre("golden2x"));
      const auto all = co_await events(upscale("image", "cat"));
      const auto& result = all.at(all.size() - 2);
      EXPECT_EQ(result.at("type").as_string(), "result") << json::serialize(result);
      if (result.at("type").as_string() != "result") co_return;
      const std::string name(result.at("files").at(0).at("name").as_string());
      // PNG's IHDR: width and height at bytes 16 and 20, big-endian.
      const auto size_at = [&](const std::string& png, std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(png.at(at + i));
        return value;
      };
      for (const std::size_t at : {16U, 20U}) EXPECT_EQ(size_at(gateway_.outputs[name], at), 2 * size_at(gateway_.inputs["cat"], at));
    };
    co_await (work() || worker_->run());
  }());
}

TEST_F(WorkerRunnerTest, a_runner_killed_in_the_middle_costs_one_order_and_is_replaced) {
  run(loop_, [&]() -> net::Task<void> {
    auto work = [&]() -> net::Task<void> {
      co_await until_ready();
      const int first = runner_pid();
      const auto killed = co_await events(upscale("video", "clip"), [&](const json::object& event) {
        const auto* stage = event.if_contains("stage");
        if (stage && *stage == "run") ::kill(runner_pid(), SIGKILL);
      });
      const auto error = failure_in(killed);
      EXPECT_EQ(error.at("code").as_string(), "worker_error");
      EXPECT_EQ(error.at("detail").as_string(), "kinora-runner was killed by signal 9 (Killed)");
      EXPECT_TRUE(error.at("retryable").as_bool());
      co_await until_ready();
      EXPECT_NE(runner_pid(), first);
    };
    co_await (work() || worker_->run());
  }());
  EXPECT_EQ(runner_pid(), 0);
}

TEST_F(WorkerRunnerTest, closing_the_stream_stops_the_network_within_a_second) {
  run(loop_, [&]() -> net::Task<void> {
    auto work = [&]() -> net::Task<void> {
      co_await until_ready();
      {
        auto answer = co_await client_.send(post(upscale("video", "clip"), "video-upscale"));
        std::string seen;
        while (seen.find("\"run\"") == std::string::npos) {
          const auto piece = co_await answer->read();
          if (!piece || piece->empty()) break;
          seen += *piece;
        }
      }
      const auto before = net::Clock::now();
      co_await until([&] { return worker_->running() == 0; });
      EXPECT_LT(net::Clock::now() - before, 1s);
      const auto all = co_await events(upscale("image", "cat"));  // the runner is free again, the same process
      EXPECT_EQ(all.at(all.size() - 2).at("type").as_string(), "result");
    };
    co_await (work() || worker_->run());
  }());
}

}  // namespace
}  // namespace kinora::worker

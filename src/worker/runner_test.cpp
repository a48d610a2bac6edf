#include "worker/runner.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "worker/loopback_test.hpp"
#include "worker/runner_call.hpp"

namespace kinora::worker {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A runner that crashes and hangs on demand: a shell script is its process, this test's own server its HTTP side.
class RunnerTest : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  TestFolder folder_;
  net::Signal changed_{loop_.get_executor()};
  net::Client client_{loop_.get_executor()};
  int health_ = 200;
  std::string models_ = R"([{"id":"sr2x","task":"video-upscale","loaded":false}])";
  net::Handler on_task_;
  std::string last_body_;
  net::Router router_;
  std::optional<net::testing::TestServer> server_;
  WorkerTimings timings_;
  std::optional<Runner> runner_;

  void SetUp() override {
    router_.add("GET", "/health", [this](net::Request&, net::Response& r) -> net::Task<void> { co_await r.send(health_, {}, "{}"); });
    router_.add("GET", "/models", [this](net::Request&, net::Response& r) -> net::Task<void> { co_await r.send(200, {}, models_); });
    router_.add("POST", "/tasks/{task}", [this](net::Request& request, net::Response& r) -> net::Task<void> {
      last_body_ = *co_await request.body->read_all(1 << 20);
      co_await on_task_(request, r);
    });
    server_.emplace(loop_, [this](net::Request& request, net::Response& response) { return router_.route(request, response); });
    timings_.runner_backoff = 5ms;
    timings_.runner_health = 20ms;
    timings_.runner_start = 10s;
  }
  std::string ready_line() const { return "echo '{\"url\":\"" + server_->url("", false) + "\"}'\n"; }
  Runner& runner(const std::string& script) {
    const fs::path program = folder_.path() / "kinora-runner";
    std::ofstream(program) << "#!/bin/sh\necho \"$@\" >> " << (folder_.path() / "starts").string() << "\n" << script;
    fs::permissions(program, fs::perms::owner_all);
    return runner_.emplace(loop_.get_executor(), RunnerSettings{program, {"cpu"}, folder_.path(), {folder_.path() / "models"}, timings_},
                           client_, changed_);
  }
  net::Task<void> until(std::function<bool()> condition) {
    while (!condition()) co_await changed_.wait(net::Clock::now() + 5ms);
  }
  // The body while the runner is supervised.
  void with_runner(std::function<net::Task<void>()> body) {
    run(loop_, [&]() -> net::Task<void> { co_await (runner_->run() || body()); }());
  }
};

TEST_F(RunnerTest, starts_it_with_its_device_and_folders_and_learns_its_models) {
  runner(ready_line() + "exec sleep 1000");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    EXPECT_THAT(runner_->models(), ::testing::ElementsAre(RunnerModel{"sr2x", "video-upscale", false}));
    EXPECT_EQ(runner_->url(), server_->url("", false));
  });
  EXPECT_EQ(contents(folder_.path() / "starts"), "--listen 127.0.0.1:0 --work-dir " + folder_.path().string() + " --device cpu --models " +
                                                     (folder_.path() / "models").string() + "\n");
}

TEST_F(RunnerTest, learns_the_digest_of_weights_once_they_are_read) {
  runner(ready_line() + "exec sleep 1000");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    EXPECT_EQ(runner_->models().front().weights, "");
    models_ = R"([{"id":"sr2x","task":"video-upscale","weights":"sha256:aa"}])";
    co_await until([&] { return runner_->models().front().weights == "sha256:aa"; });
  });
}

TEST_F(RunnerTest, a_crash_is_noticed_and_followed_by_another) {
  runner(ready_line() + "exec sleep 1000");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    const unsigned first = runner_->generation();
    std::string why;
    ::kill(runner_->pid(), SIGSEGV);
    co_await until([&] {
      if (runner_->state() == Runner::State::down) why = runner_->detail();
      return runner_->generation() > first && runner_->ready();
    });
    EXPECT_EQ(why, "kinora-runner was killed by signal 11 (Segmentation fault)");
  });
}

TEST_F(RunnerTest, one_that_stops_answering_is_killed_and_replaced) {
  runner(ready_line() + "trap '' TERM\nwhile :; do sleep 0.01; done");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    const int pid = runner_->pid();
    health_ = 500;
    co_await until([&] { return runner_->state() == Runner::State::down; });
    EXPECT_EQ(runner_->detail(), "kinora-runner stopped answering");
    EXPECT_EQ(::kill(pid, 0), -1);
    health_ = 200;
    co_await until([&] { return runner_->ready(); });
  });
}

TEST_F(RunnerTest, one_that_never_says_its_address_is_given_up) {
  timings_.runner_start = 30ms;
  runner("exec sleep 1000");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->generation() >= 2; });
    EXPECT_FALSE(runner_->ready());
    EXPECT_EQ(runner_->detail(), "kinora-runner did not start in time");
  });
}

TEST_F(RunnerTest, one_that_ends_at_once_or_talks_nonsense_is_told) {
  runner("exit 7");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->state() == Runner::State::down; });
    EXPECT_EQ(runner_->detail(), "kinora-runner exited with status 7");
  });
  runner("echo hello; exec sleep 1000");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->state() == Runner::State::down; });
    EXPECT_NE(runner_->detail(), "");
  });
}

TEST_F(RunnerTest, waits_longer_after_every_failure) {
  timings_.runner_backoff = 20ms;
  timings_.runner_backoff_max = 80ms;
  runner("exit 1");
  const auto before = net::Clock::now();
  with_runner([&]() -> net::Task<void> { co_await until([&] { return runner_->generation() == 5; }); });
  EXPECT_GE(net::Clock::now() - before, 220ms);  // 20 + 40 + 80 + 80
}

TEST_F(RunnerTest, ends_with_its_supervisor) {
  runner(ready_line() + "exec sleep 1000");
  int pid = 0;
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    pid = runner_->pid();
  });
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(runner_->state(), Runner::State::down);
}

// Tasks.

tasks::TaskOrder order() {
  tasks::TaskOrder out;
  out.attempt = "att_1";
  out.task = "video-upscale";
  out.params = {{"scale", 2}};
  return out;
}

net::Handler stream(std::vector<std::string> events, bool end = true) {
  return [events = std::move(events), end](net::Request&, net::Response& response) -> net::Task<void> {
    net::Headers headers{{"content-type", "text/event-stream"}};
    co_await response.start(200, std::move(headers));
    for (const auto& event : events) co_await response.write("data: " + event + "\n\n");
    if (end) co_await response.finish();
  };
}

class RunnerCallTest : public RunnerTest {
 protected:
  std::vector<double> fractions_;
  Outcome<tasks::TaskResult> call(std::chrono::milliseconds silence = 1h) {
    std::optional<Outcome<tasks::TaskResult>> out;
    if (!runner_) runner(ready_line() + "exec sleep 1000");
    with_runner([&]() -> net::Task<void> {
      co_await until([&] { return runner_->ready(); });
      const LocalInputs inputs{{"video", "/w/in/0.mp4"}};
      out = co_await call_runner(*runner_, client_, order(), inputs, "/w/out", silence,
                                 [&](const tasks::Progress& progress) { fractions_.push_back(progress.fraction); });
    });
    return std::move(*out);
  }
};

TEST_F(RunnerCallTest, sends_the_task_and_returns_progress_and_result) {
  on_task_ = stream(
      {R"({"type":"progress","fraction":0.5,"stage":"run"})", R"({"balance":0})",
       R"({"type":"result","outputs":{},"files":[{"slot":"video","name":"video.mp4","bytes":3,"sha256":"","mime":"video/mp4","media":null}],"metrics":{"seconds":1,"units":2}})",
       "[DONE]"});
  const auto done = call();
  ASSERT_TRUE(done.has_value()) << done.error().detail;
  EXPECT_EQ(done->files.at(0).name, "video.mp4");
  EXPECT_EQ(done->units, 2);
  EXPECT_THAT(fractions_, ::testing::ElementsAre(0.5));
  EXPECT_EQ(boost::json::parse(last_body_), boost::json::parse(R"({"attempt":"att_1","model":null,"params":{"scale":2},
    "inputs":{"video":"/w/in/0.mp4"},"output_dir":"/w/out"})"));
}

TEST_F(RunnerCallTest, passes_failures_on) {
  on_task_ = stream({R"({"type":"error","error":{"code":"worker_oom","fault":"worker","retryable":true,"detail":"no memory"}})", "[DONE]"});
  const auto failed = call();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, "worker_oom");
  EXPECT_EQ(failed.error().detail, "no memory");
}

TEST_F(RunnerCallTest, a_refusal_is_told_as_the_runner_tells_it) {
  on_task_ = [](net::Request&, net::Response& response) -> net::Task<void> {
    co_await response.send(
        404, {}, R"({"type":"error","error":{"code":"model_not_found","fault":"client","retryable":false,"detail":"no such model"}})");
  };
  EXPECT_EQ(call().error().code, "model_not_found");
  on_task_ = [](net::Request&, net::Response& response) -> net::Task<void> { co_await response.send(500, {}, "oops"); };
  EXPECT_EQ(call().error().detail, "kinora-runner answered 500");
}

TEST_F(RunnerCallTest, a_crash_in_the_middle_costs_this_task_and_says_why) {
  on_task_ = [this](net::Request&, net::Response& response) -> net::Task<void> {
    co_await response.start(200, {});
    co_await response.write("data: {\"type\":\"progress\",\"fraction\":0.1}\n\n");
    ::kill(runner_->pid(), SIGKILL);  // and the stream breaks off
  };
  const auto failed = call();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, "worker_error");
  EXPECT_TRUE(failed.error().retryable);
  EXPECT_EQ(failed.error().detail, "kinora-runner was killed by signal 9 (Killed)");
}

TEST_F(RunnerCallTest, a_stream_that_ends_without_a_last_word_is_a_failure) {
  on_task_ = stream({R"({"type":"progress","fraction":0.1})", "[DONE]"});
  runner(ready_line() + "exec sleep 1000");
  EXPECT_THAT(call().error().detail, HasSubstr("connection to kinora-runner was lost"));
}

TEST_F(RunnerCallTest, nonsense_is_a_failure) {
  on_task_ = stream({"{{{"});
  EXPECT_THAT(call().error().detail, HasSubstr("no proper event"));
}

TEST_F(RunnerCallTest, one_that_repeats_itself_hangs_and_is_restarted) {
  on_task_ = [this](net::Request&, net::Response& response) -> net::Task<void> {
    co_await response.start(200, {});
    while (co_await response.write("data: {\"type\":\"progress\",\"fraction\":0.1}\n\n: hb\n\n")) {
      co_await changed_.wait(net::Clock::now() + 5ms);
    }
  };
  runner(ready_line() + "exec sleep 1000");
  std::optional<Outcome<tasks::TaskResult>> out;
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    const unsigned first = runner_->generation();
    out = co_await call_runner(*runner_, client_, order(), {}, "/w/out", 60ms, [](const auto&) {});
    co_await until([&] { return runner_->generation() > first && runner_->ready(); });
  });
  EXPECT_EQ(out->error().detail, "kinora-runner made no progress and was restarted");
}

TEST_F(RunnerCallTest, cancelling_closes_the_stream) {
  bool closed = false;
  net::Signal begun(loop_.get_executor());
  on_task_ = [&](net::Request&, net::Response& response) -> net::Task<void> {
    struct Gone {
      bool& closed;
      ~Gone() { closed = true; }
    } const gone{closed};
    co_await response.start(200, {});
    co_await response.write("data: {\"type\":\"progress\",\"fraction\":0.1}\n\n");
    for (;;) co_await begun.wait();
  };
  runner(ready_line() + "exec sleep 1000");
  with_runner([&]() -> net::Task<void> {
    co_await until([&] { return runner_->ready(); });
    auto calling = [&]() -> net::Task<void> {
      co_await call_runner(*runner_, client_, order(), {}, "/w/out", 1h, [&](const auto&) { changed_.notify(); });
    };
    bool told = false;
    auto stop = [&]() -> net::Task<void> {
      co_await until([&] { return !last_body_.empty(); });
      told = true;
    };
    co_await (calling() || stop());
    EXPECT_TRUE(told);
    co_await until([&] { return closed; });
  });
}

TEST(RunnerRequest, a_slot_that_takes_many_is_an_array) {
  tasks::TaskOrder join;
  join.task = "join";
  const auto body = runner_request(join, {{"source", "/a"}, {"chunk", "/b"}, {"chunk", "/c"}}, "/o");
  EXPECT_EQ(body.at("inputs"), boost::json::parse(R"({"source":"/a","chunk":["/b","/c"]})"));
}

}  // namespace
}  // namespace kinora::worker

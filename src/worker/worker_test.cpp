// A whole worker on loopback: this test plays orchestrator and gateway, a shell script plays a kinora-media that crashes, hangs and
// lies. The real programs run in worker_media_test.cpp and in tests/functional.
#include "worker/worker.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "tasks/order.hpp"
#include "worker/worker_fixture_test.hpp"

namespace kinora::worker {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
namespace json = boost::json;

// Operations by task: thumbnail works, transcode crashes, cut hangs, join reports a file outside its folder, probe fails cleanly.
// clang-format off
constexpr const char* kMediaScript = R"sh(#!/bin/sh
request=$(cat)
out=$(printf %s "$request" | sed 's/.*"output_dir":"\([^"]*\)".*/\1/')
in=$(printf %s "$request" | sed 's/.*"inputs":{[^"]*"[a-z]*":"\([^"]*\)".*/\1/')
echo $$ > "$(dirname "$0")/pid"
case $1 in
thumbnail)
  cp "$in" "$out/image.jpg"
  echo '{"type":"progress","fraction":0.5,"units_done":1,"units_total":2,"unit":"frame"}'
  echo '{"type":"result","outputs":{},"files":[{"slot":"image","name":"image.jpg","mime":"image/jpeg","bytes":0,"media":null}]}' ;;
transcode) echo '{"type":"progress","fraction":0.1}'; kill -SEGV $$ ;;
cut) echo '{"type":"progress","fraction":0.1}'; trap '' TERM; while :; do sleep 0.01; done ;;
join) echo '{"type":"result","outputs":{},"files":[{"slot":"video","name":"../../../lock","mime":"video/mp4","bytes":0,"media":null}]}' ;;
probe) echo '{"type":"error","error":{"code":"input_invalid","fault":"client","retryable":false,"detail":"cannot read '"$in"'"}}'; exit 1 ;;
esac
)sh";
// clang-format on

class WorkerTest : public WorkerFixture {
 protected:
  void SetUp() override {
    WorkerFixture::SetUp();
    fs::create_directories(folder_.path() / "bin");
    std::ofstream(folder_.path() / "bin/kinora-media") << kMediaScript;
    fs::permissions(folder_.path() / "bin/kinora-media", fs::perms::owner_all);
    settings_.programs = folder_.path() / "bin";
  }
};

TEST_F(WorkerTest, a_full_disk_refuses_orders_but_answers_pings) {
  settings_.disk_reserve_bytes = std::uint64_t{1} << 60;  // no disk has that much room
  start();
  EXPECT_EQ(status_of(post(order("probe", attempt_id()), "probe")), 503);
  EXPECT_EQ(status_of(post(order("ping", attempt_id()), "ping")), 200);
}

TEST_F(WorkerTest, takes_media_from_a_private_address_only_of_its_own_gateway) {
  settings_.media_reach = net::Reach::public_only;
  start();
  const auto refused = all_events("thumbnail");
  const auto last = [](const auto& events) { return events.at(events.size() - 2); };  // before the end mark
  ASSERT_EQ(last(refused).at("type").as_string(), "error");
  EXPECT_EQ(last(refused).at("error").at("code").as_string(), "input_unavailable");
  EXPECT_THAT(gateway_.log, ::testing::IsEmpty());
  worker_->add_own_gateway(gateway_.url(""));
  EXPECT_EQ(last(all_events("thumbnail")).at("type").as_string(), "result");
}

TEST_F(WorkerTest, answers_a_ping_itself) {
  start();
  const auto all = all_events("ping");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].at("type").as_string(), "accepted");
  EXPECT_EQ(all[0].at("worker").as_string(), "w1");
  const auto& ping = all[1].at("outputs").at("ping");
  EXPECT_EQ(ping.at("worker").as_string(), "w1");
  EXPECT_TRUE(ping.at("time").is_string());
  EXPECT_EQ(all[2].at("type").as_string(), "DONE");
}

TEST_F(WorkerTest, fetches_runs_and_uploads) {
  start();
  const auto all = all_events("thumbnail");
  ASSERT_GE(all.size(), 3U);
  const auto& result = all[all.size() - 2];
  ASSERT_EQ(result.at("type").as_string(), "result") << json::serialize(result);
  const auto& file = result.at("files").at(0);
  EXPECT_EQ(file.at("name").as_string(), "image.jpg");
  EXPECT_EQ(file.at("sha256").as_string(), sha256_of(gateway_.inputs["clip"]));
  EXPECT_EQ(file.at("bytes").to_number<std::size_t>(), gateway_.inputs["clip"].size());
  EXPECT_TRUE(gateway_.outputs["image.jpg"] == gateway_.inputs["clip"]);
  EXPECT_EQ(gateway_.types["image.jpg"], "image/jpeg");
  double last = 0;
  for (const auto& event : all) {
    if (event.at("type").as_string() != "progress") continue;
    EXPECT_GE(event.at("fraction").to_number<double>(), last);
    last = event.at("fraction").to_number<double>();
  }
  run(loop_, until([&] { return no_attempt_left(); }));
}

TEST_F(WorkerTest, fetches_the_same_input_once_for_several_orders) {
  start();
  all_events("thumbnail");
  all_events("thumbnail");
  EXPECT_EQ(std::count(gateway_.log.begin(), gateway_.log.end(), "GET clip 0"), 1);
}

TEST_F(WorkerTest, a_crash_of_the_program_costs_one_order_only) {
  start();
  const auto error = failure_in(all_events("transcode"));
  EXPECT_EQ(error.at("code").as_string(), "worker_error");
  EXPECT_EQ(error.at("detail").as_string(), "kinora-media was killed by signal 11 (Segmentation fault)");
  EXPECT_TRUE(error.at("retryable").as_bool());
  EXPECT_EQ(all_events("thumbnail").at(1).at("type").as_string(), "progress");
  run(loop_, until([&] { return no_attempt_left(); }));
}

TEST_F(WorkerTest, a_clean_error_is_passed_on_without_paths_of_this_machine) {
  start();
  const auto error = failure_in(all_events("probe"));
  EXPECT_EQ(error.at("code").as_string(), "input_invalid");
  EXPECT_EQ(error.at("fault").as_string(), "client");
  EXPECT_FALSE(error.at("retryable").as_bool());
  EXPECT_EQ(error.at("detail").as_string(), "cannot read …");
}

TEST_F(WorkerTest, a_file_outside_the_output_folder_is_refused) {
  start();
  const auto error = failure_in(all_events("join"));
  EXPECT_EQ(error.at("code").as_string(), "worker_error");
  EXPECT_TRUE(gateway_.outputs.empty());
}

TEST_F(WorkerTest, an_input_with_a_wrong_hash_is_refused) {
  start();
  auto body = order("thumbnail", attempt_id());
  body["inputs"].as_array()[0].as_object()["sha256"] = sha256_of("else");
  EXPECT_EQ(failure_in(run(loop_, events(body))).at("code").as_string(), "transfer_failed");
  run(loop_, until([&] { return no_attempt_left(); }));
}

TEST_F(WorkerTest, a_giant_input_is_refused_before_it_is_fetched) {
  settings_.max_input_bytes = 1000;
  start();
  EXPECT_EQ(failure_in(all_events("thumbnail")).at("code").as_string(), "media_too_large");
  EXPECT_TRUE(gateway_.log.empty());
}

TEST_F(WorkerTest, refuses_strangers_and_orders_that_break_the_rules) {
  start();
  const auto good = order("ping", attempt_id());
  EXPECT_EQ(status_of(post(good, "ping", "wrong-token")), 401);
  EXPECT_EQ(status_of(post(good, "ping", "worker-token2")), 401);
  auto no_header = post(good, "ping");
  no_header.headers.erase("authorization");
  EXPECT_EQ(status_of(std::move(no_header)), 401);
  auto not_json = post(good, "ping");
  not_json.body = "{";
  EXPECT_EQ(status_of(std::move(not_json)), 400);
  EXPECT_EQ(status_of(post(good, "probe")), 400);  // another task than its address
  for (const char* id : {"", "x", "../../../etc", "att_../../../../../../etc/x", "job_01ARZ3NDEKTSV4RRFFQ69G5FAV"}) {
    EXPECT_EQ(status_of(post(order("ping", id), "ping")), 400) << id;
  }
  auto unknown = order("ping", attempt_id());
  unknown["task"] = "rm";
  EXPECT_EQ(status_of(post(unknown, "rm")), 400);
  auto params = order("thumbnail", attempt_id());
  params["params"] = json::object{{"width", -5}};
  EXPECT_EQ(status_of(post(params, "thumbnail")), 400);
  auto scheme = order("thumbnail", attempt_id());
  scheme["inputs"].as_array()[0].as_object()["url"] = "file:///etc/passwd";
  EXPECT_EQ(status_of(post(scheme, "thumbnail")), 400);
  auto large = post(good, "ping");
  large.body = std::string(tasks::kMaxOrderBytes + 1, ' ');
  EXPECT_EQ(status_of(std::move(large)), 413);
  auto model = order("video-upscale", attempt_id());
  EXPECT_EQ(status_of(post(model, "video-upscale")), 503);  // no device here
  EXPECT_EQ(worker_->running(), 0U);
}

TEST_F(WorkerTest, an_input_s_name_reaches_the_disk_as_an_extension_only) {
  start();
  auto body = order("thumbnail", attempt_id());
  body["inputs"].as_array()[0].as_object()["name"] = "a b;$(reboot).MP4";
  const auto all = run(loop_, events(body));
  EXPECT_EQ(all.at(all.size() - 2).at("type").as_string(), "result") << json::serialize(all.at(all.size() - 2));
}

TEST_F(WorkerTest, closing_the_stream_stops_the_work_within_a_second) {
  start();
  run(loop_, [&]() -> net::Task<void> {
    int pid = 0;
    {
      auto answer = co_await client_.send(post(order("cut", attempt_id()), "cut"));
      co_await until([&] { return fs::exists(folder_.path() / "bin/pid") && (std::ifstream(folder_.path() / "bin/pid") >> pid); });
      EXPECT_EQ(worker_->running(), 1U);
    }
    const auto before = net::Clock::now();
    co_await until([&] { return ::kill(pid, 0) == -1; });  // the script ignores SIGTERM: SIGKILL after two seconds
    EXPECT_LT(net::Clock::now() - before, 4s);
    co_await until([&] { return worker_->running() == 0; });
    EXPECT_TRUE(no_attempt_left());
  }());
}

TEST_F(WorkerTest, a_repeated_attempt_attaches_and_a_finished_one_is_told_again) {
  start();
  gateway_.hold_after = 1000;
  const std::string id = attempt_id();
  run(loop_, [&]() -> net::Task<void> {
    auto first = [&]() -> net::Task<std::size_t> { co_return (co_await events(order("thumbnail", id))).size(); };
    auto second = [&]() -> net::Task<std::size_t> {
      co_await until([&] { return worker_->running() == 1; });
      const auto all = co_await events(order("thumbnail", id), [&](const json::object&) { gateway_.release(); });
      EXPECT_EQ(all.at(all.size() - 2).at("type").as_string(), "result");
      co_return all.size();
    };
    const auto [a, b] = co_await (first() && second());
    EXPECT_GE(a, 3U);
    EXPECT_GE(b, 3U);
  }());
  const auto puts = std::count(gateway_.log.begin(), gateway_.log.end(), "PUT image.jpg");
  EXPECT_EQ(puts, 1);
  const auto again = run(loop_, events(order("thumbnail", id)));
  ASSERT_EQ(again.size(), 3U);
  EXPECT_EQ(again[1].at("type").as_string(), "result");
  EXPECT_EQ(std::count(gateway_.log.begin(), gateway_.log.end(), "PUT image.jpg"), 1);
}

TEST_F(WorkerTest, refuses_what_it_has_no_place_for) {
  settings_.media_slots = 1;
  start();
  run(loop_, [&]() -> net::Task<void> {
    auto busy = co_await client_.send(post(order("cut", attempt_id()), "cut"));
    EXPECT_EQ(busy->status(), 200);
    auto refused = co_await client_.send(post(order("thumbnail", attempt_id()), "thumbnail"));
    EXPECT_EQ(refused->status(), 503);
    EXPECT_EQ((co_await refused->read_all(1000)).value_or(""), "No capacity available for capability");
    auto ping = co_await client_.send(post(order("ping", attempt_id()), "ping"));
    EXPECT_EQ(ping->status(), 200);
  }());
}

TEST_F(WorkerTest, an_order_past_its_deadline_is_stopped) {
  start();
  auto body = order("cut", attempt_id());
  body["deadline_s"] = 1;
  EXPECT_EQ(failure_in(run(loop_, events(body))).at("code").as_string(), "worker_timeout");
}

TEST_F(WorkerTest, drain_ends_what_does_not_end_by_itself_and_gives_it_back) {
  start();
  std::vector<json::object> told;
  run(loop_, [&]() -> net::Task<void> {
    auto busy = [&]() -> net::Task<void> { told = co_await events(order("cut", attempt_id())); };
    auto stop = [&]() -> net::Task<void> {
      co_await until([&] { return fs::exists(folder_.path() / "bin/pid"); });
      co_await worker_->drain(10ms);
      EXPECT_EQ(worker_->running(), 0U);
      auto refused = co_await client_.send(post(order("ping", attempt_id()), "ping"));
      EXPECT_EQ(refused->status(), 503);
    };
    co_await (busy() && stop() && worker_->run());
  }());
  const auto error = failure_in(told);
  EXPECT_EQ(error.at("code").as_string(), "worker_lost");
  EXPECT_TRUE(error.at("retryable").as_bool());
}

TEST_F(WorkerTest, drain_lets_an_order_end_in_its_grace) {
  start();
  gateway_.hold_after = 1000;
  run(loop_, [&]() -> net::Task<void> {
    auto busy = [&]() -> net::Task<void> {
      const auto all = co_await events(order("thumbnail", attempt_id()));
      EXPECT_EQ(all.at(all.size() - 2).at("type").as_string(), "result");
    };
    auto stop = [&]() -> net::Task<void> {
      co_await until([&] { return worker_->running() == 1; });
      auto release = [&]() -> net::Task<void> {
        gateway_.release();
        co_return;
      };
      co_await (worker_->drain(1min) && release());
    };
    co_await (busy() && stop() && worker_->run());
  }());
}

TEST_F(WorkerTest, says_what_is_missing_at_start) {
  fs::remove(folder_.path() / "bin/kinora-media");
  Worker no_media(loop_.get_executor(), settings_, client_);
  EXPECT_EQ(no_media.open().error().code, base::ErrorCode::not_found);
}

TEST_F(WorkerTest, says_what_devices_it_has) {
  start();
  const auto devices = worker_->devices();
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0].name, "media");
  EXPECT_EQ(devices[0].state, "ready");
  EXPECT_EQ(devices[0].slots, 2U);
}

TEST_F(WorkerTest, makes_a_token_of_its_own_when_none_is_given) {
  settings_.token.clear();
  Worker one(loop_.get_executor(), settings_, client_);
  Worker two(loop_.get_executor(), settings_, client_);
  EXPECT_EQ(one.token().size(), 43U);  // 32 bytes in base64url
  EXPECT_NE(one.token(), two.token());
}

}  // namespace
}  // namespace kinora::worker

#include "tasks/event.hpp"

#include <gtest/gtest.h>

namespace kinora::tasks {
namespace {

template <class T>
T parsed(std::string_view text) {
  auto event = parse_event(text);
  EXPECT_TRUE(event) << event.error().message;
  EXPECT_TRUE(event && *event && std::holds_alternative<T>(**event)) << text;
  return event && *event && std::holds_alternative<T>(**event) ? std::get<T>(**event) : T{};
}

TEST(TaskEvent, reads_each_type) {
  const auto accepted = parsed<Accepted>(R"({"type":"accepted","worker":"w1","device":"cpu","queue_position":2})");
  EXPECT_EQ(accepted.worker, "w1");
  EXPECT_EQ(accepted.queue_position, 2);
  const auto progress =
      parsed<Progress>(R"({"type":"progress","fraction":0.25,"stage":"run","units_done":25,"units_total":100,"unit":"frame","fps":12.5})");
  EXPECT_DOUBLE_EQ(progress.fraction, 0.25);
  EXPECT_EQ(progress.fps, 12.5);
  EXPECT_FALSE(progress.eta_s);
  const auto result = parsed<TaskResult>(R"({"type":"result","outputs":{"ping":{"worker":"w"}},
      "files":[{"slot":"video","name":"out.mp4","bytes":5,"sha256":"","mime":"video/mp4","media":{"duration_s":1}}],"metrics":{"seconds":1.5,"units":3}})");
  EXPECT_EQ(result.outputs.at("ping").at("worker"), "w");
  ASSERT_EQ(result.files.size(), 1u);
  EXPECT_EQ(result.files[0].name, "out.mp4");
  EXPECT_EQ(result.files[0].media.at("duration_s"), 1);
  EXPECT_DOUBLE_EQ(result.seconds, 1.5);
  const auto failed =
      parsed<TaskFailure>(R"({"type":"error","error":{"code":"input_invalid","fault":"client","retryable":false,"detail":"no video"}})");
  EXPECT_EQ(failed.code, "input_invalid");
  EXPECT_EQ(failed.fault, Fault::client);
  EXPECT_FALSE(failed.retryable);
}

TEST(TaskEvent, ignores_objects_it_does_not_know) {
  // the orchestrator's own, and one of a newer worker
  for (const char* text : {R"({"balance":0})", R"({"type":"preview","at":0.5})", R"({"type":null})"}) {
    const auto event = parse_event(text);
    ASSERT_TRUE(event) << text;
    EXPECT_FALSE(event->has_value()) << text;
  }
}

TEST(TaskEvent, refuses_what_is_no_event) {
  for (const char* text :
       {"", "[DONE]", "[]", "3", R"({"type":7})", R"({"type":"progress","fraction":1.5})", R"({"type":"progress","units_done":-1})",
        R"({"type":"result","files":[{"slot":"v","name":"../x"}]})", R"({"type":"result","files":[{"slot":"v"}]})",
        R"({"type":"result","files":[{"slot":"v","name":"x","sha256":"zz"}]})", R"({"type":"error"})",
        R"({"type":"error","error":{"fault":"nobody"}})"})
    EXPECT_FALSE(parse_event(text)) << text;
}

TEST(TaskEvent, says_the_same_again_when_written) {
  const TaskEvent events[] = {Accepted{"w", "cuda:0", 1}, Progress{0.5, "run", 1, 2, "frame", 30.0, 4.0},
                              TaskResult{{{"a", 1}}, {{"video", "o.mp4", 9, std::string(64, 'a'), "video/mp4", {{"w", 1}}}}, 2, 3},
                              failure("worker_oom", "tile too large")};
  for (const TaskEvent& event : events) {
    const auto again = parse_event(json::serialize(to_json(event)));
    ASSERT_TRUE(again && *again);
    EXPECT_EQ(to_json(**again), to_json(event));
  }
}

TEST(TaskEvent, maps_unknown_codes_to_worker_error_and_cuts_long_details) {
  const std::string detail(kMaxDetailBytes - 1, 'x');
  const auto failed = parsed<TaskFailure>(R"({"type":"error","error":{"code":"made_up","detail":")" + detail + "\xc3\xa4\xc3\xa4\"}}");
  EXPECT_EQ(failed.code, "worker_error");
  EXPECT_EQ(failed.detail, detail);  // the cut never falls inside a character
}

TEST(TaskEvent, takes_fault_and_retryable_from_the_table_when_absent) {
  EXPECT_FALSE(parsed<TaskFailure>(R"({"type":"error","error":{"code":"input_invalid"}})").retryable);
  EXPECT_EQ(parsed<TaskFailure>(R"({"type":"error","error":{"code":"worker_lost"}})").fault, Fault::network);
}

TEST(TaskEvent, refuses_more_files_than_the_limit) {
  json::array files(kMaxResultFiles + 1, json::value{{"slot", "s"}, {"name", "n"}});
  EXPECT_FALSE(parse_event(json::serialize(json::object{{"type", "result"}, {"files", files}})));
  files.pop_back();
  EXPECT_TRUE(parse_event(json::serialize(json::object{{"type", "result"}, {"files", files}})));
  EXPECT_EQ(parse_event(std::string(kMaxEventBytes + 1, ' ')).error().code, base::ErrorCode::too_large);
}

TEST(ErrorCodes, match_the_table_of_the_api) {
  // developer-api 5.14
  const auto is = [](std::string_view code, int status, Fault fault, bool retryable) {
    const ErrorSpec* spec = find_error(code);
    return spec != nullptr && spec->http_status == status && spec->fault == fault && spec->retryable == retryable;
  };
  EXPECT_TRUE(is("unknown_field", 400, Fault::client, false));
  EXPECT_TRUE(is("unauthenticated", 401, Fault::client, false));
  EXPECT_TRUE(is("version_conflict", 412, Fault::client, false));
  EXPECT_TRUE(is("idempotency_in_progress", 409, Fault::client, true));
  EXPECT_TRUE(is("idempotency_mismatch", 422, Fault::client, false));
  EXPECT_TRUE(is("input_invalid", 422, Fault::client, false));
  EXPECT_TRUE(is("input_unavailable", 422, Fault::client, true));
  EXPECT_TRUE(is("queue_full", 429, Fault::platform, true));
  EXPECT_TRUE(is("no_capacity", 503, Fault::platform, true));
  EXPECT_TRUE(is("worker_lost", 0, Fault::network, true));
  EXPECT_TRUE(is("verification_failed", 0, Fault::worker, true));
  EXPECT_TRUE(is("start_timeout", 0, Fault::platform, true));
  EXPECT_EQ(find_error("nonsense"), nullptr);
  EXPECT_EQ(http_status("worker_lost"), 500);
}

TEST(ErrorCodes, make_the_problem_object_of_the_api) {
  Problem problem{.code = "schema_invalid", .detail = "2 errors", .errors = {{"/input/scale", "too_high", "must be at most 4"}}};
  const json::object out = to_json(problem);
  EXPECT_EQ(out.at("status"), 422);
  EXPECT_EQ(out.at("code"), "schema_invalid");
  EXPECT_EQ(out.at("fault"), "client");
  EXPECT_EQ(out.at("retryable"), false);
  EXPECT_EQ(json::serialize(out.at("errors")), R"([{"pointer":"/input/scale","code":"too_high","detail":"must be at most 4"}])");
  EXPECT_EQ(json::serialize(out.at("charged")), R"({"currency":"USD","amount":"0"})");
  EXPECT_FALSE(to_json(Problem{.code = "worker_lost", .detail = ""}).contains("status"));
}

}  // namespace
}  // namespace kinora::tasks

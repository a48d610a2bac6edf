// Event streams (developer-api 5.7), black box.
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "gateway/test_gateway.hpp"
#include "net/sse.hpp"

namespace kinora::gateway {
namespace {

std::string text(const json::value& value) { return std::string(value.as_string()); }

GatewaySettings quick_heartbeat() {
  GatewaySettings settings;
  settings.heartbeat = std::chrono::milliseconds(20);
  return settings;
}

struct Events : GatewayTest {
  Events() : GatewayTest(quick_heartbeat()) {}

  struct Stream {
    int status = 0;
    net::Headers headers;
    std::string raw;
    std::vector<net::SseEvent> events;
    std::vector<std::string> types() const {
      std::vector<std::string> out;
      for (const auto& event : events) out.push_back(event.type);
      return out;
    }
  };
  // Reads a stream until its end or until `enough`.
  net::Task<Stream> read(std::string target, net::Headers headers, std::function<bool(const Stream&)> enough) {
    net::ClientRequest out;
    out.url = url + target;
    out.headers = std::move(headers);
    out.headers.set("authorization", "Bearer " + key);
    Stream stream;
    auto response = co_await client.send(std::move(out));
    if (!response) co_return stream;
    stream.status = response->status();
    stream.headers = response->headers();
    streaming = true;
    net::SseParser parser;
    while (!enough(stream)) {
      auto piece = co_await response->read();
      if (!piece || piece->empty()) break;
      stream.raw += *piece;
      auto events = parser.feed(*piece);
      if (!events) break;
      for (auto& event : *events) stream.events.push_back(std::move(event));
    }
    co_return stream;
  }
  Stream whole(std::string target, net::Headers headers = {}) {
    return run(read(std::move(target), std::move(headers), [](const Stream&) { return false; }));
  }
  // Progress until `released`, then success.
  void work_in_steps() {
    *work = [this](jobs::AttemptRequest, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> {
      while (!released) {
        boost::asio::steady_timer timer(context, std::chrono::milliseconds(5));
        co_await timer.async_wait(boost::asio::use_awaitable);
      }
      co_return pinged();
    };
  }
  bool released = false;
  bool streaming = false;  // a stream has begun
};

TEST_F(Events, a_finished_job_gives_a_snapshot_and_the_end) {
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const auto stream = whole("/v1/jobs/" + text(job["id"]) + "/events");
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(stream.headers.get("content-type"), "text/event-stream");
  EXPECT_EQ(stream.headers.get("x-accel-buffering"), "no");
  EXPECT_EQ(stream.headers.get("cache-control"), "no-store");
  EXPECT_EQ(stream.types(), (std::vector<std::string>{"snapshot", "end"}));
  EXPECT_TRUE(stream.raw.starts_with("retry: 2000\n\n"));
  EXPECT_EQ(base::parse_json(stream.events[0].data)->at("status"), "succeeded");
}

TEST_F(Events, from_the_first_offset_come_gap_free_and_end_with_the_terminal_one) {
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const auto stream = whole("/v1/jobs/" + text(job["id"]) + "/events?after=0");
  ASSERT_GE(stream.events.size(), 3u);
  EXPECT_EQ(stream.events.front().type, "job.created");
  EXPECT_EQ(stream.types().back(), "end");
  EXPECT_EQ(stream.types()[stream.events.size() - 2], "job.succeeded");
  std::int64_t expected = 1;
  for (std::size_t i = 0; i + 1 < stream.events.size(); ++i) {
    const auto envelope = *base::parse_json(stream.events[i].data);
    EXPECT_EQ(envelope.at("seq").as_int64(), expected++);
    EXPECT_EQ(envelope.at("specversion"), "1.0");
    EXPECT_EQ(envelope.at("subject"), job["id"]);
    EXPECT_EQ(envelope.at("type"), json::value(stream.events[i].type));
  }
}

TEST_F(Events, resume_after_the_last_one_seen_and_204_after_the_end) {
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const std::string path = "/v1/jobs/" + text(job["id"]) + "/events";
  const auto all = whole(path + "?after=0");
  const auto rest = whole(path, {{"last-event-id", all.events[0].id}});
  EXPECT_EQ(rest.events.size(), all.events.size() - 1);
  EXPECT_EQ(rest.events[0].id, all.events[1].id);
  EXPECT_EQ(whole(path, {{"last-event-id", all.events.back().id}}).status, 204);
  EXPECT_EQ(whole(path, {{"last-event-id", "nonsense"}}).status, 400);
  EXPECT_EQ(whole(path + "?after=9223372036854775807").status, 400);
}

TEST_F(Events, follow_a_running_job_with_heartbeats_and_break_off_when_the_client_goes) {
  work_in_steps();
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}});
  const std::string path = "/v1/jobs/" + text(job["id"]) + "/events";
  const auto quiet = run(read(path, {}, [](const Stream& stream) { return stream.raw.find(": hb\n") != std::string::npos; }));
  EXPECT_EQ(quiet.types().at(0), "snapshot");
  std::optional<Stream> followed;
  boost::asio::co_spawn(context, read(path, {}, [](const Stream&) { return false; }),
                        [&](std::exception_ptr, Stream stream) { followed = std::move(stream); });
  run_until([&] { return gateway->counts().running_attempts == 1; });
  released = true;
  run_until([&] { return followed.has_value(); });
  EXPECT_EQ(followed->types().back(), "end");
  EXPECT_EQ(followed->types()[followed->events.size() - 2], "job.succeeded");
}

TEST_F(Events, a_jobs_log_is_followed_line_by_line_to_its_end) {
  work_in_steps();
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}});
  const std::string path = "/v1/jobs/" + text(job["id"]) + "/logs";
  const net::Headers follow{{"accept", "text/event-stream"}};
  std::optional<Stream> followed;
  boost::asio::co_spawn(context, read(path, follow, [](const Stream&) { return false; }),
                        [&](std::exception_ptr, Stream stream) { followed = std::move(stream); });
  run_until([&] { return streaming && gateway->counts().running_attempts == 1; });
  released = true;
  run_until([&] { return followed.has_value(); });
  EXPECT_EQ(followed->headers.get("content-type"), "text/event-stream");
  ASSERT_GE(followed->events.size(), 3U);
  EXPECT_EQ(followed->types().back(), "end");
  // Line by line what the page says.
  const auto page = get(path)["data"].as_array();
  ASSERT_EQ(followed->events.size(), page.size() + 1);
  for (std::size_t i = 0; i < page.size(); ++i) {
    EXPECT_EQ(followed->events[i].type, "log");
    EXPECT_EQ(*base::parse_json(followed->events[i].data), page[i]);
    EXPECT_EQ(followed->events[i].id, json::serialize(page[i].at("seq")));
  }
}

TEST_F(Events, a_jobs_log_goes_on_after_the_last_line_seen_and_says_204_after_the_end) {
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const std::string path = "/v1/jobs/" + text(job["id"]) + "/logs";
  const auto resume = [&](const std::string& id) { return whole(path, {{"accept", "text/event-stream"}, {"last-event-id", id}}); };
  const auto all = whole(path, {{"accept", "text/event-stream"}});
  const auto rest = resume(all.events[0].id);
  ASSERT_EQ(rest.events.size(), all.events.size() - 1);
  EXPECT_EQ(rest.events[0].id, all.events[1].id);
  EXPECT_EQ(resume(all.events.back().id).status, 204);
  EXPECT_EQ(resume("nonsense").status, 400);
  EXPECT_EQ(whole(path + "?level=error", {{"accept", "text/event-stream"}}).types(), std::vector<std::string>{"end"});
  EXPECT_EQ(whole("/v1/jobs/job_01KE0000000000000000000001/logs", {{"accept", "text/event-stream"}}).status, 404);
}

TEST_F(Events, are_filtered_by_type) {
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const auto stream = whole("/v1/jobs/" + text(job["id"]) + "/events?after=0&types=job.succeeded,job.created");
  EXPECT_EQ(stream.types(), (std::vector<std::string>{"job.created", "job.succeeded", "end"}));
}

TEST_F(Events, of_unknown_jobs_are_404_and_without_scope_403) {
  EXPECT_EQ(get("/v1/jobs/job_01KE0000000000000000000001/events").status, 404);
  EXPECT_EQ(get("/v1/jobs/job_01KE0000000000000000000001/events", {{"authorization", key_with({"media:*"})}}).status, 403);
}

TEST_F(Events, end_when_the_server_stops) {
  work_in_steps();
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}});
  bool ended = false;
  boost::asio::co_spawn(context, read("/v1/jobs/" + text(job["id"]) + "/events", {}, [](const Stream&) { return false; }),
                        [&](std::exception_ptr, Stream) { ended = true; });
  run_until([&] { return gateway->counts().running_attempts == 1; });
  close();
  run_until([&] { return ended; });
}

TEST_F(Events, of_the_project_are_followed_across_jobs) {
  std::optional<Stream> followed;
  boost::asio::co_spawn(context,
                        read("/v1/events/stream?types=job.succeeded", {}, [](const Stream& stream) { return stream.events.size() == 2; }),
                        [&](std::exception_ptr, Stream stream) { followed = std::move(stream); });
  run_until([&] { return streaming; });
  const auto first = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const auto second = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  run_until([&] { return followed.has_value(); });
  EXPECT_EQ(base::parse_json(followed->events[0].data)->at("subject"), first["id"]);
  EXPECT_EQ(base::parse_json(followed->events[1].data)->at("subject"), second["id"]);
  const auto resumed =
      run(read("/v1/events/stream?after=0&types=job.created", {}, [](const Stream& stream) { return stream.events.size() == 2; }));
  EXPECT_EQ(base::parse_json(resumed.events[0].data)->at("subject"), first["id"]);
}

TEST_F(Events, so_old_that_they_are_no_longer_kept_are_410) {
  const auto old = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const auto offset = whole("/v1/jobs/" + text(old["id"]) + "/events?after=0").events.at(0).id;
  close();
  skew += std::chrono::hours(24 * 31);
  open();  // sweeps at its start
  run_until([&] { return get("/v1/events")["data"].as_array().empty(); });
  const auto job = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  EXPECT_EQ(get("/v1/jobs/" + text(job["id"]) + "/events", {{"last-event-id", offset}}).code(), "events_gone");
  EXPECT_EQ(get("/v1/events/stream?after=" + offset).code(), "events_gone");
  EXPECT_EQ(get("/v1/jobs/" + text(old["id"]) + "/events?after=0").code(), "events_gone");
  EXPECT_EQ(whole("/v1/jobs/" + text(job["id"]) + "/events?after=0").events.at(0).type, "job.created") << "all of this one is kept";
}

TEST_F(Events, are_listed_in_pages_that_new_ones_do_not_disturb) {
  const auto first = post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  std::vector<std::string> ascending;
  std::string after;
  for (;;) {
    const auto page = get("/v1/events?limit=2&order=asc" + (after.empty() ? "" : "&after=" + after));
    ASSERT_EQ(page.status, 200) << page.body;
    for (const auto& event : page["data"].as_array()) ascending.push_back(text(event.at("id")));
    if (!page["has_more"].as_bool()) break;
    after = text(page["next_cursor"]);
  }
  EXPECT_GE(ascending.size(), 3u);
  EXPECT_EQ(std::set<std::string>(ascending.begin(), ascending.end()).size(), ascending.size());
  const auto newest = get("/v1/events?limit=1");
  EXPECT_EQ(newest["data"].at(0).at("type"), "job.succeeded");
  post("/v1/jobs", json::object{{"task", "ping"}, {"wait_s", 10}});
  const auto older = get("/v1/events?limit=1&after=" + text(newest["next_cursor"]));
  EXPECT_EQ(text(older["data"].at(0).at("id")), ascending.at(ascending.size() - 2));
  const auto newer = get("/v1/events?limit=1&before=" + text(older["data"].at(0).at("id")));
  EXPECT_EQ(text(newer["data"].at(0).at("id")), ascending.back());
  const auto of_first = get("/v1/events?limit=100&subject=" + text(first["id"]));
  EXPECT_EQ(of_first["data"].as_array().size(), ascending.size());
  const auto created = get("/v1/events?types=job.created");
  ASSERT_EQ(created["data"].as_array().size(), 2U);
  for (const auto& event : created["data"].as_array()) EXPECT_EQ(event.at("type"), "job.created");
  EXPECT_EQ(get("/v1/events?types=job.created,job.succeeded")["data"].as_array().size(), 4U);
  EXPECT_EQ(get("/v1/events?types=run.*")["data"].as_array().size(), 0U);
  EXPECT_EQ(get("/v1/events?types=job.created&after=" + text(newest["next_cursor"])).code(), "cursor_mismatch");
  EXPECT_EQ(get("/v1/events?types=job%5Bx%5D").status, 400);
}

}  // namespace
}  // namespace kinora::gateway

// Jobs through the API (developer-api 5.3, 5.4), black box, with a worker that fetches its inputs and puts its outputs over HTTP.
#include <boost/asio/steady_timer.hpp>

#include "gateway/call.hpp"
#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

std::string text(const json::value& value) { return std::string(value.as_string()); }
const net::Headers kNoKey{{"authorization", ""}};
constexpr std::string_view kVideo = "MOV a video of 320x180";
constexpr std::string_view kVideo2x = "MOV2 a video of 640x360";

struct Jobs : GatewayTest {
  HttpAnswer submit(json::object body, net::Headers headers = {}) { return post("/v1/jobs", body, std::move(headers)); }
  HttpAnswer finished(const std::string& id) { return get("/v1/jobs/" + id + "?wait_s=10"); }
  std::string upload_video() { return upload(std::string(kVideo), "clip.mp4", "video/mp4"); }

  // As a worker does it: GET the first input, PUT the files, and tell of them.
  struct File {
    std::string slot, name, bytes, mime = "video/mp4";
  };
  net::Task<jobs::AttemptOutcome> deliver(jobs::AttemptRequest request, std::vector<File> files) {
    for (const auto& input : request.order.inputs) {
      const auto got = co_await this->request("GET", input.url, "", kNoKey);
      inputs_seen.push_back(got.body);
    }
    tasks::TaskResult result;
    for (const auto& file : files) {
      net::Headers headers{{"authorization", "Bearer " + request.order.upload->token}, {"content-type", file.mime}};
      const auto put = co_await this->request("PUT", request.order.upload->url + file.name, file.bytes, headers);
      EXPECT_EQ(put.status, 200) << put.body;
      result.files.push_back({file.slot, file.name, static_cast<std::int64_t>(file.bytes.size()),
                              base::to_hex(base::sha256(base::as_bytes(file.bytes))), file.mime, nullptr});
    }
    co_return jobs::outcome::Succeeded{std::move(result), "https://node"};
  }
  void work_delivers(std::vector<File> files) {
    *work = [this, files](jobs::AttemptRequest request, jobs::AttemptObserver) { return deliver(std::move(request), files); };
  }
  // Attempts wait until release() is called.
  void work_waits() {
    *work = [this](jobs::AttemptRequest, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> {
      ++started;
      while (!released) {
        boost::asio::steady_timer timer(context, std::chrono::milliseconds(5));
        co_await timer.async_wait(boost::asio::use_awaitable);
      }
      co_return pinged();
    };
  }

  std::vector<std::string> inputs_seen;
  int started = 0;
  bool released = false;
};

TEST_F(Jobs, an_unknown_model_is_told_beside_every_wrong_artifact) {
  const json::object nothing{{"artifact", "art_01KE0000000000000000000001"}};
  const auto pointers = [](const HttpAnswer& answer) {
    std::vector<std::string> all;
    for (const auto& error : answer["errors"].as_array()) all.emplace_back(error.at("pointer").as_string());
    return all;
  };
  auto refused = submit({{"task", "video-upscale"}, {"model", "kinora-sr2"}, {"input", {{"video", nothing}}}});
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.code(), "model_not_found");
  EXPECT_EQ(pointers(refused), (std::vector<std::string>{"/model", "/input/video"}));
  EXPECT_NE(refused.body.find("did you mean \\\"kinora-sr2x\\\"?"), std::string::npos) << refused.body;
  refused = submit({{"task", "video-upscale"}, {"model", "kinora-sr2"}, {"input", {{"video", nothing}, {"scale", 0}}}, {"wait_s", 61}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(pointers(refused), (std::vector<std::string>{"/input/scale", "/wait_s", "/model"}));
  refused = submit({{"task", "concat"}, {"input", {{"videos", {nothing, nothing}}}}});
  EXPECT_EQ(pointers(refused), (std::vector<std::string>{"/input/videos/0", "/input/videos/1"}));
  EXPECT_TRUE(get("/v1/jobs")["data"].as_array().empty());
  EXPECT_EQ(submit({{"task", "video-upscale"}, {"model", "kinora-sr2x"}, {"input", {{"video", {{"artifact", upload_video()}}}}}}).status,
            202);
}

TEST_F(Jobs, a_ping_is_accepted_with_202_and_succeeds) {
  const auto made = submit({{"task", "ping"}, {"input", json::object{}}});
  ASSERT_EQ(made.status, 202) << made.body;
  const std::string id = text(made["id"]);
  EXPECT_TRUE(base::is_id("job", id));
  EXPECT_EQ(made.headers.get("location"), "/v1/jobs/" + id);
  EXPECT_EQ(made["object"], "job");
  const auto done = finished(id);
  EXPECT_EQ(done["status"], "succeeded") << done.body;
  EXPECT_EQ(done["phase"], "done");
  EXPECT_EQ(done["output"].at("ping").at("worker"), "test");
  EXPECT_FALSE(done.headers.contains("retry-after"));
}

TEST_F(Jobs, wait_in_body_or_header_gives_the_result_at_once) {
  const auto body = submit({{"task", "ping"}, {"wait_s", 10}});
  EXPECT_EQ(body.status, 200) << body.body;
  EXPECT_EQ(body["status"], "succeeded");
  const auto header = submit({{"task", "ping"}}, {{"prefer", "wait=10"}});
  EXPECT_EQ(header.status, 200);
  EXPECT_EQ(header.headers.get("preference-applied"), "wait=10");
}

TEST_F(Jobs, a_video_goes_through_the_network_and_comes_back_as_an_artifact) {
  work_delivers({{"video", "out.mp4", std::string(kVideo2x)}});
  const auto made =
      submit({{"task", "video-upscale"}, {"input", json::object{{"video", json::object{{"artifact", upload_video()}}}, {"scale", 2}}}});
  ASSERT_EQ(made.status, 202) << made.body;
  const auto done = finished(text(made["id"]));
  ASSERT_EQ(done["status"], "succeeded") << done.body;
  EXPECT_EQ(inputs_seen, std::vector<std::string>{std::string(kVideo)});
  const auto& video = done["output"].at("video");
  EXPECT_EQ(send("GET", text(video.at("url")), {}, kNoKey).body, kVideo2x);
  EXPECT_EQ(get("/v1/artifacts/" + text(video.at("artifact")))["kind"], "video");
  const auto attempts = get("/v1/jobs/" + text(made["id"]) + "/attempts");
  EXPECT_EQ(attempts["data"].as_array().size(), 1u);
  EXPECT_GE(get("/v1/jobs/" + text(made["id"]) + "/logs")["data"].as_array().size(), 2u);
}

TEST_F(Jobs, an_upload_may_be_named_before_it_is_an_artifact) {
  work_delivers({{"video", "out.mp4", std::string(kVideo2x)}});
  const auto made = post("/v1/media/uploads", json::object{{"filename", "a.mp4"}, {"mime", "video/mp4"}});
  const auto job =
      submit({{"task", "video-upscale"}, {"input", json::object{{"video", json::object{{"upload", made["id"]}}}, {"scale", 2}}}});
  ASSERT_EQ(job.status, 202) << job.body;
  EXPECT_EQ(send("PUT", text(made["single"].at("url")), std::string(kVideo), kNoKey).status, 200);
  EXPECT_EQ(post("/v1/media/uploads/" + text(made["id"]) + "/complete", json::object{}).status, 200);
  EXPECT_EQ(finished(text(job["id"]))["status"], "succeeded");
}

TEST_F(Jobs, media_inside_the_body_is_looked_at_like_an_upload) {
  work_delivers({{"image", "out.png", tiny_png(), "image/png"}});
  const auto data = [](std::string_view bytes) { return "data:image/png;base64," + base::to_base64(base::as_bytes(bytes)); };
  const auto good = submit({{"task", "thumbnail"}, {"wait_s", 10}, {"input", json::object{{"video", data(kVideo)}}}});
  EXPECT_EQ(good["status"], "succeeded") << good.body;
  EXPECT_EQ(inputs_seen, std::vector<std::string>{std::string(kVideo)});
  const auto bad = submit({{"task", "thumbnail"}, {"input", json::object{{"video", data("words")}}}});
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.code(), "input_invalid");
  EXPECT_EQ(bad["errors"].at(0).at("pointer"), "/input/video");
  EXPECT_EQ(submit({{"task", "thumbnail"}, {"input", json::object{{"video", data(std::string(257 * 1024, 'x'))}}}}).status, 422);
}

TEST_F(Jobs, a_ladder_of_several_files_is_played_by_relative_names_below_a_signed_path) {
  work_delivers({{"hls", "hls/master.m3u8", "#EXTM3U\n720p/index.m3u8\n", "application/vnd.apple.mpegurl"},
                 {"hls", "hls/720p/index.m3u8", "#EXTM3U\n#EXTINF:2,\n0.ts\n", "application/vnd.apple.mpegurl"},
                 {"hls", "hls/720p/0.ts", "TS", "video/mp2t"}});
  const auto done =
      submit({{"task", "transcode"},
              {"wait_s", 10},
              {"input", json::object{{"video", json::object{{"artifact", upload_video()}}}, {"formats", json::array{"hls"}}}}});
  ASSERT_EQ(done["status"], "succeeded") << done.body;
  const std::string master = text(done["output"].at("hls").at("url"));
  EXPECT_EQ(send("GET", master, {}, kNoKey).body, "#EXTM3U\n720p/index.m3u8\n");
  const std::string folder_url = master.substr(0, master.rfind('/') + 1);
  EXPECT_EQ(send("GET", folder_url + "720p/index.m3u8", {}, kNoKey).status, 200);
  const auto segment = send("GET", folder_url + "720p/0.ts", {}, kNoKey);
  EXPECT_EQ(segment.body, "TS");
  EXPECT_EQ(segment.headers.get("content-type"), "video/mp2t");
  EXPECT_EQ(send("GET", folder_url + "720p/1.ts", {}, kNoKey).status, 404);
  const std::string id = text(done["output"].at("hls").at("artifact"));
  EXPECT_EQ(get("/v1/artifacts/" + id + "/files")["data"].as_array().size(), 3u);
  const auto moved = get("/v1/artifacts/" + id + "/content");
  EXPECT_EQ(moved.status, 307);
  EXPECT_EQ(send("GET", std::string(*moved.headers.get("location")), {}, kNoKey).status, 200);
  std::string forged = master;
  forged[forged.find("/s/") + 3] ^= 1;
  EXPECT_EQ(send("GET", forged, {}, kNoKey).status, 403);
}

TEST_F(Jobs, a_result_of_the_wrong_size_is_not_accepted) {
  work_delivers({{"video", "out.mp4", std::string(kVideo)}});  // as large as the source
  const auto made = submit({{"task", "video-upscale"},
                            {"input", json::object{{"video", json::object{{"artifact", upload_video()}}}, {"scale", 2}}},
                            {"retry", json::object{{"max_attempts", 2}, {"initial_ms", 1}}}});
  ASSERT_EQ(made.status, 202) << made.body;
  const auto done = finished(text(made["id"]));
  EXPECT_EQ(done["status"], "failed");
  EXPECT_EQ(done["error"].at("code"), "verification_failed") << done.body;
  EXPECT_EQ(get("/v1/jobs/" + text(made["id"]) + "/attempts")["data"].as_array().size(), 2u);
}

TEST_F(Jobs, a_result_that_lost_its_picture_or_its_movement_is_not_accepted) {
  for (const std::string flaw : {"BLANK", "STILL"}) {
    work_delivers({{"video", "out.mp4", std::string(kVideo2x) + " " + flaw}});
    const auto done = submit({{"task", "video-upscale"},
                              {"wait_s", 10},
                              {"input", json::object{{"video", json::object{{"artifact", upload_video()}}}, {"scale", 2}}},
                              {"retry", json::object{{"max_attempts", 1}}}});
    EXPECT_EQ(done["error"].at("code"), "verification_failed") << flaw << done.body;
  }
}

TEST_F(Jobs, bodies_are_refused_with_every_error_at_once) {
  const auto wrong = submit({{"task", "video-upscale"},
                             {"input", json::object{{"scale", 9}, {"crff", 3}}},
                             {"priority", "urgent"},
                             {"requirement", json::object{}}});
  EXPECT_EQ(wrong.status, 400);
  std::vector<std::string> pointers;
  for (const auto& error : wrong["errors"].as_array()) pointers.push_back(text(error.at("pointer")));
  for (const auto* pointer : {"/input/scale", "/input/crff", "/input/video", "/requirement"})
    EXPECT_NE(std::ranges::find(pointers, pointer), pointers.end()) << pointer << wrong.body;
  EXPECT_EQ(submit({{"task", "no-such-task"}}).status, 404);
  EXPECT_EQ(submit({{"task", "cut"}}).status, 404) << "internal tasks are not for clients";
  EXPECT_EQ(submit({{"task", "probe"}, {"input", json::object{{"media", "ftp://example.com/a.mp4"}}}}).status, 422);
  EXPECT_EQ(
      submit({{"task", "probe"}, {"input", json::object{{"media", json::object{{"artifact", "art_01KE0000000000000000000001"}}}}}}).status /
          100,
      4);
  EXPECT_EQ(post("/v1/jobs", json::array{}).status, 400);
}

TEST_F(Jobs, the_same_idempotency_key_gives_the_same_job) {
  const json::object body{{"task", "ping"}, {"client_ref", "a"}};
  const auto first = submit(body, {{"idempotency-key", "k"}});
  ASSERT_EQ(first.status, 202) << first.body;
  (void)finished(text(first["id"]));
  const auto second = send("POST", "/v1/jobs", "{ \"client_ref\" : \"a\",  \"task\":\"ping\" }",
                           {{"content-type", "application/json"}, {"idempotency-key", "k"}});
  EXPECT_EQ(second["id"], first["id"]);
  EXPECT_EQ(second.headers.get("idempotency-replayed"), "true");
  EXPECT_EQ(second["status"], "succeeded") << "a replay shows the job as it is now";
  const auto other = submit({{"task", "ping"}, {"client_ref", "b"}}, {{"idempotency-key", "k"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.code(), "idempotency_mismatch");
  EXPECT_EQ(get("/v1/jobs")["data"].as_array().size(), 1u);
  EXPECT_EQ(submit(body, {{"idempotency-key", std::string(256, 'k')}}).status, 400);
}

TEST_F(Jobs, are_listed_by_filters_and_cursors) {
  for (int i = 0; i < 5; ++i) submit({{"task", "ping"}, {"wait_s", 10}, {"tags", json::array{i % 2 == 0 ? "even" : "odd"}}});
  EXPECT_EQ(get("/v1/jobs?tag=even")["data"].as_array().size(), 3u);
  EXPECT_EQ(get("/v1/jobs?status=failed")["data"].as_array().size(), 0u);
  EXPECT_EQ(get("/v1/jobs?status=nonsense").status, 400);
  const auto first = get("/v1/jobs?limit=2&tag=even");
  ASSERT_EQ(first["has_more"], json::value(true));
  const auto rest = get("/v1/jobs?limit=2&tag=even&after=" + text(first["next_cursor"]));
  EXPECT_EQ(rest["data"].as_array().size(), 1u);
  EXPECT_EQ(rest["next_cursor"], json::value(nullptr));
  EXPECT_EQ(get("/v1/jobs?limit=2&tag=odd&after=" + text(first["next_cursor"])).code(), "cursor_mismatch");
  EXPECT_EQ(get("/v1/jobs?created_after=2020-01-01T00:00:00Z")["data"].as_array().size(), 5u);
  EXPECT_EQ(get("/v1/jobs?created_before=2020-01-01T00:00:00Z")["data"].as_array().size(), 0u);
  EXPECT_EQ(get("/v1/jobs?created_after=yesterday").status, 400);
}

TEST_F(Jobs, etag_and_version_tell_of_changes) {
  work_waits();
  const auto made = submit({{"task", "ping"}});
  run_until([this] { return started == 1; });
  const auto running = get("/v1/jobs/" + text(made["id"]));
  EXPECT_TRUE(running.headers.contains("retry-after"));
  EXPECT_TRUE(running.headers.contains("openai-poll-after-ms"));
  const std::string etag(*running.headers.get("etag"));
  EXPECT_EQ(etag, "\"" + std::to_string(running["version"].as_int64()) + "\"");
  // The engine may still be writing the last steps of the start: until then each new answer has a new tag.
  auto current = running;
  auto again = current;
  for (int i = 0; i < 20; ++i) {
    again = get("/v1/jobs/" + text(made["id"]), {{"if-none-match", std::string(*current.headers.get("etag"))}});
    if (again.status == 304) break;
    ASSERT_NE(again.headers.get("etag"), current.headers.get("etag"));
    current = again;
  }
  EXPECT_EQ(again.status, 304);
  released = true;
  const auto done = get("/v1/jobs/" + text(made["id"]) + "?wait_s=10&since_version=" + std::to_string(current["version"].as_int64()));
  EXPECT_GT(done["version"].as_int64(), current["version"].as_int64());
  EXPECT_EQ(get("/v1/jobs/" + text(made["id"]) + "?wait_s=61").status, 400);
  EXPECT_EQ(get("/v1/jobs/job_01KE0000000000000000000001").status, 404);
}

TEST_F(Jobs, a_running_job_is_canceled_and_a_finished_one_is_too_late) {
  work_waits();
  const auto made = submit({{"task", "ping"}});
  const std::string id = text(made["id"]);
  run_until([this] { return started == 1; });
  const auto canceled = post("/v1/jobs/" + id + "/cancel", json::object{{"reason", "test"}});
  EXPECT_TRUE(canceled.status == 202 || canceled.status == 200) << canceled.body;
  EXPECT_EQ(finished(id)["status"], "canceled");
  EXPECT_EQ(post("/v1/jobs/" + id + "/cancel", json::object{}).status, 200) << "again is the same";
  *work = {};
  const auto done = submit({{"task", "ping"}, {"wait_s", 10}});
  const auto late = post("/v1/jobs/" + text(done["id"]) + "/cancel", json::object{});
  EXPECT_EQ(late.status, 200);
  EXPECT_EQ(late["status"], "succeeded");
  EXPECT_EQ(late["cancel"].at("result"), "too_late");
  EXPECT_EQ(post("/v1/jobs/" + id + "/cancel", json::object{{"why", "x"}}).code(), "unknown_field");
}

TEST_F(Jobs, only_a_finished_job_is_deleted) {
  work_waits();
  const auto made = submit({{"task", "ping"}});
  const std::string id = text(made["id"]);
  run_until([this] { return started == 1; });
  EXPECT_EQ(send("DELETE", "/v1/jobs/" + id).status, 409);
  released = true;
  (void)finished(id);
  EXPECT_EQ(send("DELETE", "/v1/jobs/" + id).status, 204);
  const auto left = get("/v1/jobs/" + id);
  EXPECT_EQ(left["data_removed"], json::value(true));
  EXPECT_TRUE(left["output"].is_null());
  EXPECT_EQ(send("DELETE", "/v1/jobs/" + id).status, 204);
}

TEST_F(Jobs, labels_change_at_any_time_and_only_at_the_version_that_was_seen) {
  work_waits();
  const auto made = submit({{"task", "ping"}});
  const std::string path = "/v1/jobs/" + text(made["id"]);
  const auto patch = [&](json::object body, net::Headers headers = {}) {
    headers.set("content-type", "application/json");
    return send("PATCH", path, json::serialize(body), std::move(headers));
  };
  const auto changed = patch({{"tags", {"x"}}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed["tags"], (json::value{"x"}));
  EXPECT_EQ(patch({{"tags", {"y"}}}, {{"if-match", "\"1\""}}).status, 412);
  EXPECT_EQ(patch({{"tags", {"y"}}}, {{"if-match", "nonsense"}}).status, 412);
  EXPECT_EQ(patch({{"phase", "done"}}).code(), "unknown_field");
  EXPECT_EQ(patch(json::object{}).status, 400);
  run_until([this] { return started == 1; });
  EXPECT_EQ(patch({{"priority", "high"}}).status, 409);
  released = true;
  const auto done = finished(text(made["id"]));
  const auto last = patch({{"metadata", {{"k", "v"}}}}, {{"if-match", "\"" + std::to_string(done["version"].to_number<int>()) + "\""}});
  EXPECT_EQ(last.status, 200) << last.body;
  EXPECT_EQ(last["metadata"].at("k"), "v");
}

TEST_F(Jobs, a_finished_job_is_run_again_as_a_new_one_that_names_it) {
  const auto first = submit({{"task", "ping"}, {"wait_s", 10}});
  const auto again = post("/v1/jobs/" + text(first["id"]) + "/retry", json::object{});
  EXPECT_EQ(again.status, 202) << again.body;
  EXPECT_EQ(again["retry_of"], first["id"]);
  EXPECT_EQ(again.headers.get("location"), "/v1/jobs/" + text(again["id"]));
  EXPECT_EQ(finished(text(again["id"]))["status"], "succeeded");
  const net::Headers key_header{{"idempotency-key", "again-1"}};
  const auto keyed = post("/v1/jobs/" + text(first["id"]) + "/retry", json::object{}, key_header);
  EXPECT_EQ(post("/v1/jobs/" + text(first["id"]) + "/retry", json::object{}, key_header)["id"], keyed["id"]);
  EXPECT_EQ(post("/v1/jobs/job_01KE0000000000000000000001/retry", json::object{}).status, 404);
  EXPECT_EQ(post("/v1/jobs/" + text(first["id"]) + "/retry", json::object{{"x", 1}}).code(), "unknown_field");
}

TEST_F(Jobs, the_repeat_of_an_sdk_without_a_key_finds_the_first_tries_job) {
  const json::object body{{"task", "ping"}, {"client_ref", "c"}};
  const auto first = submit(body, {{"x-stainless-retry-count", "0"}});
  const auto repeat = submit(body, {{"x-stainless-retry-count", "1"}});
  EXPECT_EQ(repeat["id"], first["id"]);
  EXPECT_EQ(repeat.headers.get("idempotency-replayed"), "implicit");
  EXPECT_NE(submit(body, {{"x-stainless-retry-count", "0"}})["id"], first["id"]);
  EXPECT_NE(submit(body)["id"], first["id"]);
  EXPECT_NE(submit(body, {{"x-stainless-retry-count", "many"}})["id"], first["id"]);
}

TEST_F(Jobs, an_end_user_is_erased) {
  const auto made = submit({{"task", "ping"}, {"end_user", "u_42"}, {"wait_s", 10}});
  const auto erased = send("DELETE", "/v1/end-users/u_42");
  EXPECT_EQ(erased.status, 200) << erased.body;
  EXPECT_EQ(erased["jobs"], json::value(1));
  EXPECT_EQ(get("/v1/jobs/" + text(made["id"]))["data_removed"], json::value(true));
}

TEST_F(Jobs, a_worker_is_let_in_by_the_token_of_its_own_running_attempt_only) {
  std::optional<tasks::TaskOrder> order;
  *work = [&](jobs::AttemptRequest request, jobs::AttemptObserver) -> net::Task<jobs::AttemptOutcome> {
    order = request.order;
    const auto& target = *request.order.upload;
    const net::Headers token{{"authorization", "Bearer " + target.token}};
    const net::Headers api_key{{"authorization", "Bearer " + key}};
    const net::Headers part{{"authorization", ""}, {"range", "bytes=0-2"}};
    EXPECT_EQ((co_await this->request("PUT", target.url + "a.mp4", "x", api_key)).status, 403);
    EXPECT_EQ((co_await this->request("PUT", target.url + "a.mp4", "x", kNoKey)).status, 401);
    EXPECT_EQ((co_await this->request("PUT", target.url + "a%20b.mp4", "x", token)).status, 400);
    EXPECT_EQ((co_await this->request("PUT", target.url + std::string(201, 'a'), "x", token)).status, 400);
    EXPECT_EQ((co_await this->request("PUT", target.url + "dir/a.mp4", "x", token)).status, 200);
    EXPECT_EQ((co_await this->request("PUT", target.url + "dir/a.mp4", "yy", token)).value.at("bytes"), json::value(2));
    std::string other = target.url;
    other.replace(other.find("att_"), 30, "att_01KE0000000000000000000001");
    EXPECT_EQ((co_await this->request("PUT", other + "a.mp4", "x", token)).status, 403);
    const auto input = request.order.inputs.at(0).url;
    EXPECT_EQ((co_await this->request("GET", input.substr(0, input.find('?')), "", kNoKey)).status, 403);
    std::string hash = input;
    hash[hash.find("/inputs/") + 8] ^= 1;
    EXPECT_EQ((co_await this->request("GET", hash, "", kNoKey)).status, 403);
    EXPECT_EQ((co_await this->request("GET", input, "", part)).body, "MOV");
    co_return jobs::outcome::Failed{tasks::failure("input_invalid", "no"), "https://node"};
  };
  const auto done =
      submit({{"task", "probe"}, {"wait_s", 10}, {"input", json::object{{"media", json::object{{"artifact", upload_video()}}}}}});
  EXPECT_EQ(done["status"], "failed") << done.body;
  EXPECT_EQ(done["error"].at("code"), "input_invalid");
  ASSERT_TRUE(order);
  const auto late = send("PUT", order->upload->url + "a.mp4", "x", {{"authorization", "Bearer " + order->upload->token}});
  EXPECT_EQ(late.status / 100, 4) << "the attempt is over";
}

TEST_F(Jobs, queued_and_running_ones_go_on_after_a_restart) {
  work_waits();
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(text(submit({{"task", "ping"}})["id"]));
  run_until([this] { return started >= 1; });
  close();
  *work = {};
  open();
  for (const auto& id : ids) EXPECT_EQ(finished(id)["status"], "succeeded");
}

}  // namespace
}  // namespace kinora::gateway

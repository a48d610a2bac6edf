// Inputs of jobs: artifacts, uploads, inline media; what expires.
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
using testing::World;
namespace asio = boost::asio;

class MediaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.network.script = [this](AttemptRequest request, AttemptObserver observer) {
      return world_.work(std::move(request), std::move(observer), {}, {{"media", json::object()}});
    };
    ASSERT_TRUE(world_.recover());
  }
  Upload begin(std::optional<std::string> sha256 = std::nullopt, std::optional<std::int64_t> bytes = std::nullopt) {
    Upload wanted;
    wanted.project = "proj_1";
    wanted.filename = "clip.mp4";
    wanted.mime = "video/mp4";
    wanted.sha256 = std::move(sha256);
    wanted.bytes = bytes;
    return *world_.run(world_.engine->create_upload(wanted));
  }
  Outcome<Artifact> complete(const std::string& id, std::string mime = "video/mp4") {
    auto blob = world_.run(world_.engine->assemble_upload("proj_1", id, std::nullopt));
    if (!blob) return tl::unexpected<tasks::Problem>(blob.error());
    return world_.run(world_.engine->finish_upload("proj_1", id, *blob, std::move(mime), nullptr));
  }
  static json::value probe_of(std::string_view kind, const std::string& id) {
    json::object reference;
    reference[kind] = id;
    return {{"task", "probe"}, {"input", {{"media", reference}}}};
  }
  World world_;
};

TEST_F(MediaTest, puts_parts_together_in_order) {
  const Upload upload = begin();
  EXPECT_TRUE(world_.run(world_.engine->put_part(upload.id, 2, world_.put("c"))));
  EXPECT_TRUE(world_.run(world_.engine->put_part(upload.id, 1, world_.put("xx"))));
  EXPECT_TRUE(world_.run(world_.engine->put_part(upload.id, 1, world_.put("ab"))));  // again replaces
  const auto artifact = complete(upload.id);
  ASSERT_TRUE(artifact) << artifact.error().detail;
  EXPECT_EQ(artifact->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // "abc", FIPS 180-2 B.1
  EXPECT_EQ(artifact->kind, "video");
  EXPECT_EQ(world_.run(world_.engine->upload("proj_1", upload.id))->status, UploadStatus::complete);
  EXPECT_EQ(world_.history(upload.id), "upload.completed");
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  std::vector<std::string> kept;
  world_.blobs->each([&](const std::string& name) { return kept.push_back(name), true; });
  EXPECT_EQ(kept, std::vector<std::string>{artifact->sha256});  // the parts have gone
}

TEST_F(MediaTest, refuses_missing_parts_and_parts_past_the_last_number) {
  const Upload upload = begin();
  EXPECT_EQ(complete(upload.id).error().code, "not_cancelable");  // nothing there yet
  EXPECT_TRUE(world_.run(world_.engine->put_part(upload.id, 2, world_.put("b"))));
  EXPECT_EQ(complete(upload.id).error().code, "invalid_field");
  EXPECT_TRUE(world_.run(world_.engine->put_part(upload.id, kMaxParts, world_.put("z"))));
  EXPECT_FALSE(world_.run(world_.engine->put_part(upload.id, kMaxParts + 1, world_.put("z"))));
  EXPECT_FALSE(world_.run(world_.engine->put_part(upload.id, 0, world_.put("z"))));
}

TEST_F(MediaTest, fails_an_upload_that_is_not_what_was_promised) {
  const Upload wrong_bytes = begin(std::nullopt, 4);
  ASSERT_TRUE(world_.run(world_.engine->put_part(wrong_bytes.id, 1, world_.put("abc"))));
  EXPECT_EQ(complete(wrong_bytes.id).error().code, "input_invalid");
  EXPECT_EQ(world_.run(world_.engine->upload("proj_1", wrong_bytes.id))->status, UploadStatus::failed);
  const Upload wrong_hash = begin(std::string(64, '0'));
  ASSERT_TRUE(world_.run(world_.engine->put_part(wrong_hash.id, 1, world_.put("abc"))));
  EXPECT_EQ(complete(wrong_hash.id).error().code, "input_invalid");
}

TEST_F(MediaTest, knows_content_that_the_same_project_has_already) {
  const std::string artifact = world_.artifact("video/mp4", nullptr, "abc");
  const Upload known = begin("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(known.status, UploadStatus::complete);
  EXPECT_TRUE(known.deduplicated);
  EXPECT_EQ(known.artifact, artifact);
  Upload stranger;
  stranger.project = "proj_2";
  stranger.sha256 = known.sha256;
  EXPECT_EQ(world_.run(world_.engine->create_upload(stranger))->status, UploadStatus::pending);
}

TEST_F(MediaTest, lets_a_job_wait_for_its_upload) {
  const Upload upload = begin();
  const std::string id = world_.submit_ok(probe_of("upload", upload.id));
  EXPECT_EQ(world_.job(id).phase, Phase::awaiting_input);
  ASSERT_TRUE(world_.run(world_.engine->put_part(upload.id, 1, world_.put("abc"))));
  ASSERT_TRUE(complete(upload.id));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.started job.succeeded");
}

TEST_F(MediaTest, lets_a_job_wait_over_a_restart) {
  const Upload upload = begin();
  const std::string id = world_.submit_ok(probe_of("upload", upload.id));
  ASSERT_TRUE(world_.run(world_.engine->put_part(upload.id, 1, world_.put("abc"))));
  world_.kill();
  world_.start();
  ASSERT_TRUE(world_.recover());
  EXPECT_EQ(world_.job(id).phase, Phase::awaiting_input);
  ASSERT_TRUE(complete(upload.id));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
}

TEST_F(MediaTest, fails_a_waiting_job_with_its_upload) {
  const Upload failed = begin(), canceled = begin(), picture = begin();
  const std::string first = world_.submit_ok(probe_of("upload", failed.id)), second = world_.submit_ok(probe_of("upload", canceled.id));
  const std::string third = world_.submit_ok({{"task", "thumbnail"}, {"input", {{"video", {{"upload", picture.id}}}}}});
  tasks::Problem problem;
  problem.code = "unsupported_media";
  ASSERT_TRUE(world_.run(world_.engine->fail_upload("proj_1", failed.id, problem)));
  ASSERT_TRUE(world_.run(world_.engine->cancel_upload("proj_1", canceled.id)));
  ASSERT_TRUE(world_.run(world_.engine->put_part(picture.id, 1, world_.put("abc"))));
  ASSERT_TRUE(complete(picture.id, "image/png"));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(first).error.at("code"), "unsupported_media");
  EXPECT_EQ(world_.job(second).error.at("code"), "input_unavailable");
  EXPECT_EQ(world_.job(third).error.at("code"), "input_invalid");
  EXPECT_EQ(world_.network.runs, 0u);
}

TEST_F(MediaTest, refuses_media_that_is_missing_foreign_expired_or_of_another_kind) {
  EXPECT_EQ(world_.submit(probe_of("artifact", "art_01KE0000000000000000000001")).error().code, "ref_unresolved");
  EXPECT_EQ(world_.submit(probe_of("upload", "upl_01KE0000000000000000000001")).error().code, "ref_unresolved");
  const std::string picture = world_.artifact("image/png"), text = world_.artifact("text/plain");
  const auto wrong = world_.submit({{"task", "thumbnail"}, {"input", {{"video", {{"artifact", picture}}}}}});
  EXPECT_EQ(wrong.error().code, "input_invalid");
  EXPECT_EQ(wrong.error().errors.at(0).pointer, "/input/video");
  EXPECT_EQ(world_.submit(probe_of("artifact", text)).error().code, "input_invalid");
  auto foreign = world_.run(world_.engine->submit(
      {.project = "proj_2", .key = "key_2", .body = probe_of("artifact", picture), .idempotency = std::nullopt, .trace_id = std::nullopt}));
  EXPECT_EQ(foreign.error().code, "ref_unresolved");
  world_.now += std::chrono::seconds(604'800);
  EXPECT_EQ(world_.submit(probe_of("artifact", picture)).error().code, "artifact_expired");
  EXPECT_EQ(world_.engine->counts().active_jobs, 0u);
}

TEST_F(MediaTest, keeps_inline_media_as_an_artifact) {
  world_.network.slots = 0;
  const std::string id = world_.submit_ok({{"task", "image-upscale"}, {"input", {{"image", "data:image/png;base64,YWJj"}}}});
  const Job job = world_.job(id);
  const auto artifact = world_.run(world_.engine->artifact("proj_1", std::string(job.input.at("image").at("artifact").as_string())));
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->mime, "image/png");
  EXPECT_EQ(artifact->bytes, 3);
  EXPECT_EQ(world_.submit({{"task", "image-upscale"}, {"input", {{"image", "data:video/mp4;base64,YWJj"}}}}).error().code, "input_invalid");
}

TEST_F(MediaTest, sweeps_what_has_expired_but_not_what_a_job_reads) {
  const std::string idle = world_.artifact("video/mp4", nullptr, "idle"), used = world_.artifact("video/mp4", nullptr, "used");
  const Upload upload = begin();
  ASSERT_TRUE(world_.run(world_.engine->put_part(upload.id, 1, world_.put("part"))));
  world_.network.slots = 0;
  json::value body = probe_of("artifact", used);
  body.as_object()["requirements"] = {{"deadline_s", 86'400}, {"start_timeout_s", 86'400}};
  world_.now += std::chrono::seconds(604'800 - 10);
  const std::string id = world_.submit_ok(body);
  world_.now += 20s;
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  EXPECT_EQ(world_.run(world_.engine->artifact("proj_1", idle)).error().code, "not_found");
  EXPECT_TRUE(world_.run(world_.engine->artifact("proj_1", used)));
  EXPECT_EQ(world_.run(world_.engine->upload("proj_1", upload.id))->status, UploadStatus::expired);
  EXPECT_FALSE(world_.blobs->exists(base::to_hex(base::sha256(base::as_bytes("idle")))));
  EXPECT_FALSE(world_.blobs->exists(base::to_hex(base::sha256(base::as_bytes("part")))));
  EXPECT_TRUE(world_.blobs->exists(base::to_hex(base::sha256(base::as_bytes("used")))));
  EXPECT_EQ(world_.job(id).status, Status::queued);
}

TEST_F(MediaTest, tells_once_a_day_ahead_that_an_artifact_will_go_and_when_it_has_gone) {
  const std::string id = world_.artifact("video/mp4", nullptr, "short");
  const auto lives = std::chrono::seconds(604'800);
  world_.now += lives - 24h - 10s;
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  EXPECT_EQ(world_.history(id), "artifact.created");
  world_.now += 20s;
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  EXPECT_EQ(world_.history(id), "artifact.created artifact.expiring");
  const auto artifact = world_.run(world_.engine->artifact("proj_1", id));
  EXPECT_EQ(world_.events(id)[1].data.at("expires_at"), json::value(base::to_rfc3339(*artifact->expires_at)));
  world_.now += 24h;
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  EXPECT_EQ(world_.history(id), "artifact.created artifact.expiring artifact.deleted");
}

TEST_F(MediaTest, takes_files_only_for_an_attempt_that_runs) {
  const store::Blob blob = world_.put("abc");
  EXPECT_EQ(world_.engine->attempt_target("att_01KE0000000000000000000001").error().code, "not_found");
  EXPECT_EQ(world_.run(world_.engine->add_attempt_file("att_01KE0000000000000000000001", "a", blob)).error().code, "not_found");
  EXPECT_EQ(world_.run(world_.engine->add_attempt_file("att_01KE0000000000000000000001", "../a", blob)).error().code, "invalid_field");
}

struct BadDelivery {
  const char* name;
  std::function<void(tasks::TaskResult&)> spoil;
  const char* code;
};

TEST_F(MediaTest, fails_an_attempt_whose_files_are_not_as_declared) {
  const BadDelivery cases[] = {
      {"missing", [](tasks::TaskResult& result) { result.files[0].name = "other.png"; }, "transfer_failed"},
      {"other hash", [](tasks::TaskResult& result) { result.files[0].sha256 = std::string(64, 'a'); }, "verification_failed"},
      {"other size", [](tasks::TaskResult& result) { ++result.files[0].bytes; }, "verification_failed"},
      {"no file", [](tasks::TaskResult& result) { result.files.clear(); }, "worker_error"},
      {"wrong slot", [](tasks::TaskResult& result) { result.files[0].slot = "video"; }, "worker_error"},
      {"twice", [](tasks::TaskResult& result) { result.files.push_back(result.files[0]); }, "worker_error"},
  };
  const std::string source = world_.artifact("image/png");
  for (const BadDelivery& one : cases) {
    world_.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
      auto outcome = co_await world_.work(std::move(request), std::move(observer), {{"image", "o.png"}}, {}, "image/png");
      one.spoil(std::get<outcome::Succeeded>(outcome).result);
      co_return outcome;
    };
    const std::string id = world_.submit_ok(
        {{"task", "image-upscale"}, {"input", {{"image", {{"artifact", source}}}}}, {"retry", {{"max_attempts", 2}, {"initial_ms", 0}}}});
    ASSERT_TRUE(world_.until_idle());
    EXPECT_EQ(world_.job(id).error.at("code"), one.code) << one.name;
    EXPECT_EQ(world_.run(world_.engine->attempts("proj_1", id))->size(), 2u) << one.name;
  }
}

TEST_F(MediaTest, runs_a_result_that_fails_verification_elsewhere_or_gives_up) {
  const std::string source = world_.artifact("image/png");
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) {
    return world_.work(std::move(request), std::move(observer), {{"image", "o.png"}}, {}, "image/png");
  };
  json::value body{{"task", "image-upscale"}, {"input", {{"image", {{"artifact", source}}}}}, {"retry", {{"initial_ms", 0}}}};
  world_.verifier.verdict = [&](const tasks::TaskOrder&) -> base::Status {
    if (world_.verifier.asked == 1) return base::fail(base::ErrorCode::invalid, "width is 100, 200 was asked");
    return {};
  };
  const std::string again = world_.submit_ok(body);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(again).status, Status::succeeded);
  EXPECT_EQ(world_.network.calls.back().avoid_nodes, std::vector<std::string>{"node-a"});

  world_.verifier.verdict = [](const tasks::TaskOrder&) -> base::Status { return base::fail(base::ErrorCode::invalid, "all black"); };
  body.as_object()["requirements"] = {{"verification", {{"level", "structural"}, {"on_fail", "fail"}}}};
  const unsigned runs = world_.network.runs;
  const std::string once = world_.submit_ok(body);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(once).error.at("code"), "verification_failed");
  EXPECT_EQ(world_.network.runs, runs + 1);

  body.as_object()["requirements"] = {{"verification", {{"on_fail", "deliver_flagged"}}}};
  const std::string flagged = world_.submit_ok(body);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(flagged).status, Status::succeeded);
  EXPECT_EQ(world_.network.runs, runs + 2);
  EXPECT_EQ(world_.job(flagged).output.at("verification"), (json::value{{"passed", false}, {"detail", "all black"}}));
  EXPECT_TRUE(world_.job(flagged).output.at("image").at("artifact").is_string());

  const int asked = world_.verifier.asked;
  body.as_object()["requirements"] = {{"verification", {{"level", "checksum"}}}};
  const std::string unchecked = world_.submit_ok(body);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(unchecked).status, Status::succeeded);
  EXPECT_EQ(world_.verifier.asked, asked);
}

}  // namespace
}  // namespace kinora::jobs

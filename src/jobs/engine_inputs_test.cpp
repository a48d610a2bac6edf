// Inputs that come later by themselves: results of other jobs, parts of media, media by URL.
#include <gtest/gtest.h>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using testing::World;

json::value thumbnail_of(json::value video) { return {{"task", "thumbnail"}, {"input", {{"video", std::move(video)}}}}; }
json::value result_of(const std::string& job, const char* path) { return {{"job", job}, {"path", path}}; }

class EngineInputs : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.network.script = [this](AttemptRequest request, AttemptObserver observer) {
      const bool picture = request.order.task == "thumbnail";
      return world_.work(std::move(request), std::move(observer), {{picture ? "image" : "video", "out"}}, {},
                         picture ? "image/png" : "video/mp4");
    };
    start();
  }
  void start() {
    world_.engine->set_url_media({.check = [](std::string_view url) -> base::Status {
                                    if (url.starts_with("https://")) return {};
                                    return base::fail(base::ErrorCode::invalid, "must be an https URL");
                                  },
                                  .fetch = [this](Upload upload) { wanted_.push_back(std::move(upload)); },
                                  .stop = [this](const std::string& upload) { stopped_.push_back(upload); }});
    ASSERT_TRUE(world_.recover());
  }
  // The order that the network was given for that task, the latest.
  const tasks::TaskOrder& order(std::string_view task) {
    for (auto call = world_.network.calls.rbegin(); call != world_.network.calls.rend(); ++call)
      if (call->order.task == task) return call->order;
    static const tasks::TaskOrder none;
    ADD_FAILURE() << "no order for " << task;
    return none;
  }
  // The job that was made to prepare an input of that one.
  std::optional<Job> part_for(const std::string& id) {
    const auto jobs = world_.run(world_.engine->list("proj_1", {}, {.limit = 100, .descending = true, .after = {}, .before = {}}));
    for (const Job& job : jobs->data)
      if (const json::value* whose = job.metadata.if_contains("part_for"); whose != nullptr && *whose == json::value(id)) return job;
    return std::nullopt;
  }
  std::string error_of(const std::string& id) { return std::string(world_.job(id).error.at("code").as_string()); }

  World world_;
  std::vector<Upload> wanted_;
  std::vector<std::string> stopped_;
};

TEST_F(EngineInputs, a_job_waits_for_the_result_that_is_its_input) {
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  const std::string picture = world_.submit_ok(thumbnail_of(result_of(clip, "output.video")));
  EXPECT_EQ(world_.job(picture).phase, Phase::awaiting_input);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(picture).status, Status::succeeded);
  EXPECT_EQ(world_.history(picture), "job.created job.queued job.preparing job.started job.verifying job.succeeded");
  const std::string made(world_.job(clip).output.at("video").at("artifact").as_string());
  EXPECT_EQ(order("thumbnail").inputs[0].sha256, world_.run(world_.engine->artifact("proj_1", made))->sha256);
}

TEST_F(EngineInputs, the_result_of_a_job_that_has_ended_is_there_at_once) {
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  ASSERT_TRUE(world_.until_idle());
  world_.network.slots = 0;
  EXPECT_EQ(world_.job(world_.submit_ok(thumbnail_of(result_of(clip, "output.video")))).phase, Phase::queued);
  for (const char* none : {"output.video[1]", "output.image", "output.hls"}) {
    const auto refused = world_.submit(thumbnail_of(result_of(clip, none)));
    ASSERT_FALSE(refused) << none;
    EXPECT_EQ(refused.error().code, "ref_unresolved") << none;
  }
  EXPECT_EQ(world_.submit(thumbnail_of(result_of("job_01KE0000000000000000000001", "output.video"))).error().code, "ref_unresolved");
}

TEST_F(EngineInputs, a_job_fails_with_the_job_whose_result_it_awaits) {
  world_.network.slots = 0;
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  const std::string picture = world_.submit_ok(thumbnail_of(result_of(clip, "output.video")));
  ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", clip, std::nullopt)));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(picture).status, Status::failed);
  EXPECT_EQ(error_of(picture), "upstream_failed");
  EXPECT_EQ(world_.submit(thumbnail_of(result_of(clip, "output.video"))).error().code, "input_unavailable");
}

TEST_F(EngineInputs, a_result_of_the_wrong_kind_is_refused) {
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  const auto refused = world_.submit({{"task", "image-upscale"}, {"input", {{"image", result_of(clip, "output.video")}}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "input_invalid");
  EXPECT_EQ(world_.submit(thumbnail_of(result_of(clip, "output.video[0]"))).error().code, "ref_unresolved");
}

TEST_F(EngineInputs, a_restart_forgets_no_awaited_result) {
  world_.network.slots = 0;
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  const std::string picture = world_.submit_ok(thumbnail_of(result_of(clip, "output.video")));
  world_.kill();
  world_.start();
  world_.network.slots = 4;
  start();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(picture).status, Status::succeeded);
}

// Whatever commit is the last before the end, the two jobs end well after it.
TEST_F(EngineInputs, a_crash_between_any_two_commits_loses_no_awaited_result) {
  for (int commits = 1; commits < 12; ++commits) {
    SCOPED_TRACE(commits);
    const std::string source = world_.artifact("video/mp4");
    const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", source}}}}}});
    world_.commits_left = commits;
    const auto picture = world_.submit(thumbnail_of(result_of(clip, "output.video")));
    world_.until([&] { return world_.commits_left <= 0 || world_.engine->counts().active_jobs == 0; });
    world_.kill();
    world_.commits_left = std::numeric_limits<std::int64_t>::max();
    world_.start();
    start();
    ASSERT_TRUE(world_.until_idle());
    EXPECT_EQ(world_.job(clip).status, Status::succeeded);
    if (picture) EXPECT_EQ(world_.job(picture->job.id).status, Status::succeeded);
  }
}

TEST_F(EngineInputs, a_part_of_a_video_is_cut_out_first) {
  const std::string source = world_.artifact("video/mp4");
  const std::string picture = world_.submit_ok(thumbnail_of({{"artifact", source}, {"start_s", 1}, {"end_s", 2.5}}));
  ASSERT_TRUE(world_.until_idle());
  ASSERT_EQ(world_.job(picture).status, Status::succeeded) << json::serialize(world_.job(picture).error);
  EXPECT_EQ(order("clip").params.at("start_s").to_number<double>(), 1);
  EXPECT_EQ(order("clip").params.at("end_s"), 2.5);
  EXPECT_EQ(order("clip").inputs[0].sha256, world_.run(world_.engine->artifact("proj_1", source))->sha256);
  const auto part = part_for(picture);
  ASSERT_TRUE(part);
  const std::string cut(part->output.at("video").at("artifact").as_string());
  EXPECT_EQ(order("thumbnail").inputs[0].sha256, world_.run(world_.engine->artifact("proj_1", cut))->sha256);
  EXPECT_EQ(world_.job(picture).input.at("video").at("start_s"), 1) << "the record says what was asked";
}

TEST_F(EngineInputs, a_frame_of_a_video_is_the_picture) {
  const std::string bigger = world_.submit_ok(
      {{"task", "image-upscale"}, {"input", {{"image", {{"artifact", world_.artifact("video/mp4")}, {"frame", "last"}}}}}});
  ASSERT_TRUE(world_.until([&] { return world_.job(bigger).phase != Phase::awaiting_input; }));
  EXPECT_EQ(order("thumbnail").params.at("frame"), -1);
  EXPECT_EQ(part_for(bigger)->status, Status::succeeded);
}

TEST_F(EngineInputs, what_goes_wrong_with_a_part_is_the_error_of_the_job) {
  world_.network.script = [](AttemptRequest, AttemptObserver) -> Task<AttemptOutcome> {
    co_return outcome::Failed{tasks::failure("input_invalid", "the video ends before that"), "node-a"};
  };
  const std::string picture = world_.submit_ok(thumbnail_of({{"artifact", world_.artifact("video/mp4")}, {"start_s", 100}}));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(error_of(picture), "input_invalid");
  EXPECT_EQ(world_.job(picture).error.at("detail"), "the video ends before that");
  world_.network.slots = 0;
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  const std::string after = world_.submit_ok(thumbnail_of(result_of(clip, "output.video")));
  world_.network.slots = 1;
  world_.engine->wake();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(error_of(after), "upstream_failed");
  EXPECT_NE(std::string(world_.job(after).error.at("detail").as_string()).find("(input_invalid: the video ends before that)"),
            std::string::npos);
}

TEST_F(EngineInputs, a_job_that_ends_takes_its_parts_and_fetches_along) {
  world_.network.slots = 0;
  const std::string cut = world_.submit_ok(thumbnail_of({{"artifact", world_.artifact("video/mp4")}, {"start_s", 1}}));
  const std::string far = world_.submit_ok(thumbnail_of("https://media.example/a.mp4"));
  const std::string clip = world_.submit_ok({{"task", "clip"}, {"input", {{"video", {{"artifact", world_.artifact("video/mp4")}}}}}});
  const std::string other = world_.submit_ok(thumbnail_of(result_of(clip, "output.video")));
  for (const std::string& id : {cut, far, other}) ASSERT_TRUE(world_.run(world_.engine->cancel("proj_1", id, std::nullopt)));
  ASSERT_TRUE(world_.until([&] { return world_.engine->counts().active_jobs == 1 && !stopped_.empty(); }));
  EXPECT_EQ(part_for(cut)->status, Status::canceled);
  EXPECT_EQ(stopped_, std::vector<std::string>{wanted_[0].id});
  EXPECT_EQ(world_.run(world_.engine->upload("proj_1", wanted_[0].id))->status, UploadStatus::canceled);
  EXPECT_EQ(world_.job(clip).status, Status::queued) << "it is somebody's own job";
}

TEST_F(EngineInputs, the_data_of_a_part_goes_with_the_job) {
  const std::string picture = world_.submit_ok(thumbnail_of({{"url", "https://media.example/a.mp4?sig=secret"}, {"start_s", 1}}));
  ASSERT_TRUE(world_.run(world_.engine->finish_upload("proj_1", wanted_[0].id, world_.put("bytes"), "video/mp4", nullptr)));
  ASSERT_TRUE(world_.until_idle());
  const Job part = part_for(picture).value();
  const std::string made(part.output.at("video").at("artifact").as_string());
  ASSERT_TRUE(world_.run(world_.engine->remove("proj_1", picture)));
  EXPECT_TRUE(world_.job(part.id).data_removed);
  EXPECT_EQ(json::serialize(world_.job(part.id).input).find("secret"), std::string::npos);
  EXPECT_EQ(world_.run(world_.engine->artifact("proj_1", made)).error().code, "not_found");
  EXPECT_TRUE(world_.run(world_.engine->upload("proj_1", wanted_[0].id))->source.is_null());
}

TEST_F(EngineInputs, nothing_is_made_for_a_job_that_is_refused_or_was_there) {
  const auto refused = world_.submit(thumbnail_of({{"artifact", world_.artifact("image/png")}, {"start_s", 1}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "input_invalid");
  EXPECT_EQ(refused.error().errors.at(0).pointer, "/input/video");
  const auto all = [&] {
    return world_.run(world_.engine->list("proj_1", {}, {.limit = 100, .descending = true, .after = {}, .before = {}}))->data.size();
  };
  EXPECT_EQ(all(), 0U);
  const IdempotencyScope once{.project = "proj_1", .method = "POST", .path = "/v1/jobs", .key = "k", .fingerprint = "f"};
  const json::value body = thumbnail_of({{"artifact", world_.artifact("video/mp4")}, {"start_s", 1}});
  ASSERT_TRUE(world_.submit(body, once));
  ASSERT_TRUE(world_.submit(body, once)->replayed);
  EXPECT_EQ(all(), 2U);
}

TEST_F(EngineInputs, media_by_url_is_fetched_and_its_headers_stay_out_of_the_record) {
  const json::value video = {{"url", "https://media.example/a%20clip.mp4?sig=x"}, {"headers", {{"authorization", "Bearer secret"}}}};
  const std::string picture = world_.submit_ok(thumbnail_of(video));
  ASSERT_EQ(wanted_.size(), 1U);
  EXPECT_EQ(wanted_[0].source.at("headers").at("authorization"), "Bearer secret");
  EXPECT_EQ(world_.job(picture).phase, Phase::awaiting_input);
  EXPECT_EQ(json::serialize(world_.job(picture).input).find("secret"), std::string::npos);
  const auto artifact = world_.run(world_.engine->finish_upload("proj_1", wanted_[0].id, world_.put("bytes"), "video/mp4", nullptr));
  ASSERT_TRUE(artifact) << artifact.error().detail;
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(picture).status, Status::succeeded);
  EXPECT_FALSE(world_.run(world_.engine->upload("proj_1", wanted_[0].id))->source.as_object().contains("headers"));
}

TEST_F(EngineInputs, what_cannot_be_fetched_fails_the_job_and_what_is_on_its_way_is_fetched_again_after_a_restart) {
  const std::string picture = world_.submit_ok(thumbnail_of("https://media.example/a.mp4"));
  world_.kill();
  world_.start();
  start();
  ASSERT_EQ(wanted_.size(), 2U);
  EXPECT_EQ(wanted_[1].id, wanted_[0].id);
  tasks::Problem problem;
  problem.code = "input_unavailable";
  problem.detail = "no answer";
  ASSERT_TRUE(world_.run(world_.engine->fail_upload("proj_1", wanted_[1].id, problem)));
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(error_of(picture), "input_unavailable");
}

TEST_F(EngineInputs, a_url_that_may_not_be_fetched_is_refused_at_once) {
  const auto refused = world_.submit(thumbnail_of("http://media.example/a.mp4"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "input_invalid");
  EXPECT_EQ(refused.error().errors.at(0).pointer, "/input/video");
}

TEST_F(EngineInputs, content_that_the_project_has_is_not_fetched_again) {
  const std::string source = world_.artifact("video/mp4");
  const std::string sha(world_.run(world_.engine->artifact("proj_1", source))->sha256);
  const std::string picture = world_.submit_ok(thumbnail_of({{"url", "https://media.example/a.mp4"}, {"sha256", sha}}));
  EXPECT_TRUE(wanted_.empty());
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(order("thumbnail").inputs[0].sha256, sha);
}

TEST_F(EngineInputs, what_came_by_url_goes_with_the_job) {
  const std::string picture = world_.submit_ok(thumbnail_of("https://media.example/a.mp4"));
  const auto artifact = world_.run(world_.engine->finish_upload("proj_1", wanted_[0].id, world_.put("bytes"), "video/mp4", nullptr));
  ASSERT_TRUE(world_.until_idle());
  ASSERT_TRUE(world_.run(world_.engine->remove("proj_1", picture)));
  EXPECT_EQ(world_.run(world_.engine->artifact("proj_1", artifact->id)).error().code, "not_found");
}

}  // namespace
}  // namespace kinora::jobs

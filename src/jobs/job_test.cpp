#include "jobs/job.hpp"

#include <gtest/gtest.h>

#include "base/time.hpp"
#include "jobs/events.hpp"
#include "jobs/result_output.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;

Links links() {
  return {[](std::string_view path) { return "https://gw" + std::string(path); },
          [](std::string_view artifact, std::string_view file) {
            return SignedUrl{"https://gw/" + std::string(artifact) + "/" + std::string(file) + "?sig=x", "2026-01-01T01:00:00.000Z"};
          }};
}

Job sample() {
  Job job;
  job.id = "job_01KE0000000000000000000001";
  job.project = "proj_1";
  job.task = "video-upscale";
  job.created_at = UnixMillis(1'767'225'600'000ms);
  job.deadline_at = job.created_at + 1h;
  return job;
}

TEST(JobJson, has_every_member_of_the_api) {
  // developer-api 5.3.1, the example answer
  const json::object out = to_json(sample(), links(), sample().created_at, 4);
  for (const char* member : {"id",
                             "object",
                             "version",
                             "task",
                             "model",
                             "resolved_model",
                             "status",
                             "phase",
                             "status_reason",
                             "progress",
                             "queue",
                             "preparation",
                             "heartbeat_age_ms",
                             "attempt",
                             "input",
                             "output",
                             "previews",
                             "error",
                             "cost",
                             "timing",
                             "parent",
                             "retry_of",
                             "batch",
                             "trace_id",
                             "client_ref",
                             "end_user",
                             "tags",
                             "metadata",
                             "urls"})
    EXPECT_TRUE(out.contains(member)) << member;
  EXPECT_EQ(out.at("status"), "queued");
  EXPECT_EQ(out.at("phase"), "accepted");
  EXPECT_EQ(out.at("queue").at("position"), 4);
  EXPECT_EQ(out.at("cost").at("charged").at("amount"), "0");
  EXPECT_EQ(out.at("timing").at("created_at"), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(out.at("timing").at("deadline"), "2026-01-01T01:00:00.000Z");
  EXPECT_EQ(out.at("urls").at("self"), "https://gw/v1/jobs/job_01KE0000000000000000000001");
  for (const char* member :
       {"created_at", "queued_ms", "preparing_ms", "running_ms", "verifying_ms", "finalizing_ms", "completed_at", "expires_at", "deadline"})
    EXPECT_TRUE(out.at("timing").as_object().contains(member)) << member;
}

TEST(JobJson, measures_each_stretch_of_its_life) {
  Job job = sample();
  job.status = Status::succeeded;
  job.preparing_at = job.created_at + 210ms;
  job.running_at = job.created_at + 300ms;
  job.verifying_at = job.created_at + 1300ms;
  job.finalizing_at = job.created_at + 1400ms;
  job.completed_at = job.created_at + 1405ms;
  const auto timing = to_json(job, links(), job.created_at).at("timing");
  EXPECT_EQ(timing.at("queued_ms"), 210);
  EXPECT_EQ(timing.at("preparing_ms"), 90);
  EXPECT_EQ(timing.at("running_ms"), 1000);
  EXPECT_EQ(timing.at("verifying_ms"), 100);
  EXPECT_EQ(timing.at("finalizing_ms"), 5);
}

TEST(JobJson, signs_every_artifact_of_the_output_afresh) {
  Job job = sample();
  job.output = json::parse(
      R"({"hls": {"artifact": "art_a", "file": "master.m3u8", "sha256": "x"}, "renditions": [{"artifact": "art_b", "sha256": "y"}],
                               "params": {"artifact": "not a file"}})");
  const auto output = to_json(job, links(), job.created_at).at("output");
  EXPECT_EQ(output.at("hls").at("url"), "https://gw/art_a/master.m3u8?sig=x");
  EXPECT_EQ(output.at("renditions").as_array()[0].at("url"), "https://gw/art_b/?sig=x");
  EXPECT_EQ(output.at("renditions").as_array()[0].at("url_expires_at"), "2026-01-01T01:00:00.000Z");
  EXPECT_FALSE(output.at("params").as_object().contains("url"));
}

TEST(JobJson, tells_when_to_poll_again) {
  // 5.1: 500 ms when the ETA is under 10 s, else a twentieth of it within 1..15 s
  Job job = sample();
  job.status = Status::running;
  for (const auto& [eta, expected] : {std::pair(9.0, 500), std::pair(10.0, 1000), std::pair(100.0, 5000), std::pair(1000.0, 15'000)}) {
    job.progress["eta_s"] = eta;
    EXPECT_EQ(poll_after_ms(job), expected) << eta;
  }
  job.status = Status::failed;
  EXPECT_EQ(poll_after_ms(job), 0);
}

TEST(JobStates, have_the_names_of_the_api) {
  EXPECT_EQ(name(Status::canceled), "canceled");
  EXPECT_EQ(name(Phase::awaiting_input), "awaiting_input");
  EXPECT_EQ(name(Phase::retry_wait), "retry_wait");
  EXPECT_EQ(parse_phase("done"), Phase::done);
  EXPECT_EQ(parse_status("cancelled"), std::nullopt);
  EXPECT_TRUE(terminal(Status::expired));
  EXPECT_FALSE(terminal(Status::running));
}

TEST(EventJson, is_a_cloud_event) {
  // developer-api 5.7
  const Event event{9, "evt_1", "proj_1", "job_1", 5, "job.succeeded", UnixMillis(1'767'225'600'000ms), {{"id", "job_1"}}};
  EXPECT_EQ(
      json::serialize(to_json(event)),
      R"({"specversion":"1.0","id":"evt_1","source":"/v1/projects/proj_1","type":"job.succeeded","subject":"job_1",)"
      R"("time":"2026-01-01T00:00:00.000Z","timestamp":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json","seq":5,"data":{"id":"job_1"}})");
}

TEST(EventTypes, match_by_family_or_exactly) {
  EXPECT_TRUE(matches("job.*", "job.created"));
  EXPECT_FALSE(matches("job.*", "jobs.created"));
  EXPECT_TRUE(matches("job.failed", "job.failed"));
  EXPECT_FALSE(matches("job.failed", "job.failed.twice"));
  EXPECT_TRUE(matches("*", "anything"));
}

TEST(OutputBlocks, put_together_what_acceleration_did_to_the_parts) {
  const auto part = [](const char* text) { return tasks::TaskResult{.outputs = json::parse(text).as_object(), .files = {}}; };
  EXPECT_FALSE(acceleration_of(std::vector{part("{}"), part(R"({"video": 3})")}));
  const auto told = acceleration_of(std::vector{
      part(R"({"video": {"acceleration": {"frames": 10, "whole_frames": 1, "tiles": 4, "cells": 1000, "carried_cells": 900}}})"),
      part("{}"),
      part(R"({"video": {"acceleration": {"frames": 30, "whole_frames": 2, "tiles": "many", "cells": 3000, "carried_cells": 2100}}})")});
  ASSERT_TRUE(told);
  EXPECT_EQ(json::serialize(*told), R"({"frames":40,"whole_frames":3,"tiles":4,"carried_share":7.5E-1})");
}

TEST(OutputBlocks, put_together_what_was_done_to_the_parts) {
  const auto part = [](const char* text) { return tasks::TaskResult{.outputs = json::parse(text).as_object(), .files = {}}; };
  EXPECT_FALSE(enhancement_of(std::vector{part("{}"), part(R"({"video": {"seconds": 3}})")}));
  const auto told = enhancement_of(
      std::vector{part(R"({"video": {"source_frames": 10, "damaged_frames": 1, "ops": ["upscale"], "notes": ["a note"]}})"), part("{}"),
                  part(R"({"video": {"source_frames": 30, "damaged_frames": -7, "ops": ["upscale"], "cuts": 2}})"),
                  part(R"({"video": {"source_frames": 9000000000000000000, "damaged_frames": "many", "ops": 3}})")});
  ASSERT_TRUE(told);
  EXPECT_EQ(json::serialize(*told), R"({"source_frames":1000000000040,"damaged_frames":1,"ops":["upscale"],"notes":["a note"],"cuts":2})");
}

TEST(OutputBlocks, tell_size_rate_and_sound_of_a_video) {
  const auto media = json::parse(R"({"duration_s": 5.0625, "streams": [
      {"type": "video", "codec": "h264", "width": 1280, "height": 720, "average_rate": "16/1", "frames": 81},
      {"type": "audio", "codec": "aac", "channels": 2, "sample_rate": 48000}]})");
  const json::object blocks = describe_media(media, "video");
  EXPECT_EQ(json::serialize(blocks.at("video")),
            R"({"width":1280,"height":720,"fps":"16/1","fps_num":16,"fps_den":1,"frames":81,"duration_s":5.0625E0,"codec":"h264"})");
  EXPECT_EQ(blocks.at("audio").at("channels"), 2);
  EXPECT_TRUE(describe_media(nullptr, "video").empty());
  EXPECT_EQ(describe_media(json::parse(R"({"streams": [{"type": "video", "width": 3, "height": 4}]})"), "image").at("image").at("width"),
            3);
}

TEST(ArtifactKinds, come_from_the_media_type) {
  EXPECT_EQ(kind_of_mime("video/mp4"), "video");
  EXPECT_EQ(kind_of_mime("application/vnd.apple.mpegurl"), "hls");
  EXPECT_EQ(kind_of_mime("application/json"), "json");
  EXPECT_EQ(kind_of_mime("videos/mp4"), "archive");
  EXPECT_EQ(kind_of_mime(""), "archive");
}

}  // namespace
}  // namespace kinora::jobs

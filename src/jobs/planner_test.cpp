#include "jobs/planner.hpp"

#include <gtest/gtest.h>

namespace kinora::jobs {
namespace {

constexpr PlanSettings kTen{.chunk_s = 10, .chunking = true};

TEST(Planner, reads_duration_and_frames_from_a_probe) {
  // docs/media.md: the media object
  const auto media =
      json::parse(R"({"duration_s": 30.5, "fps": 25, "streams": [{"type": "audio", "frames": 9}, {"type": "video", "frames": 760}]})");
  EXPECT_DOUBLE_EQ(source_facts(media).duration_s, 30.5);
  EXPECT_DOUBLE_EQ(source_facts(media).frames, 760);
  EXPECT_DOUBLE_EQ(source_facts(json::parse(R"({"duration_s": 4, "fps": 25})")).frames, 100);
  for (const char* other :
       {"null", "[]", "{}", R"({"duration_s": -1})", R"({"duration_s": "long", "streams": 3})", R"({"streams": [1, {"type": 2}]})"})
    EXPECT_EQ(source_facts(json::parse(other)).duration_s, 0) << other;
}

TEST(Planner, cuts_only_long_upscales_with_more_than_one_free_slot) {
  EXPECT_EQ(plan("video-upscale", {}, {20.1, 500}, 2, kTen), PlanKind::chunked);
  EXPECT_EQ(plan("video-upscale", {}, {20, 500}, 2, kTen), PlanKind::single);
  EXPECT_EQ(plan("video-upscale", {}, {20.1, 500}, 1, kTen), PlanKind::single);
  EXPECT_EQ(plan("video-upscale", {}, {0, 0}, 8, kTen), PlanKind::single);
  EXPECT_EQ(plan("transcode", {}, {200, 5000}, 8, kTen), PlanKind::single);
  EXPECT_EQ(plan("video-upscale", {{"range", json::object()}}, {200, 5000}, 8, kTen), PlanKind::single);
  EXPECT_EQ(plan("video-upscale", {}, {200, 5000}, 8, {.chunk_s = 10, .chunking = false}), PlanKind::single);
}

TEST(Planner, makes_longer_chunks_rather_than_too_many) {
  EXPECT_EQ(cut_params("video-upscale", {100, 0}, kTen).at("target_s"), 10.0);
  EXPECT_EQ(cut_params("video-upscale", {5120 * 3, 0}, kTen).at("target_s"), 30.0);  // 512 chunks of 30 s
}

tasks::TaskResult cut(std::string_view plan, int files = 2) {
  tasks::TaskResult out;
  out.outputs["plan"] = json::parse(plan);
  for (int i = 0; i < files; ++i) out.files.push_back({"chunks", "c" + std::to_string(i) + ".nut", 1, "", "video/x-nut", nullptr});
  return out;
}

TEST(Planner, makes_a_task_of_each_chunk) {
  const auto tasks =
      chunk_tasks("video-upscale", {{"scale", 2}}, cut(R"({"chunks": [{"name": "c0.nut", "start_pts": 0, "end_pts": 100, "frames": 25},
                                                               {"file": "c1.nut", "start_pts": 100, "end_pts": 180, "packets": 20}]})"));
  ASSERT_TRUE(tasks) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 2u);
  EXPECT_EQ(json::serialize((*tasks)[1].params), R"({"scale":2,"range":{"start_pts":100,"end_pts":180},"video_only":true})");
  EXPECT_EQ((*tasks)[0].frames, 25);
  EXPECT_EQ((*tasks)[1].frames, 20);
  EXPECT_EQ((*tasks)[1].file, "c1.nut");
}

TEST(Planner, lets_chunks_of_an_interpolation_look_ahead_and_know_where_the_video_begins) {
  EXPECT_EQ(plan("frame-interpolation", {}, {20.1, 500}, 2, kTen), PlanKind::chunked);
  EXPECT_TRUE(cut_params("frame-interpolation", {100, 0}, kTen).at("look_ahead").as_bool());
  EXPECT_FALSE(cut_params("video-upscale", {100, 0}, kTen).contains("look_ahead"));
  const auto tasks = chunk_tasks("frame-interpolation", {}, cut(R"({"chunks": [{"name": "c0.nut", "start_pts": 7, "end_pts": 100},
                                                                            {"name": "c1.nut", "start_pts": 100, "end_pts": 180}]})"));
  ASSERT_TRUE(tasks) << tasks.error().message;
  EXPECT_EQ(json::serialize((*tasks)[1].params), R"({"range":{"start_pts":100,"end_pts":180,"origin_pts":7},"video_only":true})");
}

TEST(Planner, cuts_for_both_networks_as_for_the_interpolation) {
  EXPECT_EQ(plan("video-enhance", {}, {20.1, 500}, 2, kTen), PlanKind::chunked);
  EXPECT_TRUE(cut_params("video-enhance", {100, 0}, kTen).at("look_ahead").as_bool());
  const auto tasks =
      chunk_tasks("video-enhance", {{"scale", 4}}, cut(R"({"chunks": [{"name": "c0.nut", "start_pts": 7, "end_pts": 100}]})"));
  ASSERT_TRUE(tasks) << tasks.error().message;
  EXPECT_EQ(json::serialize((*tasks)[0].params), R"({"scale":4,"range":{"start_pts":7,"end_pts":100,"origin_pts":7},"video_only":true})");
}

TEST(Planner, refuses_a_plan_that_does_not_fit_its_files) {
  for (const char* bad :
       {"null", "{}", R"({"chunks": []})", R"({"chunks": [3]})", R"({"chunks": [{"name": "c0.nut", "start_pts": 0}]})",
        R"({"chunks": [{"name": "other.nut", "start_pts": 0, "end_pts": 1}]})",
        R"({"chunks": [{"name": "c0.nut", "start_pts": 5, "end_pts": 5}]})",
        R"({"chunks": [{"name": "c0.nut", "start_pts": 0, "end_pts": 9}, {"name": "c1.nut", "start_pts": 8, "end_pts": 12}]})",
        R"({"chunks": [{"name": "c0.nut", "start_pts": 0.5, "end_pts": 9}]})"})
    EXPECT_FALSE(chunk_tasks("video-upscale", {}, cut(bad))) << bad;
  json::array many(kMaxChunks + 1, json::value{{"name", "c0.nut"}, {"start_pts", 0}, {"end_pts", 1}});
  EXPECT_FALSE(chunk_tasks("video-upscale", {}, cut(json::serialize(json::object{{"chunks", many}}))));
}

TEST(Planner, hands_the_clock_of_the_cut_to_the_join) {
  EXPECT_EQ(json::serialize(join_params(cut(R"({"pts_offset": 512, "time_base": "1/12800", "chunks": []})"))),
            R"({"container":"mp4","pts_offset":512,"time_base":"1/12800"})");
  EXPECT_EQ(json::serialize(join_params(cut("3"))), R"({"container":"mp4"})");
}

}  // namespace
}  // namespace kinora::jobs

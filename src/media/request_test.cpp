#include "media/request.hpp"

#include <gtest/gtest.h>

namespace kinora::media {
namespace {

using base::ErrorCode;

TEST(Request, reads_a_workers_order_for_a_ladder) {
  const auto request = parse_request(
      Operation::transcode,
      R"({"attempt":"att_1","inputs":{"video":"/in.mp4"},"output_dir":"/out","params":{"ladder":"auto","formats":["mp4"],"segment_s":4,
          "renditions":[{"name":"hd","width":1280,"height":720,"bitrate_kbps":2500,"fps":30},{"height":360,"crf":23}]},
          "limits":{"memory_bytes":1073741824,"cpu_s":60,"file_bytes":1000000,"max_pixels":2073600}})");
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_EQ(request->input, "/in.mp4");
  EXPECT_EQ(request->output_dir, "/out");
  EXPECT_FALSE(request->transcode.hls);
  EXPECT_TRUE(request->transcode.mp4);
  EXPECT_EQ(request->transcode.segment_s, 4);
  ASSERT_EQ(request->transcode.renditions.size(), 2U);
  EXPECT_EQ(request->transcode.renditions[0].bitrate, 2'500'000);
  EXPECT_EQ(request->transcode.renditions[0].max_fps, 30);
  EXPECT_EQ(request->transcode.renditions[1].crf, 23);
  EXPECT_EQ(request->process.memory_bytes, 1 << 30);
  EXPECT_EQ(request->process.cpu_s, 60);
  EXPECT_EQ(request->transcode.limits.max_pixels, 2073600);
}

TEST(Request, reads_plain_files_and_parameters_beside_them) {
  const auto measure = parse_request(Operation::measure, R"({"reference":"/a","input":"/b"})");
  ASSERT_TRUE(measure.has_value());
  EXPECT_EQ(measure->second, "/a");
  EXPECT_EQ(measure->input, "/b");
  const auto thumbnail = parse_request(Operation::thumbnail, R"({"input":"/a","output_dir":"/o","at_s":2.5,"format":"png","width":64})");
  ASSERT_TRUE(thumbnail.has_value());
  EXPECT_EQ(thumbnail->thumbnail.at_s, 2.5);
  EXPECT_EQ(thumbnail->thumbnail.type, ImageType::png);
  const auto join =
      parse_request(Operation::join, R"({"chunks":["/1","/2"],"source":"/s","output_dir":"/o","pts_offset":-7,"time_base":"1/12800"})");
  ASSERT_TRUE(join.has_value()) << join.error().message;
  EXPECT_EQ(join->chunks, (std::vector<std::string>{"/1", "/2"}));
  EXPECT_EQ(join->join.pts_offset, -7);
  EXPECT_EQ(join->join.pts_offset_base, (Rational{1, 12800}));
}

TEST(Request, names_every_mistake_by_its_pointer) {
  const auto request = parse_request(
      Operation::transcode,
      R"({"inputs":{"video":"a.mp4"},"params":{"renditions":[{"crf":52},{"widht":1}],"preset":"placebo","formats":[]},"limits":{"cpu_s":0}})");
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().code, ErrorCode::invalid);
  for (const char* pointer : {"/inputs/video", "/params/renditions/0/crf", "/params/renditions/1/widht", "/params/preset",
                              "/params/formats", "/limits/cpu_s", "/output_dir"})
    EXPECT_NE(request.error().message.find(pointer), std::string::npos) << pointer << " in " << request.error().message;
}

TEST(Request, holds_to_its_limits) {
  EXPECT_EQ(parse_request(Operation::probe, std::string(kMaxRequestBytes + 1, ' ')).error().code, ErrorCode::too_large);
  EXPECT_FALSE(parse_request(Operation::probe, R"({"input":"/a","limits":{"max_pixels":67108865}})"));
  EXPECT_FALSE(parse_request(Operation::probe, R"({"input":"/a","limits":{"max_streams":65}})"));
  EXPECT_FALSE(parse_request(Operation::probe, R"({"input":"/a","limits":{"memory_bytes":1000}})"));
  EXPECT_FALSE(parse_request(Operation::probe, R"({"input":")" + std::string("/") + std::string(4096, 'a') + R"("})"));
  EXPECT_FALSE(parse_request(Operation::probe, "{}"));
  EXPECT_FALSE(parse_request(Operation::probe, "[]"));
  EXPECT_FALSE(parse_request(Operation::join, R"({"chunks":[],"output_dir":"/o"})"));
  EXPECT_FALSE(parse_request(Operation::join, R"({"chunks":["/a"],"output_dir":"/o","time_base":"1/0"})"));
  EXPECT_FALSE(parse_request(Operation::join, R"({"chunks":["/a"],"output_dir":"/o","time_base":"1/2x"})"));
}

TEST(Request, reads_the_utilities_as_the_catalogue_names_them) {
  const auto clip =
      parse_request(Operation::clip, R"({"inputs":{"video":"/v"},"output_dir":"/o","params":{"start_s":1,"duration_s":2,"crf":20}})");
  ASSERT_TRUE(clip.has_value()) << clip.error().message;
  EXPECT_EQ(clip->stretch.path, "/v");
  EXPECT_EQ(clip->stretch.end_s, 3.0);
  EXPECT_EQ(clip->compose.crf, 20);
  const auto concat = parse_request(
      Operation::concat, R"({"inputs":{"videos":["/a","/b"]},"output_dir":"/o","params":{"transition":"crossfade","width":641}})");
  ASSERT_TRUE(concat.has_value()) << concat.error().message;
  EXPECT_EQ(concat->chunks.size(), 2U);
  EXPECT_EQ(concat->compose.crossfade_s, 0.5);
  EXPECT_EQ(concat->compose.width, 640);
  const auto mux = parse_request(Operation::mux, R"({"inputs":{"video":"/v","audio":"/a"},"output_dir":"/o","params":{"mode":"mix"}})");
  ASSERT_TRUE(mux.has_value());
  EXPECT_EQ(mux->second, "/a");
  EXPECT_TRUE(mux->mux.mix);
  const auto overlay = parse_request(Operation::overlay, R"({"input":"/v","image":"/i","output_dir":"/o","position":"top"})");
  ASSERT_TRUE(overlay.has_value());
  EXPECT_EQ(overlay->overlay.x, 0.5);
  EXPECT_EQ(overlay->overlay.y, 0);
  EXPECT_EQ(parse_request(Operation::loop, R"({"input":"/v","output_dir":"/o"})")->times, 2);
  EXPECT_EQ(parse_request(Operation::extract_audio, R"({"inputs":{"media":"/m"},"output_dir":"/o","params":{"format":"ogg"}})")->audio.type,
            AudioType::ogg);
  for (const auto& [operation, params] :
       {std::pair{Operation::clip, R"({"end_s":2,"duration_s":1})"}, std::pair{Operation::clip, R"({"start_s":2,"end_s":2})"},
        std::pair{Operation::loop, R"({"count":1025})"}, std::pair{Operation::loop, R"({"count":2,"duration_s":1})"},
        std::pair{Operation::overlay, R"({"position":"middle"})"}, std::pair{Operation::extract_frames, R"({"count":1001})"},
        std::pair{Operation::extract_audio, R"({"channels":9})"}})
    EXPECT_FALSE(parse_request(operation, std::string(R"({"input":"/v","image":"/i","output_dir":"/o","params":)") + params + "}"))
        << params;
}

TEST(Request, a_slider_has_two_videos_and_a_place) {
  const auto slider = parse_request(Operation::slider, R"({"reference":"/a","input":"/b","output_dir":"/o","position":0.25})");
  ASSERT_TRUE(slider.has_value());
  EXPECT_EQ(slider->slider.position, 0.25);
  EXPECT_FALSE(parse_request(Operation::slider, R"({"reference":"/a","input":"/b"})"));
  EXPECT_FALSE(parse_request(Operation::slider, R"({"reference":"/a","input":"/b","output_dir":"/o","position":1.5})"));
}

TEST(Request, knows_its_operations) {
  for (const char* name : {"probe", "verify", "cut", "join", "transcode", "thumbnail", "measure", "slider", "compare", "clip", "concat",
                           "loop", "mux", "overlay", "extract-frames", "extract-audio"})
    EXPECT_TRUE(parse_operation(name)) << name;
  EXPECT_FALSE(parse_operation("rm"));
  EXPECT_FALSE(parse_operation(""));
}

}  // namespace
}  // namespace kinora::media

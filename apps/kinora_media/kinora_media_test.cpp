// The program as its callers see it: a process, JSON in, events out.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "kinora_media/events.hpp"
#include "media/test_tools.hpp"

namespace kinora::media_app {
namespace {

using namespace media::testing;
namespace json = boost::json;

std::string program() { return std::string(KINORA_BINARY_DIR) + "/bin/kinora-media"; }

struct Answer {
  int status = -1;
  std::vector<json::object> events;
  const json::object& last() const { return events.back(); }
  std::string code() const {
    if (events.empty() || last().at("type") != "error") return "";
    return std::string(last().at("error").at("code").as_string());
  }
};

Answer parse(const Ran& ran) {
  Answer answer;
  answer.status = WIFEXITED(ran.status) ? WEXITSTATUS(ran.status) : -WTERMSIG(ran.status);
  for (const std::string& line : lines(ran.output)) answer.events.push_back(json::parse(line).as_object());
  return answer;
}

Answer ask_text(const std::string& operation, const std::string& request) {
  ScratchDir dir;
  std::ofstream(dir / "request.json") << request;
  return parse(shell(quoted(program()) + " " + operation + " < " + quoted(dir / "request.json")));
}
Answer ask(const std::string& operation, const json::object& request) { return ask_text(operation, json::serialize(request)); }

class KinoraMedia : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(std::filesystem::exists(program())) << "build kinora-media first"; }
  ScratchDir out_;
};

TEST_F(KinoraMedia, probes_in_both_forms_of_request) {
  for (const json::object& request :
       {json::object{{"input", clip("london_roofs_360p_5s.mp4")}}, json::object{{"attempt", "att_1"},
                                                                                {"inputs", {{"media", clip("london_roofs_360p_5s.mp4")}}},
                                                                                {"params", json::object()},
                                                                                {"output_dir", out_.path()}}}) {
    const Answer answer = ask("probe", request);
    EXPECT_EQ(answer.status, 0);
    ASSERT_FALSE(answer.events.empty());
    EXPECT_EQ(answer.last().at("type"), "result");
    EXPECT_EQ(answer.last().at("outputs").at("media").at("width"), 640);
  }
}

TEST_F(KinoraMedia, transcodes_into_listed_files) {
  const Answer answer =
      ask("transcode", {{"inputs", {{"video", clip("london_roofs_360p_5s.mp4")}}},
                        {"params", {{"preset", "ultrafast"}, {"renditions", {{{"name", "low"}, {"height", 144}, {"bitrate_kbps", 300}}}}}},
                        {"output_dir", out_.path()}});
  ASSERT_EQ(answer.status, 0) << json::serialize(answer.last());
  const auto& files = answer.last().at("files").as_array();
  EXPECT_EQ(files.front().at("path"), "master.m3u8");
  bool mp4 = false;
  for (const auto& file : files) {
    const std::string path = out_ / std::string(file.at("path").as_string());
    EXPECT_EQ(std::filesystem::file_size(path), file.at("bytes").to_number<std::uintmax_t>()) << path;
    if (file.at("slot") != "renditions") continue;
    mp4 = true;
    EXPECT_EQ(file.at("media").at("height"), 144);
    EXPECT_EQ(file.at("mime"), "video/mp4");
  }
  EXPECT_TRUE(mp4);
  EXPECT_EQ(answer.last().at("metrics").at("units"), 151);
}

TEST_F(KinoraMedia, cuts_and_joins) {
  const std::string source = out_ / "source.mp4";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"), "-vf scale=160:90 -c:v libx264 -g 30 -c:a copy", source));
  ScratchDir chunks;
  const Answer cut =
      ask("cut", {{"inputs", {{"video", source}}}, {"params", {{"target_s", 1}, {"max_chunks", 512}}}, {"output_dir", chunks.path()}});
  ASSERT_EQ(cut.status, 0) << json::serialize(cut.last());
  const auto& plan = cut.last().at("outputs").at("plan").as_object();
  json::array paths;
  for (const auto& chunk : plan.at("chunks").as_array()) paths.push_back(json::string(chunks / std::string(chunk.at("name").as_string())));
  ASSERT_GE(paths.size(), 4U);
  // Joined as they are (closed GOPs), they are the source again.
  const Answer join =
      ask("join", {{"inputs", {{"source", source}, {"chunk", paths}}},
                   {"params", {{"container", "mp4"}, {"pts_offset", plan.at("pts_offset")}, {"time_base", plan.at("time_base")}}},
                   {"output_dir", out_.path()}});
  ASSERT_EQ(join.status, 0) << json::serialize(join.last());
  EXPECT_EQ(frame_times(out_ / "video.mp4").size(), frame_times(source).size());
  EXPECT_EQ(ffprobe_line(out_ / "video.mp4", "stream=codec_name", "-select_streams a"), "aac");
}

TEST_F(KinoraMedia, verifies_measures_and_makes_thumbnails) {
  const Answer verify = ask("verify", {{"input", clip("odd/tiny_16x16.mp4")}});
  ASSERT_EQ(verify.status, 0);
  EXPECT_EQ(verify.last().at("outputs").at("decoded").at("frames"), 50);
  EXPECT_EQ(verify.last().at("outputs").at("decoded").at("corrupt_frames"), 0);
  const Answer measure = ask("measure", {{"reference", clip("odd/tiny_16x16.mp4")}, {"input", clip("odd/tiny_16x16.mp4")}});
  ASSERT_EQ(measure.status, 0);
  EXPECT_EQ(measure.last().at("psnr_y").to_number<double>(), 100.0);
  EXPECT_EQ(measure.last().at("frames").as_array().size(), 50U);
  const Answer thumbnail = ask("thumbnail", {{"inputs", {{"video", clip("london_roofs_360p_5s.mp4")}}},
                                             {"params", {{"width", 100}, {"format", "png"}}},
                                             {"output_dir", out_.path()}});
  ASSERT_EQ(thumbnail.status, 0);
  EXPECT_EQ(ffprobe_line(out_ / "thumbnail.png", "stream=width,height"), "100,56");
}

TEST_F(KinoraMedia, makes_what_workflows_are_glued_with) {
  const std::string tiny = clip("odd/tiny_16x16.mp4"), roofs = clip("london_roofs_360p_5s.mp4");
  const auto made = [&](const std::string& operation, const json::object& inputs, const json::object& params) {
    const Answer answer = ask(operation, {{"inputs", inputs}, {"params", params}, {"output_dir", out_.path()}});
    EXPECT_EQ(answer.status, 0) << operation << ": " << json::serialize(answer.last());
    return answer.last();
  };
  const auto duration = [](const json::object& result) {
    return result.at("files").at(0).at("media").at("duration_s").to_number<double>();
  };
  EXPECT_NEAR(duration(made("clip", {{"video", roofs}}, {{"start_s", 1}, {"end_s", 2}})), 1, 2e-3);
  EXPECT_NEAR(duration(made("loop", {{"video", tiny}}, {{"count", 3}})), 6, 2e-3);
  EXPECT_NEAR(duration(made("concat", {{"videos", json::array{tiny, tiny}}}, {})), 4, 2e-3);
  EXPECT_NEAR(duration(made("mux", {{"video", tiny}, {"audio", roofs}}, {})), 2, 2e-3);
  EXPECT_NEAR(duration(made("overlay", {{"video", tiny}, {"image", clip("cat_chelsea.png")}}, {})), 2, 2e-3);
  const json::object frames = made("extract-frames", {{"video", roofs}}, {{"count", 3}});
  EXPECT_EQ(frames.at("files").as_array().size(), 3U);
  EXPECT_EQ(frames.at("files").at(0).at("slot"), "images");
  EXPECT_EQ(frames.at("outputs").at("times").at("at_s").as_array().size(), 3U);
  const json::object sound = made("extract-audio", {{"media", roofs}}, {{"format", "wav"}});
  EXPECT_EQ(sound.at("files").at(0).at("mime"), "audio/wav");
  EXPECT_EQ(sound.at("files").at(0).at("media").at("streams").at(0).at("codec"), "pcm_s16le");
}

TEST_F(KinoraMedia, says_by_stable_codes_what_is_wrong_with_a_file) {
  const auto code = [&](const std::string& operation, const std::string& name) {
    const Answer answer = ask(operation, {{"input", clip(name)}, {"output_dir", out_.path()}});
    EXPECT_EQ(answer.status, 1) << name;
    return answer.code();
  };
  EXPECT_EQ(code("transcode", "broken/zero_byte.mp4"), "input_invalid");
  EXPECT_EQ(code("transcode", "broken/text_named.mp4"), "input_invalid");
  EXPECT_EQ(code("transcode", "broken/truncated_no_moov.mp4"), "input_invalid");
  EXPECT_EQ(code("transcode", "broken/stts_count_2147483647.mp4"), "input_invalid");
  EXPECT_EQ(code("thumbnail", "broken/header_claims_60000x60000.png"), "input_invalid");
  EXPECT_EQ(code("transcode", "odd/vvc_320x180_codec_often_missing.mp4"), "unsupported_media");
  EXPECT_EQ(code("cut", "odd/audioonly_eac3_5p1.mp4"), "unsupported_media");
  const Answer large = ask("probe", {{"input", clip("odd/tiny_16x16.mp4")}, {"limits", {{"max_pixels", 100}}}});
  EXPECT_EQ(large.code(), "media_too_large");
}

TEST_F(KinoraMedia, blames_the_caller_for_a_bad_request_with_every_pointer) {
  const Answer answer = ask("transcode", {{"input", "relative.mp4"}, {"segment_s", 99}, {"surprise", 1}});
  EXPECT_EQ(answer.code(), "worker_error");
  const std::string detail(answer.last().at("error").at("detail").as_string());
  for (const char* pointer : {"/input", "/segment_s", "/surprise", "/output_dir"})
    EXPECT_NE(detail.find(pointer), std::string::npos) << detail;
  EXPECT_EQ(ask_text("probe", "{").code(), "worker_error");
  EXPECT_EQ(parse(shell(quoted(program()) + " nonsense < /dev/null")).status, 2);
}

TEST_F(KinoraMedia, ends_within_a_second_of_sigterm_and_leaves_nothing) {
  int input[2], output[2];
  ASSERT_EQ(::pipe(input), 0);
  ASSERT_EQ(::pipe(output), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(input[0], 0);
    ::dup2(output[1], 1);
    for (const int fd : {input[0], input[1], output[0], output[1]}) ::close(fd);
    ::execl(program().c_str(), "kinora-media", "transcode", nullptr);
    ::_exit(127);
  }
  ::close(input[0]);
  ::close(output[1]);
  const std::string request = json::serialize(
      json::object{{"input", clip("odd/hdr10_av1_portrait_720x1280.mp4")}, {"preset", "veryslow"}, {"output_dir", out_.path()}});
  ASSERT_EQ(::write(input[1], request.data(), request.size()), static_cast<ssize_t>(request.size()));
  ::close(input[1]);
  // Its first line of progress shows that it is at work.
  std::string said;
  char buffer[4096];
  while (said.find('\n') == std::string::npos) {
    const ssize_t n = ::read(output[0], buffer, sizeof buffer);
    ASSERT_GT(n, 0);
    said.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_NE(said.find("\"progress\""), std::string::npos) << said;
  const auto asked = std::chrono::steady_clock::now();
  ::kill(child, SIGTERM);
  for (ssize_t n = 0; (n = ::read(output[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(output[0]);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::milliseconds(1500));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  EXPECT_EQ(json::parse(lines(said).back()).at("error").at("code"), "canceled");
  EXPECT_TRUE(std::filesystem::is_empty(out_.path()));
}

TEST_F(KinoraMedia, fails_cleanly_at_its_limits_and_removes_what_it_made) {
  const Answer files = ask("transcode", {{"input", clip("london_roofs_360p_5s.mp4")},
                                         {"preset", "ultrafast"},
                                         {"output_dir", out_.path()},
                                         {"limits", {{"file_bytes", 20000}}}});
  EXPECT_EQ(files.status, 1);
  EXPECT_FALSE(files.code().empty());
  EXPECT_TRUE(std::filesystem::is_empty(out_.path()));
}

TEST_F(KinoraMedia, ends_each_file_of_the_media_folder_with_a_result_or_a_stable_code) {
  const std::vector<std::string> known{"input_invalid", "unsupported_media", "media_too_large"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(media_dir())) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md") continue;
    ScratchDir out;
    const Answer answer = ask("transcode", {{"input", entry.path().string()},
                                            {"preset", "ultrafast"},
                                            {"renditions", {{{"name", "r"}, {"height", 90}}}},
                                            {"output_dir", out.path()}});
    ASSERT_FALSE(answer.events.empty()) << entry.path();
    if (answer.status != 0) {
      EXPECT_NE(std::find(known.begin(), known.end(), answer.code()), known.end()) << entry.path() << json::serialize(answer.last());
      EXPECT_TRUE(std::filesystem::is_empty(out.path())) << entry.path();
      continue;
    }
    for (const auto& file : answer.last().at("files").as_array())
      if (file.at("slot") == "renditions") {
        EXPECT_FALSE(ffprobe_line(out / std::string(file.at("path").as_string()), "stream=codec_name").empty()) << entry.path();
      }
  }
}

TEST(Events, maps_errors_to_stable_codes) {
  EXPECT_EQ(error_object({base::ErrorCode::invalid, "x"}).at("code"), "input_invalid");
  EXPECT_EQ(error_object({base::ErrorCode::conflict, "x"}).at("code"), "schema_invalid");
  EXPECT_EQ(error_object({base::ErrorCode::unsupported, "x"}).at("code"), "unsupported_media");
  EXPECT_EQ(error_object({base::ErrorCode::too_large, "x"}).at("code"), "media_too_large");
  EXPECT_EQ(error_object({base::ErrorCode::canceled, "x"}).at("code"), "canceled");
  const json::object io = error_object({base::ErrorCode::io, "x"});
  EXPECT_EQ(io.at("code"), "worker_error");
  EXPECT_TRUE(io.at("retryable").as_bool());
}

}  // namespace
}  // namespace kinora::media_app

#include "kinora/job_input.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;

class JobInputTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("job_input_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    clip_ = (folder_ / "clip.mp4").string();
    std::ofstream(clip_) << "x";
  }
  void TearDown() override { fs::remove_all(folder_); }
  static const tasks::TaskSpec& task(const char* name) { return *tasks::find_task(name); }
  fs::path folder_;
  std::string clip_;
};

TEST_F(JobInputTest, puts_files_into_slots_and_types_parameters_by_the_catalogue) {
  auto input = read_job_input(task("video-upscale"), {clip_}, {"scale=2"});
  ASSERT_TRUE(input) << input.error().message;
  ASSERT_EQ(input->files.size(), 1u);
  EXPECT_EQ(input->files[0].slot, "video");
  input->put(input->files[0], {{"artifact", "art_1"}});
  EXPECT_EQ(json::serialize(input->value), R"({"scale":2,"video":{"artifact":"art_1"}})");
}
TEST_F(JobInputTest, media_may_be_a_url_or_an_artifact_of_the_gateway) {
  const std::string artifact = "art_01KE0000000000000000000000", url = "https://media.example/a.mp4";
  auto input = read_job_input(task("concat"), {clip_, url, artifact}, {});
  ASSERT_TRUE(input) << input.error().message;
  ASSERT_EQ(input->files.size(), 3u);
  EXPECT_TRUE(input->files[0].named.is_null());
  EXPECT_EQ(input->files[1].named, json::value({{"url", url}}));
  EXPECT_EQ(input->files[2].named, json::value({{"artifact", artifact}}));
  for (const auto& file : input->files) input->put(file, file.named.is_null() ? json::value({{"artifact", "art_1"}}) : file.named);
  EXPECT_EQ(json::serialize(input->value),
            R"({"videos":[{"artifact":"art_1"},{"url":"https://media.example/a.mp4"},{"artifact":"art_01KE0000000000000000000000"}]})");
}
TEST_F(JobInputTest, asks_for_the_format_that_the_results_name_has) {
  auto input = read_job_input(task("thumbnail"), {clip_}, {});
  ASSERT_TRUE(input) << input.error().message;
  input->take_format(task("thumbnail"), "frame.gif");
  EXPECT_FALSE(input->value.contains("format"));
  input->take_format(task("thumbnail"), "frame.png");
  EXPECT_EQ(input->value.at("format"), "png");
  input->take_format(task("thumbnail"), "frame.jpg");
  EXPECT_EQ(input->value.at("format"), "png") << "what is said stays";
  auto upscale = read_job_input(task("video-upscale"), {clip_}, {});
  upscale->take_format(task("video-upscale"), "big.mp4");
  EXPECT_FALSE(upscale->value.contains("format"));
}
TEST_F(JobInputTest, notes_are_those_of_the_output_and_of_its_parts) {
  const auto job = base::parse_json(
      R"({"output": {"notes": ["all"], "video": {"artifact": "a", "notes": ["width became 48", 7]}, "facts": [{"notes": ["no"]}]}})");
  EXPECT_EQ(notes_of(job->as_object()), (std::vector<std::string>{"all", "width became 48"}));
  EXPECT_TRUE(notes_of({}).empty());
  EXPECT_TRUE(notes_of({{"output", nullptr}}).empty());
}

TEST_F(JobInputTest, a_list_may_be_written_with_commas) {
  const auto input = read_job_input(task("transcode"), {clip_}, {"formats=hls,mp4"});
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(json::serialize(input->value.at("formats")), R"(["hls","mp4"])");
}
TEST_F(JobInputTest, says_what_is_missing_unknown_or_too_much) {
  EXPECT_NE(read_job_input(task("video-upscale"), {}, {}).error().message.find("video"), std::string::npos);
  EXPECT_NE(read_job_input(task("video-upscale"), {"no_such.mp4"}, {}).error().message.find("no_such.mp4"), std::string::npos);
  EXPECT_NE(read_job_input(task("video-upscale"), {clip_, clip_}, {}).error().message.find("no further input"), std::string::npos);
  EXPECT_NE(read_job_input(task("video-upscale"), {clip_}, {"scal=2"}).error().message.find("\"scale\""), std::string::npos);
  EXPECT_FALSE(read_job_input(task("video-upscale"), {clip_}, {"scale"}));
}

TEST_F(JobInputTest, reads_the_artifacts_of_an_output_and_passes_over_the_rest) {
  const auto items =
      output_items(json::parse(R"({"hls":{"artifact":"art_1","filename":"master.m3u8","files":13,"url":"http://gw/m"},"seed":7,
                                                  "renditions":[{"artifact":"art_2","filename":"720p.mp4","url":"http://gw/2"}],"params":{"scale":2}})")
                       .as_object());
  ASSERT_EQ(items.size(), 2u);
  EXPECT_TRUE(items[0].several);
  EXPECT_EQ(items[1].slot, "renditions");
  EXPECT_EQ(items[1].filename, "720p.mp4");
}
TEST_F(JobInputTest, one_result_goes_to_the_file_itself_or_into_a_folder) {
  const std::vector<OutputItem> items{{"video", "art_1", "out.mp4", "http://gw/1", false, {}}};
  EXPECT_EQ(plan_downloads(items, (folder_ / "big.mp4").string())->at(0).file, folder_ / "big.mp4");
  EXPECT_EQ(plan_downloads(items, folder_.string())->at(0).file, folder_ / "out.mp4");
}
TEST_F(JobInputTest, several_results_keep_their_names_in_a_folder) {
  const std::vector<OutputItem> items{{"hls", "art_1", "master.m3u8", "http://gw/m", true, {"master.m3u8", "0/seg.ts"}},
                                      {"renditions", "art_2", "720p.mp4", "http://gw/3", false, {}}};
  const auto plan = plan_downloads(items, (folder_ / "ladder").string());
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->size(), 3u);
  EXPECT_EQ(plan->at(1).file, folder_ / "ladder" / "hls/0/seg.ts");
  EXPECT_EQ(plan->at(1).url, "/v1/artifacts/art_1/files/0/seg.ts");
  EXPECT_EQ(plan->at(2).file, folder_ / "ladder" / "720p.mp4");
  EXPECT_FALSE(plan_downloads(items, clip_));  // a file stands where a folder is needed
  EXPECT_FALSE(plan_downloads({}, clip_));
}
TEST_F(JobInputTest, a_gateway_cannot_write_outside_the_folder) {
  for (const char* name : {"../evil", "/etc/evil", "a/../../evil"}) {
    EXPECT_FALSE(plan_downloads({{"hls", "art_1", "m", "u", true, {name, "b"}}}, folder_.string())) << name;
    EXPECT_FALSE(plan_downloads({{"video", "art_1", name, "u", false, {}}}, folder_.string() + "/")) << name;
  }
}

TEST(Adapters, are_ids_with_a_scale_behind_a_colon) {
  const auto read = read_adapters({"o/style:0.5", "ink", "back:-1"});
  ASSERT_TRUE(read);
  EXPECT_EQ(base::json::serialize(*read),
            R"([{"adapter":"o/style","scale":5E-1},{"adapter":"ink","scale":1E0},{"adapter":"back","scale":-1E0}])");
  for (const char* wrong : {"style:", "style:much", ":0.5", "", "style:0.5x"}) EXPECT_FALSE(read_adapters({wrong})) << wrong;
}

TEST(PrettyJson, indents_and_parses_back) {
  const json::value value = json::parse(R"({"a":[1,{"b":null}],"c":{},"d":"x"})");
  const std::string text = pretty_json(value);
  EXPECT_NE(text.find("\n  \"a\": [\n"), std::string::npos);
  EXPECT_EQ(json::parse(text), value);
}

}  // namespace
}  // namespace kinora::cli

// A video goes on with a tiny Wan model; the files are made by ffmpeg and judged by ffprobe.
#include "runner/video_extend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

using ::testing::HasSubstr;

const std::string kModel = std::string(KINORA_SOURCE_DIR) + "/tests/golden/pipe_wan22_ti2v_t2v/model";

class VideoExtends : public ::testing::Test {
 protected:
  VideoExtends() {
    request_.task = "video-extend";
    request_.params = {{"crf", 18}};
    request_.output_dir = work_.path();
  }
  void source(const std::string& arguments) {
    EXPECT_EQ(testing::ffmpeg(arguments + " '" + (work_ / "in.mp4") + "'"), "");
    request_.inputs["video"] = work_ / "in.mp4";
  }

  testing::Scratch work_;
  TaskRequest request_;
  models::PipelineInfo info_ = models::describe_pipeline(kModel);
};

TEST_F(VideoExtends, new_frames_follow_the_sources_at_its_rate) {
  source("-f lavfi -i testsrc2=s=70x40:r=25:d=0.4 -c:v libx264");  // 10 frames
  models::GenerationRequest wanted{.task = models::Task::image_to_video, .prompts = {"a monkey"}, .seeds = {3}};
  ASSERT_TRUE(continue_from(request_.inputs["video"], info_, {}, wanted));
  EXPECT_EQ(wanted.width, 64);
  EXPECT_EQ(wanted.height, 32);
  EXPECT_EQ(wanted.fps, 25);
  ASSERT_TRUE(wanted.picture);
  EXPECT_EQ(wanted.picture->width, 70);
  wanted.frames = 5;
  wanted.steps = 1;
  const auto result = models::load_pipeline(kModel)->run(wanted);
  ASSERT_EQ(result.pictures.size(), 5U);
  const auto made = write_continued(result, request_, R"({"prompt":"a monkey"})", {});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->frames, 14);  // the first one made is the source's last
  EXPECT_EQ(testing::ffprobe(work_ / "video.mp4", "codec_name,width,height,nb_frames"), "h264,64,32,14");
  EXPECT_THAT(testing::ffprobe(work_ / "video.mp4", "duration"), HasSubstr("0.56"));  // 14 / 25 s
}

TEST_F(VideoExtends, the_sources_sound_is_kept_and_ends_where_the_new_frames_begin) {
  source("-f lavfi -i testsrc2=s=32x32:r=10:d=1 -f lavfi -i sine=r=48000:d=1 -c:v libx264 -c:a aac -metadata title=walk");
  const models::RgbPicture grey{.width = 32, .height = 32, .pixels = std::vector<std::uint8_t>(32 * 32 * 3, 128)};
  models::GenerationResult result;
  result.pictures.assign(6, grey);
  const auto made = write_continued(result, request_, "the recipe", {});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(testing::ffprobe(work_ / "video.mp4", "codec_name,nb_frames"), "h264,15");
  EXPECT_EQ(testing::ffprobe(work_ / "video.mp4", "codec_name", "a"), "aac");
  const auto hash = [](const std::string& file) { return testing::shell("ffmpeg -v error -i '" + file + "' -map 0:a -c copy -f md5 -"); };
  EXPECT_EQ(hash(work_ / "video.mp4"), hash(work_ / "in.mp4"));
  const auto tags = testing::shell("ffprobe -v error -show_entries format_tags=title,comment -of csv=p=0 '" + (work_ / "video.mp4") + "'");
  EXPECT_EQ(tags, "walk,the recipe");
}

TEST_F(VideoExtends, a_size_that_was_asked_for_stays) {
  source("-f lavfi -i testsrc2=s=70x40:r=25:d=0.2 -c:v libx264");
  models::GenerationRequest wanted;
  wanted.width = 32;
  wanted.fps = 8;
  ASSERT_TRUE(continue_from(request_.inputs["video"], info_, {}, wanted));
  EXPECT_EQ(wanted.width, 32);
  EXPECT_EQ(wanted.fps, 8);
}

TEST_F(VideoExtends, what_is_no_video_is_refused) {
  models::GenerationRequest wanted;
  EXPECT_FALSE(continue_from(work_ / "absent.mp4", info_, {}, wanted));
  source("-f lavfi -i sine=d=1 -c:a aac");
  EXPECT_FALSE(continue_from(request_.inputs["video"], info_, {}, wanted));
}

}  // namespace
}  // namespace kinora::runner

#include "kinora/run_outputs.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace kinora::cli {
namespace {

namespace json = base::json;

const json::object kOutputs = json::parse(R"({
  "video": {"artifact": "art_1", "filename": "upscaled.mp4", "url": "http://gw/1"},
  "pictures": [{"artifact": "art_2", "filename": "image.jpg", "url": "http://gw/2"}, {"artifact": "art_3", "filename": "image.jpg", "url": "http://gw/3"}],
  "ladder": {"artifact": "art_4", "filename": "master.m3u8", "files": 9, "url": "http://gw/4"},
  "probed": {"duration_s": 2.5}, "nothing": null})")
                                  .as_object();
const std::vector<std::string> kNames{"video", "pictures", "ladder", "probed", "nothing"};

TEST(RunOutputs, a_path_alone_is_for_the_only_output) {
  EXPECT_EQ(read_output_wishes({"clip.mp4"}, {"video"})->at(0).name, "video");
  EXPECT_EQ(read_output_wishes({"clip.mp4"}, {"video"})->at(0).path, "clip.mp4");
  const auto several = read_output_wishes({"clip.mp4"}, kNames);
  ASSERT_FALSE(several);
  EXPECT_NE(several.error().message.find("video, pictures"), std::string::npos);
  EXPECT_FALSE(read_output_wishes({"clip.mp4"}, {}));
}
TEST(RunOutputs, a_name_picks_one_and_a_folder_takes_all) {
  const auto wishes = read_output_wishes({"video=a=b.mp4", "pictures=frames/"}, kNames);
  ASSERT_TRUE(wishes);
  EXPECT_EQ(wishes->at(0).path, "a=b.mp4");
  EXPECT_EQ(wishes->at(1).name, "pictures");
  EXPECT_EQ(read_output_wishes({"all/"}, kNames)->size(), kNames.size());
}
TEST(RunOutputs, an_unknown_name_is_refused_with_the_one_that_was_meant) {
  const auto wishes = read_output_wishes({"vidoe=a.mp4"}, kNames);
  ASSERT_FALSE(wishes);
  EXPECT_NE(wishes.error().message.find("did you mean \"video\"?"), std::string::npos);
}
TEST(RunOutputs, in_a_folder_a_file_bears_the_outputs_name) {
  const auto video = plan_output(kOutputs, {"video", "all/"});
  ASSERT_TRUE(video);
  EXPECT_EQ(video->path, "all/video.mp4");
  auto ladder = plan_output(kOutputs, {"ladder", "all/"});
  ladder->items[0].names = {"master.m3u8"};
  EXPECT_EQ(plan_downloads(ladder->items, ladder->path)->at(0).file, "all/ladder/master.m3u8");
  EXPECT_EQ(plan_output(kOutputs, {"video", "x.mp4"})->path, "x.mp4");
}
TEST(RunOutputs, files_of_one_list_do_not_overwrite_each_other) {
  const auto pictures = plan_output(kOutputs, {"pictures", "all/"});
  ASSERT_TRUE(pictures);
  const auto downloads = plan_downloads(pictures->items, pictures->path);
  ASSERT_TRUE(downloads);
  EXPECT_EQ(downloads->at(0).file, "all/pictures/pictures-1.jpg");
  EXPECT_EQ(downloads->at(1).file, "all/pictures/pictures-2.jpg");
}
TEST(RunOutputs, what_is_no_file_is_written_as_json) {
  const auto probed = plan_output(kOutputs, {"probed", "p.json"});
  ASSERT_TRUE(probed);
  EXPECT_TRUE(probed->items.empty());
  EXPECT_EQ(json::parse(probed->text), kOutputs.at("probed"));
  EXPECT_EQ(plan_output(kOutputs, {"probed", "all/"})->path, "all/probed.json");
}
TEST(RunOutputs, an_output_without_a_value_is_an_error_that_names_it) {
  EXPECT_NE(plan_output(kOutputs, {"nothing", "x"}).error().message.find("\"nothing\""), std::string::npos);
  EXPECT_FALSE(plan_output(kOutputs, {"absent", "x"}));
}

}  // namespace
}  // namespace kinora::cli

#include "kinora_train/video/trial.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "kinora_train/error.hpp"
#include "kinora_train/test_pictures.hpp"
#include "media/probe.hpp"

namespace kinora::train {
namespace {

const Combination kAsked{Shape::ball, Colour::red, Direction::left, Background::sky};

Trial trial(std::uint64_t seed, const Seen& seen) { return {.asked = kAsked, .caption = "x", .seed = seed, .seen = seen}; }

TEST(Trial, scores_count_what_is_right_by_seed_and_together) {
  const std::vector<Trial> trials{trial(1, {Shape::ball, Colour::red, Direction::left, Background::sky}),
                                  trial(1, {Shape::star, Colour::red, Direction::left, Background::sky}),
                                  trial(2, {Shape::ball, std::nullopt, Direction::left, Background::sky}), trial(2, {})};
  const Score first = score(trials, 1), all = score(trials);
  EXPECT_EQ((std::array{first.clips, first.shape, first.colour, first.direction, first.background, first.all}),
            (std::array{2, 1, 2, 2, 2, 1}));
  EXPECT_EQ((std::array{all.clips, all.shape, all.colour, all.direction, all.background, all.all}), (std::array{4, 2, 2, 3, 3, 1}));
  EXPECT_THAT(table(trials), ::testing::HasSubstr("| all | 4 | 50 % | 50 % | 75 % | 75 % | 25 % |"));
}

TEST(Trial, a_video_file_is_read_as_it_was_shown) {
  const TestFolder folder;
  Random random(1);
  const Clip clip = render(draw_scene({Shape::triangle, Colour::green, Direction::down, Background::snow}, random));
  {
    std::ofstream raw(folder / "clip.rgb", std::ios::binary);
    raw.write(reinterpret_cast<const char*>(clip.pixels.data()), static_cast<std::streamsize>(clip.pixels.size()));
  }
  ASSERT_TRUE(ffmpeg("-f rawvideo -pix_fmt rgb24 -s 128x128 -r 16 -i " + (folder / "clip.rgb").string() +
                     " -c:v libx264 -crf 18 -pix_fmt yuv420p " + (folder / "clip.mp4").string()));
  const Clip back = read_clip_file(folder / "clip.mp4");
  EXPECT_EQ(back.frames, 17);
  EXPECT_EQ(describe(look_at(back)), "green triangle, down, snow");
  EXPECT_THROW(read_clip_file(folder / "none.mp4"), Failure);
}

TEST(Trial, a_contact_sheet_has_five_frames_of_each_clip) {
  const TestFolder folder;
  Random random(1);
  const Clip clip = render(draw_scene(kAsked, random));
  write_contact_sheet(folder / "sheet.png", {clip, clip});
  const auto info = media::probe((folder / "sheet.png").string());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->video()->width, 5 * 128 + 4 * 4);
  EXPECT_EQ(info->video()->height, 2 * 128 + 4);
  EXPECT_THROW(write_contact_sheet(folder / "none.png", {}), Failure);
}

}  // namespace
}  // namespace kinora::train

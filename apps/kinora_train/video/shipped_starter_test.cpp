// The weights that the repository ships do what their card says.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "kinora_train/video/trial.hpp"

namespace kinora::train {
namespace {

const std::filesystem::path kModel = std::filesystem::path(KINORA_SOURCE_DIR) / "weights/kinora-t2v";

TEST(ShippedStarter, is_small_and_licensed_and_knows_its_size) {
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kModel))
    if (file.is_regular_file()) bytes += file.file_size();
  EXPECT_LT(bytes, 8'000'000U);
  EXPECT_TRUE(std::filesystem::exists(kModel / "README.md"));
  const auto info = models::describe_pipeline(kModel);
  EXPECT_EQ(info.width, kClipSide);
  EXPECT_EQ(info.height, kClipSide);
  EXPECT_EQ(info.frames, kClipFrames);
  EXPECT_EQ(info.fps, kClipFps);
}

// The long table is in docs/starter-text-to-video.md; here are few clips, so that the test is quick.
TEST(ShippedStarter, shows_what_held_out_captions_ask_for) {
  at::set_num_threads(2);
  const auto pipeline = models::load_pipeline(kModel);
  const auto trials = try_model(*pipeline, {.combinations = 8, .seeds = {5}}, [](const std::string&) {});
  const Score result = score(trials);
  EXPECT_EQ(result.clips, 8);
  EXPECT_GE(result.colour, 7);
  EXPECT_GE(result.direction, 7);
  EXPECT_GE(result.background, 7);
  EXPECT_GE(result.shape, 6);
  EXPECT_GE(result.all, 6);
}

}  // namespace
}  // namespace kinora::train

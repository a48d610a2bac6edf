#include "runner/model_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

using ::testing::HasSubstr;

TEST(ActivationBytes, are_half_of_a_gpus_free_memory_and_a_bounded_part_of_the_hosts) {
  constexpr std::uint64_t kMiB = 1 << 20;
  EXPECT_EQ(activation_bytes("cuda:0", 20480 * kMiB), 10240 * kMiB);
  EXPECT_EQ(activation_bytes("cuda:0", 100 * kMiB), 256 * kMiB);
  EXPECT_EQ(activation_bytes("cpu", 65536 * kMiB), 1024 * kMiB);
  EXPECT_EQ(activation_bytes("cpu", 2048 * kMiB), 512 * kMiB);
  EXPECT_EQ(activation_bytes("cpu", 0), 256 * kMiB);
}

TEST(ModelStore, gives_video_models_the_second_device_for_guidance) {
  const testing::Scratch scratch;
  std::filesystem::create_symlink(std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/pipe_wan21_t2v/model", scratch.path() / "wan");
  RunnerSettings settings;
  settings.models_dirs = {scratch.path()};
  settings.guidance_device = "cpu";
  ModelStore store(settings);
  const auto model = store.choose("wan", "text-to-video", 0);
  ASSERT_TRUE(model);
  auto& pipeline = store.pipeline(*model);
  EXPECT_THAT(pipeline.description(), HasSubstr("without the prompt on cpu"));
  EXPECT_EQ(std::ranges::count(pipeline.components(), "transformer", &models::ComponentState::name), 2);
}

// Of the starters 2x and 4x.
TEST(ModelStore, chooses_the_wanted_scale_else_the_next_above_else_the_largest) {
  RunnerSettings settings;
  settings.models_dirs = {std::filesystem::path(KINORA_SOURCE_DIR) / "weights"};
  const ModelStore store(settings);
  const auto scale_for = [&](int wanted) { return store.choose(std::nullopt, "video-upscale", wanted)->scale; };
  EXPECT_EQ(scale_for(0), 2);  // the first
  EXPECT_EQ(scale_for(1), 2);
  EXPECT_EQ(scale_for(2), 2);
  EXPECT_EQ(scale_for(3), 4);
  EXPECT_EQ(scale_for(4), 4);
  EXPECT_EQ(scale_for(8), 4);
  EXPECT_EQ(store.choose("kinora-sr2x", "video-upscale", 4)->scale, 2);
}

}  // namespace
}  // namespace kinora::runner

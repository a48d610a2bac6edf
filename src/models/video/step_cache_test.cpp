#include "models/video/step_cache.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace kinora::models::video {
namespace {

// A first block that adds `by` to every token, later ones that double what they get and count how often they run.
struct Blocks {
  int ran = 0;
  double pass(StepCache& cache, double tokens, double by) {
    const auto x = at::ones({1, 3, 2}).mul(tokens);
    const auto block = [&](std::size_t i, const at::Tensor& t) {
      if (i == 1) ++ran;
      return i == 0 ? t.add(by) : i == 1 ? t.mul(2) : t.add(0);
    };
    return through_blocks(x, 3, &cache, block)[0][0][0].item<double>();
  }
};

TEST(StepCache, a_change_within_the_threshold_takes_what_the_later_blocks_added) {
  StepCache cache(0.1);
  Blocks blocks;
  EXPECT_DOUBLE_EQ(blocks.pass(cache, 0, 4), 8);        // first block: +4, later ones: +4
  EXPECT_DOUBLE_EQ(blocks.pass(cache, 1, 4.25), 9.25);  // 0.25 of 4 is 6 %: 1 + 4.25 + 4
  EXPECT_EQ(blocks.ran, 1);
  EXPECT_DOUBLE_EQ(blocks.pass(cache, 1, 4.5), 11);  // 12.5 %
  EXPECT_EQ(blocks.ran, 2);
  EXPECT_EQ(cache.passes(), 3);
  EXPECT_EQ(cache.shortened(), 1);
}

TEST(StepCache, drift_is_measured_from_the_last_whole_pass) {
  StepCache cache(0.1);
  Blocks blocks;
  blocks.pass(cache, 0, 4);
  blocks.pass(cache, 0, 4.25);
  blocks.pass(cache, 0, 4.5);  // 6 % after 4.25, 12.5 % after 4
  EXPECT_EQ(blocks.ran, 2);
}

TEST(StepCache, forgotten_changes_are_not_used) {
  StepCache cache(0.1);
  Blocks blocks;
  blocks.pass(cache, 0, 4);
  cache.forget();
  blocks.pass(cache, 0, 4);
  EXPECT_EQ(blocks.ran, 2);
}

TEST(StepCache, a_first_block_that_did_nothing_stands_for_nothing) {
  StepCache cache(1);
  Blocks blocks;
  blocks.pass(cache, 1, 0);
  EXPECT_DOUBLE_EQ(blocks.pass(cache, 1, 3), 8);
  EXPECT_EQ(blocks.ran, 2);
}

}  // namespace
}  // namespace kinora::models::video

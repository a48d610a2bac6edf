#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace kinora::base {
namespace {

const std::vector<std::string> kWords{"scale", "denoise", "tile"};

TEST(Nearest, finds_the_word_that_was_meant) {
  EXPECT_EQ(nearest("scael", kWords), "scale");
  EXPECT_EQ(nearest("denoies", kWords), "denoise");
}
TEST(Nearest, says_nothing_when_nothing_is_near) {
  EXPECT_EQ(nearest("frame_rate", kWords), std::nullopt);
  EXPECT_EQ(nearest(std::string(100, 'x'), kWords), std::nullopt);
}

}  // namespace
}  // namespace kinora::base

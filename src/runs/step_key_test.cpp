#include "runs/step_key.hpp"

#include <gtest/gtest.h>

namespace kinora::runs {
namespace {

TEST(StepKey, is_that_of_the_known_answer) {
  // developer-api 5.5.6
  const json::object parts{{"adapters", json::array()},
                           {"input", {{"scale", 2}, {"video", {{"$sha256", std::string(64, 'b')}}}}},
                           {"model", "sha256:" + std::string(64, 'a')},
                           {"seed", 7},
                           {"task", "video-upscale"}};
  EXPECT_EQ(step_key(parts), "c1fab049fb6411affcbeadbed51e62fc0c768c71f20fdd723b8f4f0458809b30");
}

TEST(StepKey, goes_by_content_and_keeps_everything_else) {
  const auto content = [](std::string_view id) {
    return id == "art_1" ? std::string("aa") : id == "art_2" ? std::string("aa") : std::string();
  };
  const auto key = [&](const char* task, const char* input) {
    return key_parts(*tasks::find_task(task), json::parse(input).as_object(), content);
  };
  const auto one = key("thumbnail", R"({"video":{"artifact":"art_1"},"width":64})");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, *key("thumbnail", R"({"width":64,"video":{"artifact":"art_2"}})"));
  EXPECT_NE(step_key(*one), step_key(*key("thumbnail", R"({"video":{"artifact":"art_1"},"width":65})")));
  EXPECT_FALSE(key("thumbnail", R"({"video":{"artifact":"art_9"}})"));      // gone
  EXPECT_FALSE(key("thumbnail", R"({"video":{"upload":"upl_1"}})"));        // not there yet
  EXPECT_FALSE(key("video-upscale", R"({"video":{"artifact":"art_1"}})"));  // depends on weights
  EXPECT_FALSE(key("ping", "{}"));
}

}  // namespace
}  // namespace kinora::runs

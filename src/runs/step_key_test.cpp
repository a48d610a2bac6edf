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
    return key_parts(*tasks::find_task(task), json::parse(input).as_object(), std::nullopt, content);
  };
  const auto one = key("thumbnail", R"({"video":{"artifact":"art_1"},"width":64})");
  ASSERT_TRUE(one);
  EXPECT_EQ(*one, *key("thumbnail", R"({"width":64,"video":{"artifact":"art_2"}})"));
  EXPECT_NE(step_key(*one), step_key(*key("thumbnail", R"({"video":{"artifact":"art_1"},"width":65})")));
  EXPECT_FALSE(key("thumbnail", R"({"video":{"artifact":"art_9"}})"));      // gone
  EXPECT_FALSE(key("thumbnail", R"({"video":{"upload":"upl_1"}})"));        // not there yet
  EXPECT_FALSE(key("video-upscale", R"({"video":{"artifact":"art_1"}})"));  // weights not known
  EXPECT_FALSE(key("ping", "{}"));
}

// The known answer of developer-api 5.5.6, from the input of a job: a video-upscale that took a seed would have that key.
TEST(StepKey, of_a_model_names_the_digest_of_its_weights_and_the_seed_beside_the_input) {
  const auto content = [](std::string_view) { return std::string(64, 'b'); };
  const std::string weights = "sha256:" + std::string(64, 'a');
  auto parts = key_parts(*tasks::find_task("video-upscale"), json::parse(R"({"video":{"artifact":"art_1"},"scale":2})").as_object(),
                         weights, content);
  ASSERT_TRUE(parts);
  (*parts)["seed"] = 7;
  EXPECT_EQ(step_key(*parts), "c1fab049fb6411affcbeadbed51e62fc0c768c71f20fdd723b8f4f0458809b30");
  const auto made = [&](const char* input, const std::optional<std::string>& digest) {
    return key_parts(*tasks::find_task("text-to-video"), json::parse(input).as_object(), digest, content);
  };
  const auto fox = made(R"({"prompt":"a fox","seed":7})", weights);
  ASSERT_TRUE(fox);
  EXPECT_EQ(base::canonical_json(*fox),
            base::canonical_json(
                json::parse(R"({"task":"text-to-video","adapters":[],"input":{"prompt":"a fox"},"seed":7,"model":")" + weights + R"("})")));
  EXPECT_NE(step_key(*fox), step_key(*made(R"({"prompt":"a fox","seed":8})", weights)));
  EXPECT_NE(step_key(*fox), step_key(*made(R"({"prompt":"a fox","seed":7})", "sha256:" + std::string(64, 'c'))));
  EXPECT_EQ(step_key(*fox), step_key(*made(R"({"prompt":"a fox","seed":7,"adapters":[]})", weights)));
  EXPECT_FALSE(made(R"({"prompt":"a fox","seed":7})", std::nullopt));                              // weights not known
  EXPECT_FALSE(made(R"({"prompt":"a fox"})", weights));                                            // drawn anew each time
  EXPECT_FALSE(made(R"({"prompt":"a fox","seed":7,"adapters":[{"adapter":"style"}]})", weights));  // of unknown content
}

}  // namespace
}  // namespace kinora::runs

#include "runner/ai_models.hpp"

#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

std::string answer(std::string_view text) {
  const auto adapters = read_ai_loras(text);
  return adapters ? base::json::serialize(*adapters) : adapters.error().message;
}

// The words and the limit are the reference's (ai-runner 0.14.1).
TEST(AiLoras, become_adapters_in_the_order_of_the_text) {
  EXPECT_EQ(answer(R"({"o/style": 0.5, "o/lcm": 1})"), R"([{"adapter":"o/style","scale":5E-1},{"adapter":"o/lcm","scale":1E0}])");
  for (const char* none : {"", "{}", "null"}) EXPECT_EQ(answer(none), "[]");
}

TEST(AiLoras, are_refused_in_the_words_of_the_reference) {
  EXPECT_EQ(answer("{broken"), "Unable to parse '{broken' as JSON");
  EXPECT_EQ(answer("[1]"), "Unable to parse '[1]' as JSON");
  for (const char* text : {R"({"a": -0.1})", R"({"a": "1"})", R"({"a": true})", R"({"a": null})"})
    EXPECT_EQ(answer(text), "All strengths must be numbers greater than or equal to 0.0") << text;
  EXPECT_EQ(answer(R"({"a":1,"b":1,"c":1,"d":1,"e":1})"), "Too many LoRas provided. Maximum is 4");
  EXPECT_EQ(read_ai_loras(R"({"a":1,"b":1,"c":1,"d":1})")->size(), kMaxAiLoras);
}

TEST(SdxlLightning, is_told_by_its_id) {
  EXPECT_EQ(lightning_steps("ByteDance/SDXL-Lightning"), 8);
  EXPECT_EQ(lightning_steps("ByteDance/SDXL-Lightning-2step"), 2);
  EXPECT_EQ(lightning_steps("ByteDance/SDXL-Lightning-3step"), std::nullopt);
  EXPECT_EQ(lightning_steps("SG161222/RealVisXL_V4.0_Lightning"), std::nullopt);
  EXPECT_EQ(lightning_model(4), "ByteDance/SDXL-Lightning/sdxl_lightning_4step_unet");
}

}  // namespace
}  // namespace kinora::runner

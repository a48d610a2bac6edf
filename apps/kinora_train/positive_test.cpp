#include "kinora_train/positive.hpp"

#include <gtest/gtest.h>

namespace kinora::train {
namespace {

TEST(Positive, takes_finite_numbers_above_zero_only) {
  double value = 0;
  CLI::App app;
  app.add_option("--minutes", value)->check(positive());
  for (const char* text : {"1", "0.5", "1e-3"}) EXPECT_NO_THROW(app.parse(std::string("--minutes ") + text)) << text;
  for (const char* text : {"0", "-1", "nan", "inf", "-inf", "much"}) {
    try {
      app.parse(std::string("--minutes=") + text);
      FAIL() << text;
    } catch (const CLI::ValidationError& error) {
      EXPECT_NE(std::string(error.what()).find(std::string("must be a number above 0, not ") + text), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace kinora::train

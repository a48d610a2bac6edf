#include "kinora/progress_line.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace kinora::cli {
namespace {

TEST(ProgressText, shows_bar_percent_rate_and_time_left) {
  EXPECT_EQ(progress_text({.fraction = 0.5, .stage = "run", .fps = 12.34, .eta_s = 75}, 80),
            "run [====================                    ]  50% 12.3 fps 1:15 left");
}
TEST(ProgressText, says_nothing_of_what_is_unknown) {
  EXPECT_EQ(progress_text({.fraction = 0, .stage = "", .fps = 0, .eta_s = -1}, 20), "[            ]   0%");
}
TEST(ProgressText, shows_hours_when_there_are_any) {
  EXPECT_NE(progress_text({.fraction = 0.1, .stage = "", .fps = 0, .eta_s = 3725}, 80).find("1:02:05 left"), std::string::npos);
}
TEST(ProgressText, is_never_wider_than_the_terminal) {
  for (int columns = 1; columns < 100; ++columns)
    EXPECT_LE(progress_text({.fraction = 0.3, .stage = "download", .fps = 100, .eta_s = 100}, columns).size(),
              static_cast<std::size_t>(columns));
}
TEST(ProgressLine, tells_of_a_failure_even_when_quiet) {
  std::FILE* out = std::tmpfile();
  ProgressLine line(out, "work", /*quiet=*/true);
  line.show({.fraction = 0.5, .stage = "run"});
  line.finish("done");
  EXPECT_EQ(std::ftell(out), 0);
  line.finish("failed", /*failed=*/true);
  EXPECT_EQ(std::ftell(out), 7);  // "failed" and the end of the line
  std::fclose(out);
}
TEST(ProgressText, stands_numbers_that_make_no_sense) {
  EXPECT_NE(progress_text({.fraction = std::numeric_limits<double>::quiet_NaN(), .stage = "", .fps = 0, .eta_s = -1}, 80).find("  0%"),
            std::string::npos);
  EXPECT_NE(progress_text({.fraction = 7, .stage = "", .fps = 0, .eta_s = -1}, 80).find("100%"), std::string::npos);
}

}  // namespace
}  // namespace kinora::cli

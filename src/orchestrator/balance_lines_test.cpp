#include "orchestrator/balance_lines.hpp"

#include <gtest/gtest.h>

namespace kinora::orchestrator {
namespace {

TEST(BalanceLines, put_the_balance_before_the_end) {
  BalanceLines lines("7999996970.000");
  // The worker's stream behind tests/golden/wire/byoc-onchain/08-response.bin; the reference writes one more empty line.
  EXPECT_EQ(*lines.feed("data: {\"n\":0}\n\ndata: {\"n\":1}\n\ndata: [DONE]\n\n"),
            "data: {\"n\":0}\n\ndata: {\"n\":1}\n\ndata: {\"balance\": 7999996970.000}\n\ndata: [DONE]\n\n");
  EXPECT_TRUE(lines.done());
}

TEST(BalanceLines, wait_for_whole_lines) {
  BalanceLines lines;
  EXPECT_EQ(*lines.feed("data: [DO"), "");
  EXPECT_EQ(*lines.feed("NE]\n"), "data: {\"balance\": 0.000}\n\ndata: [DONE]\n");
}

TEST(BalanceLines, say_it_once) {
  BalanceLines lines;
  EXPECT_EQ(*lines.feed("data: [DONE]\ndata: [DONE]\n"), "data: {\"balance\": 0.000}\n\ndata: [DONE]\ndata: [DONE]\n");
}

TEST(BalanceLines, give_out_an_unfinished_last_line) {
  BalanceLines lines;
  EXPECT_EQ(*lines.feed("data: x"), "");
  EXPECT_EQ(lines.finish(), "data: x");
  EXPECT_EQ(lines.finish(), "");
  EXPECT_FALSE(lines.done());
}

TEST(BalanceLines, keep_the_last_result) {
  BalanceLines lines;
  ASSERT_TRUE(lines.feed("data: {\"type\":\"progress\"}\n\ndata: {\"type\":\"result\",\"metrics\":{}}\n\n"));
  EXPECT_EQ(lines.outcome_line(), " {\"type\":\"result\",\"metrics\":{}}\n");
}

TEST(BalanceLines, refuse_an_endless_line) {
  BalanceLines lines;
  EXPECT_TRUE(lines.feed(std::string(kMaxEventLineBytes, 'x')));
  EXPECT_EQ(lines.feed("x").error().code, base::ErrorCode::too_large);
}

}  // namespace
}  // namespace kinora::orchestrator

#include "jobs/retry.hpp"

#include <gtest/gtest.h>

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;

TEST(Retry, grows_the_back_off_up_to_its_limit) {
  const RetryPolicy policy;  // 1 s, doubled, 60 s
  EXPECT_EQ(back_off(1, policy), 1s);
  EXPECT_EQ(back_off(2, policy), 2s);
  EXPECT_EQ(back_off(6, policy), 32s);
  EXPECT_EQ(back_off(7, policy), 60s);
  EXPECT_EQ(back_off(1'000'000, policy), 60s);
}

TEST(Retry, tries_again_by_fault) {
  const RetryPolicy policy;
  EXPECT_TRUE(decide_retry(tasks::failure("worker_error", ""), 1, policy).again);
  EXPECT_TRUE(decide_retry(tasks::failure("worker_lost", ""), 2, policy).again);
  EXPECT_TRUE(decide_retry(tasks::failure("verification_failed", ""), 1, policy).again);
  EXPECT_FALSE(decide_retry(tasks::failure("worker_lost", ""), 3, policy).again);
  EXPECT_FALSE(decide_retry(tasks::failure("input_invalid", ""), 1, policy).again);
  EXPECT_FALSE(decide_retry(tasks::failure("content_blocked", ""), 1, policy).again);
}

TEST(Retry, never_repeats_a_client_fault_that_calls_itself_retryable) {
  tasks::TaskFailure failure = tasks::failure("input_invalid", "");
  failure.retryable = true;
  EXPECT_FALSE(decide_retry(failure, 1, {}).again);
}

TEST(Retry, keeps_to_the_faults_that_the_client_named) {
  RetryPolicy policy;
  policy.on = {"network"};
  EXPECT_FALSE(decide_retry(tasks::failure("worker_error", ""), 1, policy).again);
  EXPECT_TRUE(decide_retry(tasks::failure("worker_lost", ""), 1, policy).again);
  policy.max_attempts = 1;
  EXPECT_FALSE(decide_retry(tasks::failure("worker_lost", ""), 1, policy).again);
}

TEST(Redact, hides_paths_urls_and_long_words_of_a_worker) {
  EXPECT_EQ(redact("cannot open /var/lib/kinora/a.mp4 now"), "cannot open [path] now");
  EXPECT_EQ(redact("open '/home/joe/x'"), "open '[path]");
  EXPECT_EQ(redact("GET http://10.0.0.1:8080/x?token=abc failed"), "GET http://10.0.0.1:8080/... failed");
  EXPECT_EQ(redact("s3://key:secret@host/bucket"), "[url]");
  EXPECT_EQ(redact(std::string(81, 'k') + " is bad"), "[...] is bad");
  EXPECT_EQ(redact("30000/1001 fps, no video stream"), "30000/1001 fps, no video stream");
  EXPECT_EQ(redact(""), "");
}

}  // namespace
}  // namespace kinora::jobs

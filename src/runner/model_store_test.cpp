#include "runner/model_store.hpp"

#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

TEST(ActivationBytes, are_half_of_a_gpus_free_memory_and_a_bounded_part_of_the_hosts) {
  constexpr std::uint64_t kMiB = 1 << 20;
  EXPECT_EQ(activation_bytes("cuda:0", 20480 * kMiB), 10240 * kMiB);
  EXPECT_EQ(activation_bytes("cuda:0", 100 * kMiB), 256 * kMiB);
  EXPECT_EQ(activation_bytes("cpu", 65536 * kMiB), 1024 * kMiB);
  EXPECT_EQ(activation_bytes("cpu", 2048 * kMiB), 512 * kMiB);
  EXPECT_EQ(activation_bytes("cpu", 0), 256 * kMiB);
}

}  // namespace
}  // namespace kinora::runner

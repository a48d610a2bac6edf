#include "models/diffusion/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::models::diffusion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kGib = 1ULL << 30;
const std::vector<ComponentState> kParts{
    {.name = "text_encoder", .bytes = 11 * kGib, .most = 11 * kGib, .device = "cuda:0", .on_device = false},
    {.name = "transformer", .bytes = 3 * kGib, .most = 3 * kGib, .device = "cuda:0", .on_device = true}};

TEST(RequireMemory, whole_models_need_all_their_weights_and_the_run) {
  EXPECT_NO_THROW(require_memory(12 * kGib, "cuda:0", kParts, Residency::whole, kGib));  // 11 + 3 + 1 of 12 + 3
  EXPECT_THAT(
      [] { require_memory(12 * kGib - 1, "cuda:0", kParts, Residency::whole, kGib); },
      ThrowsMessage<OutOfMemory>(AllOf(HasSubstr("15.00 GiB on cuda:0"), HasSubstr("weights 14.00 GiB"), HasSubstr("the run 1.00 GiB"),
                                       HasSubstr("15.00 GiB are there"), HasSubstr("fewer frames"))));
}

TEST(RequireMemory, one_by_one_only_the_largest_part_counts) {
  EXPECT_NO_THROW(require_memory(9 * kGib, "cuda:0", kParts, Residency::one_by_one, kGib));  // 11 + 1 of 9 + 3
  EXPECT_THROW(require_memory(8 * kGib, "cuda:0", kParts, Residency::one_by_one, kGib), OutOfMemory);
}

TEST(RequireMemory, what_lies_on_another_device_does_not_count) {
  auto parts = kParts;
  parts.push_back({.name = "transformer", .bytes = 3 * kGib, .most = 3 * kGib, .device = "cuda:1", .on_device = true});
  EXPECT_NO_THROW(require_memory(12 * kGib, "cuda:0", parts, Residency::whole, kGib));
  EXPECT_THROW(require_memory(12 * kGib - 1, "cuda:0", parts, Residency::whole, kGib), OutOfMemory);
  EXPECT_NO_THROW(require_memory(kGib, "cuda:1", parts, Residency::whole, kGib));
  EXPECT_THROW(require_memory(kGib, "cuda:1", parts, Residency::whole, kGib + 1), OutOfMemory);
}

TEST(RequireMemory, this_machine_is_asked) {
  EXPECT_NO_THROW(require_memory("cpu", {}, Residency::whole, 1));
  EXPECT_THROW(require_memory("cpu", {}, Residency::whole, 1ULL << 60), OutOfMemory);
}

TEST(RequireMemory, of_what_comes_block_by_block_only_what_is_there_at_a_time_counts) {
  const std::vector<ComponentState> parts{
      {.name = "text_encoder", .bytes = 6 * kGib, .most = 6 * kGib, .device = "cuda:0", .on_device = false},
      {.name = "transformer", .bytes = 28 * kGib, .most = 2 * kGib, .device = "cuda:0", .on_device = false}};
  EXPECT_NO_THROW(require_memory(8 * kGib, "cuda:0", parts, Residency::block_by_block, 2 * kGib));  // 6 + 2
  EXPECT_THAT([&] { require_memory(8 * kGib - 1, "cuda:0", parts, Residency::block_by_block, 2 * kGib); },
              ThrowsMessage<OutOfMemory>(AllOf(HasSubstr("weights 6.00 GiB"), HasSubstr("the run 2.00 GiB"))));
  auto on_cpu = parts;
  for (auto& part : on_cpu) part.device = "cpu";
  EXPECT_THROW(require_memory(9 * kGib, "cpu", on_cpu, Residency::block_by_block, 2 * kGib), OutOfMemory);  // 6 + 2 + 2
}

}  // namespace
}  // namespace kinora::models::diffusion

#include "models/diffusion/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::models::diffusion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kGib = 1ULL << 30;
const std::vector<ComponentState> kParts{{.name = "text_encoder", .bytes = 11 * kGib, .on_device = false},
                                         {.name = "transformer", .bytes = 3 * kGib, .on_device = true}};

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

TEST(RequireMemory, this_machine_is_asked) {
  EXPECT_NO_THROW(require_memory("cpu", {}, Residency::whole, 1));
  EXPECT_THROW(require_memory("cpu", {}, Residency::whole, 1ULL << 60), OutOfMemory);
}

}  // namespace
}  // namespace kinora::models::diffusion

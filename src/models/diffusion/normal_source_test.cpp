#include "models/diffusion/normal_source.hpp"

#include <gtest/gtest.h>

#include <set>

#include "models/golden/golden_case.hpp"

namespace kinora::models::diffusion {
namespace {

void run(const golden::Case& test) {
  int s = 0;
  for (const auto& described : test.json().at("sources")) {
    NormalSource source(described.at("seeds").get<std::vector<std::uint64_t>>());
    int d = 0;
    for (const auto& draw : described.at("draws")) {
      const auto name = draw.at("dtype").get<std::string>();
      const auto dtype = name == "float16" ? at::kHalf : name == "bfloat16" ? at::kBFloat16 : at::kFloat;
      const auto ours = source.draw(draw.at("shape").get<std::vector<std::int64_t>>(), dtype);
      EXPECT_EQ(ours.scalar_type(), dtype);
      test.expect_close(std::to_string(s) + "." + std::to_string(d++), ours);
    }
    ++s;
  }
}
const golden::Register registered{"torch.randn", run};

TEST(NormalSource, seeds_that_no_one_chose_differ) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 8; ++i) seeds.insert(random_seed());
  EXPECT_GT(seeds.size(), 1U);
  EXPECT_LT(*seeds.rbegin(), 1ULL << 32);
}

}  // namespace
}  // namespace kinora::models::diffusion

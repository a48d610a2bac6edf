// Residency with models that count their bytes and can run out of memory as LibTorch does: by c10::OutOfMemoryError.
#include "runner/residency.hpp"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace kinora::runner {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

[[noreturn]] void out_of_memory() { C10_THROW_ERROR(OutOfMemoryError, "CUDA out of memory. Tried to allocate 2.00 GiB"); }

class Residencies : public ::testing::Test {
 protected:
  // A device of `real` bytes, whatever the budget says.
  struct Device {
    std::uint64_t real = ~0ULL, used = 0;
    int loads = 0, returns = 0;
    void take(std::uint64_t bytes) {
      if (used + bytes > real) out_of_memory();
      used += bytes;
    }
  };
  class Model final : public Resident {
   public:
    Model(Device& device, std::uint64_t bytes, models::Residency residency) : device_(device), bytes_(bytes), residency_(residency) {
      place();
      ++device_.loads;
    }
    ~Model() override { device_.used -= held_; }
    std::string description() const override {
      return residency_ == models::Residency::whole        ? "whole"
             : residency_ == models::Residency::one_by_one ? "piece by piece"
                                                           : "block by block";
    }
    std::uint64_t bytes() const override { return bytes_; }
    std::uint64_t device_bytes() const override { return held_; }
    void to_host() override {
      device_.used -= held_;
      held_ = 0;
    }
    void to_device() override {
      place();
      ++device_.returns;
    }

   private:
    void place() {
      if (residency_ != models::Residency::whole) return;
      device_.take(bytes_);
      held_ = bytes_;
    }
    Device& device_;
    std::uint64_t bytes_, held_ = 0;
    models::Residency residency_;
  };

  Resident& use(Residency& residency, const std::string& id, std::uint64_t bytes, std::uint64_t largest_part = 0, std::uint64_t least = 0) {
    return residency.use({.id = id, .bytes = bytes, .largest_part = largest_part == 0 ? bytes : largest_part, .least = least},
                         [this, bytes](models::Residency how) { return std::make_unique<Model>(device_, bytes, how); });
  }
  static std::vector<std::string> on_device(const Residency& residency) {
    std::vector<std::string> ids;
    for (const auto& row : residency.rows())
      if (row.on_device) ids.push_back(row.id);
    return ids;
  }
  Device device_;
};

TEST_F(Residencies, models_that_fit_together_stay_together_and_load_once) {
  Residency residency({.device_bytes = 100});
  use(residency, "a", 40);
  use(residency, "b", 60);
  use(residency, "a", 40);
  EXPECT_THAT(on_device(residency), ElementsAre("a", "b"));
  EXPECT_EQ(device_.loads, 2);
}

TEST_F(Residencies, a_model_whose_files_have_changed_is_loaded_again) {
  Residency residency({.device_bytes = 100});
  const auto use_version = [&](std::uint64_t version) {
    residency.use({.id = "a", .bytes = 60, .largest_part = 60, .least = 0, .version = version},
                  [&](models::Residency how) { return std::make_unique<Model>(device_, 60, how); });
  };
  use_version(1);
  use_version(1);
  EXPECT_EQ(device_.loads, 1);
  use_version(2);
  EXPECT_EQ(device_.loads, 2);
  EXPECT_EQ(device_.used, 60U);  // the old one is gone
}

TEST_F(Residencies, the_least_recently_used_goes_first) {
  Residency residency({.device_bytes = 100});
  use(residency, "a", 40);
  use(residency, "b", 40);
  use(residency, "a", 40);
  use(residency, "c", 30);
  EXPECT_THAT(on_device(residency), ElementsAre("c", "a"));
  EXPECT_EQ(device_.used, 70U);
}

TEST_F(Residencies, what_a_task_holds_stays_for_its_second_model) {
  Residency residency({.device_bytes = 100});
  use(residency, "a", 60);
  {
    const Residency::Hold hold(residency, "a");
    EXPECT_THROW(use(residency, "b", 60), DoesNotFit);
    residency.release_others("b");
    EXPECT_THAT(on_device(residency), ElementsAre("a"));
    use(residency, "c", 40);
  }
  use(residency, "b", 60);
  EXPECT_THAT(on_device(residency), ElementsAre("b", "c"));
}

TEST_F(Residencies, a_model_in_host_memory_comes_back_without_loading) {
  Residency residency({.device_bytes = 100, .host_bytes = 100});
  use(residency, "a", 80);
  use(residency, "b", 90);
  use(residency, "a", 80);
  EXPECT_EQ(device_.loads, 2);
  EXPECT_EQ(device_.returns, 1);
  EXPECT_THAT(on_device(residency), ElementsAre("a"));
}

TEST_F(Residencies, host_memory_has_its_own_bound) {
  Residency residency({.device_bytes = 100, .host_bytes = 100});
  use(residency, "a", 80);
  use(residency, "b", 80);  // a to the host
  use(residency, "c", 80);  // b to the host, a altogether
  EXPECT_EQ(residency.rows().size(), 2U);
  use(residency, "a", 80);
  EXPECT_EQ(device_.loads, 4);
}

TEST_F(Residencies, a_pinned_model_is_not_evicted_for_another) {
  Residency residency({.device_bytes = 100});
  residency.pin("a", true);
  use(residency, "a", 40);
  use(residency, "b", 40);
  use(residency, "c", 60);
  EXPECT_THAT(on_device(residency), ElementsAre("c", "a"));
  residency.pin("a", false);
  use(residency, "d", 100);
  EXPECT_THAT(on_device(residency), ElementsAre("d"));
}

TEST_F(Residencies, what_fits_only_piece_by_piece_runs_with_offload) {
  Residency residency({.device_bytes = 100});
  EXPECT_EQ(use(residency, "large", 250, 90).description(), "piece by piece");
  EXPECT_TRUE(residency.rows().front().one_by_one);
}

TEST_F(Residencies, what_does_not_even_fit_piece_by_piece_runs_block_by_block_or_is_refused_with_its_least) {
  Residency residency({.device_bytes = 100ULL << 20});
  EXPECT_EQ(use(residency, "larger", 400ULL << 20, 200ULL << 20, 90ULL << 20).description(), "block by block");
  EXPECT_TRUE(residency.rows().front().one_by_one);
  EXPECT_THAT([&] { use(residency, "huge", 400ULL << 20, 200ULL << 20, 110ULL << 20); },
              ::testing::ThrowsMessage<DoesNotFit>(HasSubstr("largest part 200 MiB, block by block 110 MiB")));
}

TEST_F(Residencies, what_does_not_fit_is_refused_with_the_numbers_before_anything_is_loaded) {
  Residency residency({.device_bytes = 100ULL << 20});
  residency.pin("a", true);
  use(residency, "a", 40ULL << 20);
  try {
    use(residency, "huge", 300ULL << 20, 80ULL << 20);
    FAIL();
  } catch (const DoesNotFit& refusal) {
    EXPECT_THAT(refusal.what(), AllOf(HasSubstr("huge needs 300 MiB"), HasSubstr("80 MiB"), HasSubstr("100 MiB"), HasSubstr("40 MiB")));
  }
  EXPECT_EQ(device_.loads, 1);
  EXPECT_THAT(on_device(residency), ElementsAre("a"));
}

TEST_F(Residencies, when_memory_is_short_in_spite_of_the_numbers_everything_else_goes_and_it_is_tried_once_more) {
  device_.real = 60;  // the budget is wrong
  int trims = 0;
  Residency residency({.device_bytes = 100}, [&] { ++trims; });
  use(residency, "a", 40);
  use(residency, "b", 50);
  EXPECT_THAT(on_device(residency), ElementsAre("b"));
  EXPECT_GE(trims, 1);
  EXPECT_THROW(use(residency, "c", 70), c10::OutOfMemoryError);  // alone it does not fit either
  EXPECT_EQ(device_.used, 0U);
}

TEST_F(Residencies, a_model_that_cannot_come_back_beside_others_makes_them_go) {
  Residency residency({.device_bytes = 100, .host_bytes = 200});
  use(residency, "a", 60);
  use(residency, "b", 60);
  device_.real = 60;
  use(residency, "a", 60);
  EXPECT_THAT(on_device(residency), ElementsAre("a"));
}

TEST_F(Residencies, after_an_out_of_memory_in_the_run_only_the_running_model_stays) {
  Residency residency({.device_bytes = 100});
  residency.pin("a", true);
  use(residency, "a", 40);
  use(residency, "b", 40);
  residency.release_others("b");
  EXPECT_THAT(on_device(residency), ElementsAre("b"));
}

}  // namespace
}  // namespace kinora::runner

#include "runner/run_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

// The tiny SDXL and its refiner, which shares its other parts.
class Refined : public ::testing::Test {
 protected:
  Refined() {
    for (const auto& part : fs::directory_iterator(kGolden / "pipe_sdxl/model")) {
      const auto own = kGolden / "pipe_sdxl_refiner" / part.path().filename();
      fs::create_directories(scratch_.path() / "refiner");
      fs::create_symlink(fs::exists(own) ? own : part.path(), scratch_.path() / "refiner" / part.path().filename());
    }
    fs::create_symlink(kGolden / "pipe_sdxl/model", scratch_.path() / "base");
    fs::create_symlink(kGolden / "pipe_sd15/model", scratch_.path() / "sd15");
    settings_.models_dirs = {scratch_.path()};
    settings_.device = "cpu";
    wanted_.width = 24;
    wanted_.height = 32;
    wanted_.steps = 5;
  }
  ModelEntry model(const std::string& id) {
    auto found = store().choose(id, "image-to-image", 0);
    EXPECT_TRUE(found) << id;
    return *found;
  }
  ModelStore& store() { return store_ ? *store_ : store_.emplace(settings_); }

  testing::Scratch scratch_;
  RunnerSettings settings_;
  models::GenerationRequest wanted_{.prompts = {"a fox"}, .seeds = {3}};

 private:
  std::optional<ModelStore> store_;
};

TEST_F(Refined, the_progress_of_both_parts_is_that_of_one) {
  std::vector<double> done;
  std::vector<std::int64_t> steps;
  const auto result = run_refined(model("base"), model("refiner"), 0.6, store(), wanted_, [&](const models::GenerationProgress& progress) {
    done.push_back(progress.done);
    if (progress.step > 0) steps.push_back(progress.step);
    return true;
  });
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_THAT(steps, ElementsAre(1, 2, 3, 1, 2));  // 3 of 5 steps above the noise of 400 of 1000, then 2
  ASSERT_EQ(result.pictures.size(), 1U);
  EXPECT_EQ(result.pictures[0].width, 24);
  EXPECT_THAT(result.seeds, ElementsAre(3U));
}

TEST_F(Refined, faults_of_both_parts_are_told_before_anything_is_loaded) {
  EXPECT_THAT(check_refined(model("base"), model("refiner"), 0.6, wanted_), IsEmpty());
  EXPECT_THAT(check_refined(model("base"), model("refiner"), 0.01, wanted_), ElementsAre(HasSubstr("none of the 5 steps")));
  EXPECT_THAT(check_refined(model("base"), model("refiner"), 1, wanted_),
              ElementsAre(HasSubstr("refiner: denoising_start, denoising_end: none")));
  EXPECT_THAT(check_refined(model("base"), model("sd15"), 0.6, wanted_), ElementsAre(HasSubstr("refiner: ")));
  EXPECT_THAT(store().residency().rows(), IsEmpty());
}

}  // namespace
}  // namespace kinora::runner

// A flipped byte in a model's configuration is read as something else or refused by file, never more.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>

#include "models/pipeline.hpp"
#include "nn/load_error.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;

constexpr int kFlips = 300;  // a file

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class ConfigFlips : public testing::TestWithParam<const char*> {};

TEST_P(ConfigFlips, are_read_or_refused_by_file) {
  const fs::path golden = fs::path(KINORA_SOURCE_DIR) / "tests/golden" / GetParam();
  const fs::path root = fs::temp_directory_path() / ("kinora-flips-" + std::to_string(getpid()));
  fs::remove_all(root);
  fs::create_directories(root);
  // The configurations as files of our own, the rest as links.
  fs::copy(golden, root, fs::copy_options::recursive);
  PipelineSettings settings;
  if (fs::exists(root / "motion_adapter")) settings.motion_adapter = root / "motion_adapter";
  std::mt19937 random(7);
  int refused = 0, accepted = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto name = entry.path().filename();
    if (name != "config.json" && name != "scheduler_config.json" && name != "model_index.json" && name != "preprocessor_config.json")
      continue;
    const auto whole = read(entry.path());
    for (int i = 0; i < kFlips; ++i) {
      auto flipped = whole;
      flipped[random() % flipped.size()] ^= static_cast<char>(1U << (random() % 8));
      std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << flipped;
      try {
        describe_pipeline(root / "model", settings);
        ++accepted;
      } catch (const nn::LoadError& error) {
        EXPECT_FALSE(error.file().empty());
        ++refused;
      } catch (const std::exception& error) {
        ADD_FAILURE() << entry.path() << ": " << error.what() << "\n" << flipped;
      }
    }
    std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << whole;
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(accepted, 100);  // of names that are not looked at, and other values
  EXPECT_NO_THROW(describe_pipeline(root / "model", settings));
  fs::remove_all(root);
}

INSTANTIATE_TEST_SUITE_P(Models, ConfigFlips, testing::Values("pipe_sd15", "pipe_sdxl", "pipe_svd", "pipe_animatediff"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace kinora::models

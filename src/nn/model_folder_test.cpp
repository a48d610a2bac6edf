#include "nn/model_folder.hpp"

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ModelFolders : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }

  fs::path make(const std::string& id, const TensorMap& weights = {{"w", at::ones({2, 3})}}) {
    write_model_folder(root_ / id, "Net", {{"width", 3}}, card_, weights);
    return root_ / id;
  }
  static void put(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }
  static std::string refusal(const fs::path& path) {
    try {
      read_model_folder(path);
    } catch (const LoadError& error) {
      return error.what();
    }
    return "accepted";
  }

  fs::path root_ = fs::path(testing::TempDir()) / ("model_folders_" + std::to_string(::getpid()));
  ModelCard card_{.name = "Net",
                  .description = "A net.",
                  .tasks = {"image-upscale"},
                  .scale = 2,
                  .license = "Apache-2.0",
                  .rest = {{"metrics", {{"psnr_y", 31.5}}}}};
  WeightShapes shapes_{{"w", {2, 3}}};
};

TEST_F(ModelFolders, gives_back_what_was_written) {
  const auto model = read_model_folder(make("net-2x"));
  EXPECT_EQ(model.id, "net-2x");
  EXPECT_EQ(model.architecture, "Net");
  EXPECT_EQ(model.config.at("width"), 3);
  EXPECT_EQ(model.card.name, "Net");
  EXPECT_EQ(model.card.license, "Apache-2.0");
  EXPECT_EQ(model.card.scale, 2);
  EXPECT_THAT(model.card.tasks, ElementsAre("image-upscale"));
  EXPECT_EQ(model.card.rest.at("metrics").at("psnr_y"), 31.5);
  EXPECT_EQ(load_weights(model, shapes_).at("w").numel(), 6);
}

TEST_F(ModelFolders, refuses_names_that_are_no_id) {
  EXPECT_THAT(refusal(make("with space")), HasSubstr("folder's name"));
  EXPECT_THAT(refusal(make(".hidden")), HasSubstr("folder's name"));
  EXPECT_THAT(refusal(make(std::string(kMaxModelIdBytes + 1, 'a'))), HasSubstr("folder's name"));
  EXPECT_EQ(refusal(make(std::string(kMaxModelIdBytes, 'a'))), "accepted");
}

TEST_F(ModelFolders, refuses_missing_files_and_wrong_fields_by_name) {
  auto path = make("a");
  fs::remove(path / "model.safetensors");
  EXPECT_THAT(refusal(path), HasSubstr("model.safetensors"));
  fs::remove(path / "card.json");
  EXPECT_THAT(refusal(path), HasSubstr("card.json"));
  path = make("b");
  put(path / "config.json", "{}");
  EXPECT_THAT(refusal(path), HasSubstr("config.json: architecture"));
  path = make("c");
  put(path / "card.json", R"({"name":"n","license":"","tasks":["t"]})");
  EXPECT_THAT(refusal(path), HasSubstr("card.json: license"));
  put(path / "card.json", R"({"name":"n","license":"MIT","tasks":[]})");
  EXPECT_THAT(refusal(path), HasSubstr("card.json: tasks"));
  put(path / "card.json", R"({"name":"n","license":"MIT","tasks":["t"],"scale":9})");
  EXPECT_THAT(refusal(path), HasSubstr("card.json: scale"));
  put(path / "card.json", "{\"x\":\"" + std::string(kMaxModelJsonBytes, 'x') + "\"}");
  EXPECT_THAT(refusal(path), HasSubstr("1 MiB"));
}

TEST_F(ModelFolders, refuses_weights_that_are_not_finite_or_not_floating) {
  at::Tensor weight = at::ones({2, 3});
  weight[1][2] = std::numeric_limits<float>::quiet_NaN();
  const auto nan = read_model_folder(make("nan", {{"w", weight}}));
  EXPECT_THAT([&] { load_weights(nan, shapes_); },
              testing::ThrowsMessage<LoadError>(HasSubstr("model.safetensors: w: element 5 is NaN or infinite")));
  const auto whole = read_model_folder(make("whole", {{"w", at::ones({2, 3}, at::kInt)}}));
  EXPECT_THAT([&] { load_weights(whole, shapes_); }, testing::ThrowsMessage<LoadError>(HasSubstr("has dtype I32")));
}

TEST_F(ModelFolders, refuses_weights_of_another_shape) {
  const auto model = read_model_folder(make("a"));
  EXPECT_THAT([&] { load_weights(model, {{"w", {3, 2}}}); }, testing::ThrowsMessage<LoadError>(HasSubstr("needed [3, 2]")));
}

}  // namespace
}  // namespace kinora::nn

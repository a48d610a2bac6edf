#pragma once
// The golden harness: runs the cases of KINORA_GOLDEN_DIR (default tests/golden) against results of the reference implementations.
// A case is a folder with case.json and io.safetensors (tests/golden/README.md). A family registers how a reference class is run:
//
//   void run(const golden::Case& test) {
//     const UNet unet = load_unet(test.model_dir());
//     for (int set = 0; set < test.sets(); ++set) test.expect_close("sample", set, unet.forward(test.input("sample", set), ...));
//   }
//   const golden::Register registered{"UNet2DConditionModel", run};
//
// Test code only.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "nn/tensor_map.hpp"

namespace kinora::models::golden {

class Case {
 public:
  explicit Case(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  std::string name() const { return folder_.filename().string(); }
  const nlohmann::json& json() const { return json_; }
  std::string reference_class() const;
  std::filesystem::path model_dir() const;  // case.json "model_dir", normalised
  const nn::TensorMap& io() const { return io_; }

  // Input sets: 1 + the highest N of "inN." or "outN.".
  int sets() const;
  // "in.NAME" of set 0, "in3.NAME" of set 3. input() throws std::out_of_range when absent, has_input() asks.
  at::Tensor input(std::string_view name, int set = 0) const;
  bool has_input(std::string_view name, int set = 0) const;
  bool has_output(std::string_view name, int set = 0) const;
  at::Tensor output(std::string_view name, int set = 0) const;
  // Plain values of a set: case.json inputs "run0", "run1" ...; null when absent.
  nlohmann::json run(int set) const;

  // |ours - stored| <= atol + rtol |stored| for every element, equal shapes; tolerance: the output's own, else the case's. Integers: equal.
  void expect_close(std::string_view output, int set, const at::Tensor& ours) const;
  void expect_close(std::string_view output, const at::Tensor& ours) const { expect_close(output, 0, ours); }
  // The same for any stored tensor by its full name ("mid.conv_in", "n7.traj") at a given tolerance.
  void expect_tensor(const std::string& stored_name, const at::Tensor& ours, double atol, double rtol) const;

 private:
  std::filesystem::path folder_;
  nlohmann::json json_;
  nn::TensorMap io_;
};

using Runner = std::function<void(const Case&)>;

// At namespace scope of a test file.
struct Register {
  Register(const std::string& reference_class, Runner runner);
};
const std::map<std::string, Runner>& registered();

std::filesystem::path golden_dir();

}  // namespace kinora::models::golden

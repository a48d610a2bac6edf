// The golden harness and the one test that walks all cases. Classes that no one has registered are named and counted.
#include "models/golden/golden_case.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/sub.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "nn/safetensors.hpp"

namespace kinora::models::golden {
namespace {

namespace fs = std::filesystem;

std::string full_name(std::string_view kind, std::string_view name, int set) {
  return std::string(kind) + (set == 0 ? "" : std::to_string(set)) + "." + std::string(name);
}

std::map<std::string, Runner>& table() {
  static std::map<std::string, Runner> runners;
  return runners;
}

nlohmann::json read_json(const fs::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

}  // namespace

Case::Case(const fs::path& folder) : folder_(folder), json_(read_json(folder / "case.json")) {
  if (const auto file = folder / "io.safetensors"; fs::exists(file)) io_ = nn::SafetensorsFile(file).tensors();
}

std::string Case::reference_class() const {
  return json_.contains("reference") ? json_.at("reference").value("class", std::string()) : std::string();
}

fs::path Case::model_dir() const { return (folder_ / json_.at("model_dir").get<std::string>()).lexically_normal(); }

int Case::sets() const {
  int sets = 1;
  for (const auto& [name, tensor] : io_) {
    for (const std::string_view kind : {"in", "out"})
      if (name.starts_with(kind) && name.size() > kind.size()) sets = std::max(sets, 1 + std::atoi(name.c_str() + kind.size()));
  }
  return sets;
}

at::Tensor Case::input(std::string_view name, int set) const { return io_.at(full_name("in", name, set)); }
bool Case::has_input(std::string_view name, int set) const { return io_.contains(full_name("in", name, set)); }
at::Tensor Case::output(std::string_view name, int set) const { return io_.at(full_name("out", name, set)); }
bool Case::has_output(std::string_view name, int set) const { return io_.contains(full_name("out", name, set)); }

nlohmann::json Case::run(int set) const {
  const auto& inputs = json_.at("inputs");
  const auto found = inputs.find("run" + std::to_string(set));
  return found == inputs.end() ? nlohmann::json() : *found;
}

void Case::expect_close(std::string_view output, int set, const at::Tensor& ours) const {
  const std::string name = full_name("out", output, set);
  const auto& outputs = json_.at("outputs");
  const auto described = outputs.find(name);
  const auto& tolerance =
      described != outputs.end() && described->contains("tolerance") ? described->at("tolerance") : json_.at("tolerance");
  expect_tensor(name, ours, tolerance.at("atol").get<double>(), tolerance.at("rtol").get<double>());
}

void Case::expect_tensor(const std::string& stored_name, const at::Tensor& ours, double atol, double rtol) const {
  ASSERT_TRUE(io_.contains(stored_name)) << stored_name;
  const at::Tensor theirs = io_.at(stored_name);
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << stored_name;
  if (!theirs.is_floating_point()) {
    EXPECT_TRUE(ours.to(theirs.scalar_type()).equal(theirs)) << stored_name;
    return;
  }
  const auto expected = theirs.to(at::kDouble);
  const auto difference = at::abs(at::sub(ours.to(at::kDouble), expected));
  const auto excess = at::sub(difference, expected.abs().mul(rtol).add(atol)).max().item<double>();
  EXPECT_LE(excess, 0.0) << stored_name << ": largest difference " << difference.max().item<double>() << ", atol " << atol;
}

Register::Register(const std::string& reference_class, Runner runner) { table().emplace(reference_class, std::move(runner)); }
const std::map<std::string, Runner>& registered() { return table(); }

fs::path golden_dir() {
  const char* given = std::getenv("KINORA_GOLDEN_DIR");
  return given != nullptr ? fs::path(given) : fs::path(KINORA_SOURCE_DIR) / "tests/golden";
}

namespace {

TEST(Golden, every_case_of_a_known_family_is_met) {
  const c10::InferenceMode inference;
  std::map<std::string, int> unknown;
  int ran = 0;
  for (const auto& entry : fs::directory_iterator(golden_dir())) {
    if (!fs::exists(entry.path() / "case.json")) continue;
    const Case test(entry.path());
    const auto known = registered().find(test.reference_class());
    if (known == registered().end()) {
      ++unknown[test.reference_class().empty() ? test.name() : test.reference_class()];
      continue;
    }
    SCOPED_TRACE(test.name());
    try {
      known->second(test);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    ++ran;
  }
  for (const auto& [family, count] : unknown) std::printf("not implemented: %s (%d)\n", family.c_str(), count);
  std::printf("golden cases met: %d\n", ran);
  EXPECT_GE(ran, 2);
}

}  // namespace
}  // namespace kinora::models::golden

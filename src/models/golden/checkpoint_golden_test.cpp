// Checkpoint files against what torch.load and the safetensors library read from them or refuse.
#include <gtest/gtest.h>

#include <functional>

#include "models/golden/golden_case.hpp"
#include "nn/checkpoint.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::golden {
namespace {

void expect_equal(const nn::TensorMap& ours, const nn::TensorMap& theirs) {
  EXPECT_EQ(ours.size(), theirs.size());
  for (const auto& [name, tensor] : theirs) {
    ASSERT_TRUE(ours.contains(name)) << name;
    EXPECT_EQ(ours.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(ours.at(name).equal(tensor)) << name;
  }
}

void flatten(const nlohmann::json& nested, std::vector<double>& out) {
  if (nested.is_number()) return out.push_back(nested.get<double>());
  for (const auto& inner : nested) flatten(inner, out);
}

void expect_values(const nn::TensorMap& ours, const nlohmann::json& values) {
  EXPECT_EQ(ours.size(), values.size());
  for (const auto& [name, nested] : values.items()) {
    std::vector<double> expected;
    flatten(nested, expected);
    ASSERT_TRUE(ours.contains(name)) << name;
    const auto flat = ours.at(name).to(at::kDouble).flatten();
    ASSERT_EQ(flat.numel(), static_cast<std::int64_t>(expected.size())) << name;
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(flat[static_cast<std::int64_t>(i)].item<double>(), expected[i]) << name;
  }
}

void run(const Case& test) {
  for (const auto& [name, file] : test.json().at("files").items()) {
    SCOPED_TRACE(name);
    const auto open = [&, path = test.folder() / name] { return nn::open_checkpoint(path); };
    if (file.at("load") != "ok") {
      // A file that need not be refused may be; what it must not do is crash.
      EXPECT_THROW(open(), nn::LoadError);
    } else if (file.contains("values")) {
      expect_values(open().read(), file.at("values"));
    } else {
      expect_equal(open().read(), nn::open_checkpoint(test.folder() / file.at("tensors").get<std::string>()).read());
    }
  }
}

const Register registered{"torch.load(weights_only=True)", run};

}  // namespace
}  // namespace kinora::models::golden

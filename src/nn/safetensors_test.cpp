#include "nn/safetensors.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

namespace kinora::nn {
namespace {

class Safetensors : public testing::Test {
 protected:
  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / ("safetensors_" + std::to_string(::getpid()));
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
};

std::string golden(const std::string& name) { return std::string(KINORA_SOURCE_DIR) + "/tests/golden/pth_reader/" + name; }

TEST_F(Safetensors, reads_the_values_of_the_golden_file) {
  const SafetensorsFile file(golden("good_padded_header.safetensors"));
  const TensorMap all = file.tensors();
  ASSERT_EQ(all.size(), 3U);
  const at::Tensor& weight = all.at("\u00e9.w");
  EXPECT_EQ(weight.scalar_type(), at::kHalf);
  EXPECT_TRUE(at::equal(weight.to(at::kFloat), at::tensor({1.5F, -2.0F, 0.25F, 65504.0F}).reshape({2, 2})));
  EXPECT_EQ(all.at("z").scalar_type(), at::kBFloat16);
  EXPECT_EQ(all.at("z").item<float>(), -3.0F);
  EXPECT_EQ(all.at("e").numel(), 0);
}

TEST_F(Safetensors, maps_instead_of_copying_and_outlives_the_file_object) {
  const auto path = folder_ / "m.safetensors";
  write_safetensors(path, {{"w", at::ones({1 << 18})}});
  at::Tensor weight;
  {
    const SafetensorsFile file(path);
    weight = file.tensor(file.header().tensors.front());
    EXPECT_EQ(weight.const_data_ptr(), file.bytes(file.header().tensors.front()).data());
  }
  std::filesystem::remove(path);
  EXPECT_EQ(weight.sum().item<float>(), 262144.0F);
}

TEST_F(Safetensors, writing_to_a_mapped_tensor_leaves_the_file_alone) {
  const auto path = folder_ / "m.safetensors";
  write_safetensors(path, {{"w", at::ones({4})}});
  const SafetensorsFile file(path);
  file.tensors().at("w").fill_(7);
  EXPECT_EQ(SafetensorsFile(path).tensors().at("w").sum().item<float>(), 4.0F);
}

TEST_F(Safetensors, copies_data_that_are_not_aligned) {
  const std::string header =
      R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  const std::uint64_t length = header.size();
  const float value = 2.5F;
  const auto path = folder_ / "odd.safetensors";
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), 8).write(header.data(), static_cast<std::streamsize>(length)).put('\1');
  out.write(reinterpret_cast<const char*>(&value), 4);
  out.close();
  EXPECT_EQ(SafetensorsFile(path).tensors().at("f").item<float>(), 2.5F);
}

TEST_F(Safetensors, gives_back_what_was_written_in_every_dtype) {
  const auto path = folder_ / "m.safetensors";
  TensorMap written;
  const at::Tensor values = at::randn({3, 5});
  for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kInt, at::kLong, at::kByte, at::kBool})
    written.emplace(c10::toString(type), values.to(type));
  written.emplace("transposed", values.t());
  written.emplace("scalar", at::tensor(3.0F));
  written.emplace("empty", values.slice(0, 0, 0));
  write_safetensors(path, written, {{"made_by", "test"}});
  const SafetensorsFile file(path);
  EXPECT_EQ(file.header().metadata.at("made_by"), "test");
  EXPECT_EQ(file.header().data_offset % 8, 0U);
  const TensorMap read = file.tensors();
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, tensor] : written) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
  }
}

TEST_F(Safetensors, refuses_what_is_no_file_and_what_cannot_be_written) {
  EXPECT_THROW(SafetensorsFile(folder_ / "absent"), LoadError);
  EXPECT_THROW(SafetensorsFile{folder_}, LoadError);
  std::ofstream(folder_ / "empty");
  EXPECT_THROW(SafetensorsFile(folder_ / "empty"), LoadError);
  EXPECT_THROW(write_safetensors(folder_ / "absent" / "m", {{"w", at::ones({1})}}), LoadError);
  EXPECT_THROW(write_safetensors(folder_ / "m", {{"w", at::ones({1}, at::kComplexDouble)}}), LoadError);
}

}  // namespace
}  // namespace kinora::nn

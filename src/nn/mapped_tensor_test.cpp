// What a mapped checkpoint costs: pages are in the process's memory only while a tensor over them is.
#include "nn/mapped_tensor.hpp"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "nn/safetensors.hpp"
#include "nn/weights.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 1024, kBytes = kSide * kSide * 4;  // of a.weight; conv.weight takes about as much

// KiB of a file's mappings that are in memory, as the kernel counts them.
std::int64_t resident_kib(const fs::path& file) {
  std::ifstream maps("/proc/self/smaps");
  std::int64_t sum = 0;
  bool ours = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-p ") != std::string::npos || line.find(" r--p ") != std::string::npos) ours = line.ends_with(file.string());
    if (ours && line.starts_with("Rss:")) sum += std::stoll(line.substr(4));
  }
  return sum;
}

class MappedTensors : public testing::Test {
 protected:
  MappedTensors() {
    fs::remove(file);
    write_safetensors(file, {{"a.weight", at::ones({kSide, kSide})}, {"conv.weight", at::ones({kSide / 4, kSide / 9 * 4, 3, 3})}});
  }
  ~MappedTensors() override { fs::remove(file); }
  fs::path file = fs::temp_directory_path() / ("kinora-mapped-" + std::to_string(getpid()) + ".safetensors");
};

TEST_F(MappedTensors, give_their_pages_back_when_the_last_handle_goes) {
  const SafetensorsFile mapped(file);
  at::Tensor weight = mapped.tensor(*mapped.header().find("a.weight"));
  EXPECT_EQ(weight.sum().item<float>(), kSide * kSide);
  EXPECT_GE(resident_kib(file), kBytes / 1024);
  weight.reset();
  EXPECT_LT(resident_kib(file), kBytes / 1024 / 4);
  EXPECT_EQ(mapped.tensor(*mapped.header().find("a.weight")).sum().item<float>(), kSide * kSide);  // comes again from the file
}

TEST_F(MappedTensors, that_are_copied_for_a_network_are_held_once) {
  WeightLoad load(open_checkpoint(file), {.device = c10::kCPU, .channels_last = true});
  const at::Tensor used_in_place = load.root().take("a.weight", {kSide, kSide});
  const at::Tensor copied = load.root().take("conv.weight", {kSide / 4, kSide / 9 * 4, 3, 3});
  EXPECT_TRUE(copied.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(used_in_place.sum().item<float>(), kSide * kSide);
  // The file's share in memory is the weight that is used where it lies.
  EXPECT_LT(resident_kib(file), kBytes / 1024 * 5 / 4);
}

}  // namespace
}  // namespace kinora::nn

#pragma once
// Pictures and files for this program's tests.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/ulid.hpp"

namespace kinora::train {

// uint8 [3, height, width]: waves of two directions and three colours, smooth enough to survive a halving.
inline at::Tensor wavy_picture(std::int64_t height, std::int64_t width) {
  const at::Tensor y = at::arange(height, at::kFloat).unsqueeze(1);
  const at::Tensor x = at::arange(width, at::kFloat).unsqueeze(0);
  const at::Tensor a = at::sin(x * 0.21 + y * 0.05);
  const at::Tensor b = at::sin(y * 0.17 - x * 0.03);
  return at::stack({a * 60 + b * 50 + 128, a * 70 + 120, b * 80 + 125}).to(at::kByte).contiguous();
}

// A folder of its own for one test, removed at its end.
class TestFolder {
 public:
  TestFolder() {
    base::UlidSource ids;
    path_ = std::filesystem::temp_directory_path() / ids.next_id("kinora-train", {});
    std::filesystem::create_directories(path_);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The ffmpeg command as peer. True: it worked.
inline bool ffmpeg(const std::string& arguments) {
  return std::system(("ffmpeg -hide_banner -loglevel error -nostdin -y " + arguments).c_str()) == 0;
}

}  // namespace kinora::train

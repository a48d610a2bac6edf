#pragma once
// For tests of this room and of kinora-runner: scratch folders, model folders, and FFmpeg's own tools as the independent peer.
#include <ATen/ops/zeros.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "models/esrgan/srvgg_load.hpp"
#include "nn/model_folder.hpp"

namespace kinora::runner::testing {

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kinora_runner_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The standard output of a shell command; a failure shows in it.
inline std::string shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::array<char, 4096> buffer;
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), got);
  if (const int status = ::pclose(pipe); status != 0) output += "\nexit status " + std::to_string(status);
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}
inline std::string ffmpeg(const std::string& arguments) { return shell("ffmpeg -v error -y " + arguments); }
// ffprobe's values of these entries of the first video stream (or another), comma separated.
inline std::string ffprobe(const std::string& file, const std::string& entries, const std::string& stream = "v:0") {
  return shell("ffprobe -v error -select_streams " + stream + " -show_entries stream=" + entries + " -of csv=p=0 '" + file + "'");
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A 2x network whose weights are all zero: it repeats each pixel, as FFmpeg's scale=flags=neighbor does.
inline void make_model(const std::filesystem::path& folder, float last_bias = 0) {
  const models::esrgan::SrvggConfig config{.num_feat = 4, .num_conv = 1, .upscale = 2};
  nn::TensorMap weights;
  for (const auto& [name, shape] : models::esrgan::srvgg_shapes(config)) weights.emplace(name, at::zeros(shape));
  weights.at("body.4.bias").fill_(last_bias);
  nn::write_model_folder(folder, models::esrgan::kSrvggArchitecture, models::esrgan::to_json(config),
                         {.name = "Repeats pixels",
                          .description = "For tests.",
                          .tasks = {"video-upscale", "image-upscale"},
                          .scale = 2,
                          .license = "CC0-1.0",
                          .rest = {}},
                         weights);
}

}  // namespace kinora::runner::testing

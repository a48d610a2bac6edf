// Seconds of a whole pipeline - prompt, steps, decoding - against diffusers (eager) on the same model, threads and number format, in one
// run: the tiny models of tests/golden and a Stable Diffusion of middle size with random weights, which the peer makes.
// Needs KINORA_PEER_PYTHON, a Python with torch, diffusers and transformers; without it only our own times are printed.
//   generation_bench [THREADS [NAME]]     default: all cores, all models whose name holds NAME
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "models/pipeline.hpp"
#include "nn/device.hpp"

namespace {

namespace fs = std::filesystem;
using namespace kinora;
constexpr int kRuns = 2;

struct Work {
  std::string name;
  fs::path folder;
  std::int64_t steps, height, width, frames;  // frames 0: a picture
};

double ours(const Work& work) {
  models::GenerationRequest request{.prompts = {"a red fox in snow"}, .seeds = {1}};
  request.steps = work.steps;
  request.height = work.height;
  request.width = work.width;
  if (work.frames > 0) {
    request.task = models::Task::image_to_video;
    request.frames = request.decode_chunk = work.frames;
    request.picture = models::RgbPicture{.width = work.width,
                                         .height = work.height,
                                         .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(work.width * work.height * 3), 90)};
  } else {
    request.guidance_scale = 7.5;
  }
  const auto pipeline = models::load_pipeline(work.folder, {.number = models::Number::fp32});
  double best = 1e9;
  for (int run = 0; run <= kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    pipeline->run(request);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

std::string peer(const std::string& arguments) {
  const std::string command = std::string(std::getenv("KINORA_PEER_PYTHON")) + " " + KINORA_SOURCE_DIR "/bench/models/pipeline_peer.py " +
                              arguments + " 2>/dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 200> line{};
  std::string last;
  while (pipe != nullptr && std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) last = line.data();
  if (pipe != nullptr) ::pclose(pipe);
  return last;
}

}  // namespace

int main(int argc, char** argv) {
  nn::set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  const std::string only = argc > 2 ? argv[2] : "";
  const bool has_peer = std::getenv("KINORA_PEER_PYTHON") != nullptr;
  const fs::path golden = KINORA_SOURCE_DIR "/tests/golden";
  std::vector<Work> all{{"pipe_sd15, 32x24, 20 steps", golden / "pipe_sd15/model", 20, 24, 32, 0},
                        {"pipe_sdxl, 24x32, 20 steps", golden / "pipe_sdxl/model", 20, 32, 24, 0},
                        {"pipe_svd, 24x16, 3 frames, 10 steps", golden / "pipe_svd/model", 10, 16, 24, 3}};
  const auto middle = fs::temp_directory_path() / ("kinora-pipeline-bench-" + std::to_string(getpid()));
  if (has_peer && std::string("middle").starts_with(only)) {
    peer("make " + middle.string() + " " + (golden / "pipe_sd15/model/tokenizer").string());
    all.push_back({"middle, 256x256, 4 steps", middle, 4, 256, 256, 0});
  }
  std::printf("%s\n", nn::describe_devices().c_str());
  for (const auto& work : all) {
    if (work.name.find(only) == std::string::npos) continue;
    const double seconds = ours(work);
    std::printf("%-38s %8.4f s", work.name.c_str(), seconds);
    if (has_peer) {
      std::ostringstream arguments;
      arguments << "time " << nn::threads() << ' ' << kRuns << ' ' << work.folder << ' ' << work.steps << ' ' << work.height << ' '
                << work.width;
      if (work.frames > 0) arguments << ' ' << work.frames;
      const double theirs = std::atof(peer(arguments.str()).c_str());
      std::printf(", diffusers %8.4f s: ratio %.2f", theirs, theirs / seconds);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  fs::remove_all(middle);
}

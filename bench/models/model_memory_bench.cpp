// Memory of a model that is loaded on the CPU beside the size of its weight files: a Stable Diffusion 1.5 of real size with random
// float32 weights, which the peer makes (KINORA_PEER_PYTHON, a Python with torch, diffusers and transformers), or the folder that is named.
//   model_memory_bench [FOLDER]
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "models/pipeline.hpp"

namespace {

namespace fs = std::filesystem;
using namespace kinora;

// Bytes of a line of /proc/self/status: "VmRSS" all that is in memory, "RssAnon" what is no file's, "VmHWM" the most so far.
double memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::strtod(line.c_str() + name.size() + 1, nullptr) * 1024;
  return 0;
}

double weights_bytes(const fs::path& folder) {
  double sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") sum += static_cast<double>(entry.file_size());
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const bool own = argc < 2;
  const auto folder = own ? fs::temp_directory_path() / ("kinora-memory-bench-" + std::to_string(getpid())) : fs::path(argv[1]);
  if (own) {
    const char* python = std::getenv("KINORA_PEER_PYTHON");
    if (python == nullptr) return std::puts("needs KINORA_PEER_PYTHON, or a model's folder"), 1;
    const std::string command = std::string(python) + " " KINORA_SOURCE_DIR "/bench/models/pipeline_peer.py make-sd15 " + folder.string() +
                                " " KINORA_SOURCE_DIR "/tests/golden/pipe_sd15/model/tokenizer 2>/dev/null";
    if (std::system(command.c_str()) != 0) return std::puts("the peer could not make the model"), 1;
  }
  const double file = weights_bytes(folder), before = memory("VmRSS");
  const auto start = std::chrono::steady_clock::now();
  const auto pipeline = models::load_pipeline(folder);
  const double loading = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // One step of a small picture reads every weight of text encoder, UNet and decoder, and needs little beside them.
  const models::GenerationRequest request{.prompts = {"a red fox in snow"}, .seeds = {1}, .width = 64, .height = 64, .steps = 1};
  const auto report = [&](const char* when) {
    const double held = memory("VmRSS") - before;
    std::printf("%-22s %7.1f MiB held for %.1f MiB of files: %.3f x (of its own %.1f MiB, peak %.1f MiB)\n", when, held / 1048576,
                file / 1048576, held / file, memory("RssAnon") / 1048576, memory("VmHWM") / 1048576);
  };
  std::printf("loaded in %.2f s\n", loading);
  report("after loading");
  pipeline->run(request);
  report("after a first step");
  pipeline->run(request);
  report("after a second run");
  if (own) fs::remove_all(folder);
}

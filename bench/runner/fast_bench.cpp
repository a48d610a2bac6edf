// FAST against the same network on every picture, in one process: frames a second of both, what was carried.
//   fast_bench CLIP OUTPUT_FOLDER [MODEL] [ROUNDS] [fp32]     MODEL: a folder or a checkpoint; default: weights/kinora-sr2x; 1 round
// The results stay in OUTPUT_FOLDER as off.mp4 and fast.mp4, nearly lossless, for `kinora measure`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "models/loose_model.hpp"
#include "nn/device.hpp"
#include "nn/model_folder.hpp"
#include "runner/video_enhance.hpp"

int main(int argc, char** argv) {
  using namespace kinora;
  using Accelerate = runner::Upscaling::Accelerate;
  if (argc < 3) {
    std::printf("fast_bench CLIP OUTPUT_FOLDER [MODEL] [ROUNDS] [fp32]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[2];
  std::filesystem::create_directories(folder);
  nn::set_threads(0);
  const std::filesystem::path given = argc > 3 ? argv[3] : KINORA_SOURCE_DIR "/weights/kinora-sr2x";
  const auto model = is_directory(given) ? nn::read_model_folder(given) : models::describe_loose_model(given, given.stem().string());
  models::UpscalerSettings settings;
  if (argc > 5 && std::string_view(argv[5]) == "fp32") settings.precision = models::Precision::fp32;  // a large network is long measured
  const auto upscaler = models::load_upscaler(model, settings);
  std::printf("%s\n%s\n", nn::describe_devices().c_str(), upscaler->description().c_str());
  const int rounds = argc > 4 ? std::max(1, std::atoi(argv[4])) : 1;
  for (int round = 0; round < rounds; ++round) {
    double rates[2] = {};
    for (const bool fast : {false, true}) {
      runner::VideoEnhance request;
      request.input = argv[1];
      request.output = (folder / (fast ? "fast.mp4" : "off.mp4")).string();
      request.crf = 1;
      request.upscale = {.scale = static_cast<double>(upscaler->scale()), .accelerate = fast ? Accelerate::fast : Accelerate::off};
      const auto start = std::chrono::steady_clock::now();
      const auto done = runner::enhance_video(request, {.upscaler = upscaler.get()}, {});
      if (!done) {
        std::printf("failed: %s\n", done.error().message.c_str());
        return 1;
      }
      rates[fast] = static_cast<double>(done->frames) / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (done->accelerated)
        std::printf("%ld frames, %ld whole, %ld tiles, %.1f %% of the cells carried\n", static_cast<long>(done->frames),
                    static_cast<long>(done->accelerated->whole), static_cast<long>(done->accelerated->tiles),
                    100 * done->accelerated->carried_share());
    }
    std::printf("network on every picture %.2f frames/s, FAST %.2f frames/s: %.2f x\n", rates[0], rates[1], rates[1] / rates[0]);
  }
}

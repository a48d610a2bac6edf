// The whole way of a video (decode, network, encode, mux) against the network alone on the same pictures, in the same process:
// how much of the network's rate the pipeline keeps. The two take turns, so that a machine that becomes slower or faster on the way
// does so for both; the median of the rounds is the result.
//   pipeline_bench [CLIP] [MODEL_FOLDER] [ROUNDS]     default: tests/media/london_roofs_360p_5s.mp4 weights/kinora-sr2x 5
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "media/video_reader.hpp"
#include "nn/device.hpp"
#include "nn/model_folder.hpp"
#include "runner/picture_buffer.hpp"
#include "runner/video_enhance.hpp"

namespace {

using namespace kinora;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Frames a second of the network on `count` pictures like the clip's first.
double network_rate(const std::string& clip, models::Upscaler& upscaler, int count) {
  auto reader = media::VideoReader::open(clip).value();
  const auto frame = reader.next().value().value();
  const auto type = runner::sample_type(frame.bit_depth());
  runner::Buffer in(runner::picture_bytes(type, frame.width(), frame.height()));
  runner::Buffer out(runner::picture_bytes(type, frame.width() * upscaler.scale(), frame.height() * upscaler.scale()));
  media::RgbConverter converter;
  (void)converter.to_rgb(frame, runner::view_of(in, type, frame.width(), frame.height()));
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i)
    upscaler.upscale({.data = in.data(), .type = type, .width = frame.width(), .height = frame.height()}, out.data());
  return count / seconds_since(start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string clip = argc > 1 ? argv[1] : KINORA_SOURCE_DIR "/tests/media/london_roofs_360p_5s.mp4";
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 5;
  nn::set_threads(0);
  const auto upscaler = models::load_upscaler(nn::read_model_folder(argc > 2 ? argv[2] : KINORA_SOURCE_DIR "/weights/kinora-sr2x"), {});
  std::printf("%s\n%s\n", nn::describe_devices().c_str(), upscaler->description().c_str());
  const auto output = std::filesystem::temp_directory_path() / ("pipeline_bench_" + std::to_string(::getpid()) + ".mp4");
  runner::VideoEnhance request;
  request.input = clip;
  request.output = output.string();
  request.upscale = {.scale = static_cast<double>(upscaler->scale())};
  constexpr int kSample = 20;
  (void)network_rate(clip, *upscaler, kSample / 4);
  double before = network_rate(clip, *upscaler, kSample);
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const auto start = Clock::now();
    const auto done = runner::enhance_video(request, {.upscaler = upscaler.get()}, {});
    const double whole = done ? static_cast<double>(done->frames) / seconds_since(start) : 0;
    std::filesystem::remove(output);
    if (!done) {
      std::printf("failed: %s\n", done.error().message.c_str());
      return 1;
    }
    const double after = network_rate(clip, *upscaler, kSample);
    ratios.push_back(whole / ((before + after) / 2));
    std::printf("round %d: network alone %.2f and %.2f frames/s, end to end %.2f frames/s (%ld frames): ratio %.3f\n", round + 1, before,
                after, whole, static_cast<long>(done->frames), ratios.back());
    before = after;
  }
  std::sort(ratios.begin(), ratios.end());
  const double median = ratios[ratios.size() / 2];
  std::printf("median ratio %.3f (aim: at least 0.90)\n", median);
  return median >= 0.9 ? 0 : 1;
}

// Pictures a second of RRDBNet (the published 6-block anime size, 4x) and of IFNet (RIFE 4.25 at its published size), random weights, 8-bit
// pictures in and out, against the same networks in Python torch (network only) with the same threads in the same run. The peer runs
// when KINORA_PEER_PYTHON names a Python that has torch.
//   enhance_bench [THREADS]     default: all cores
#include <ATen/ops/randn.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/esrgan/rrdb.hpp"
#include "models/interpolator.hpp"
#include "models/loose_model.hpp"
#include "models/rife/ifnet.hpp"
#include "models/upscaler.hpp"
#include "nn/device.hpp"
#include "nn/safetensors.hpp"

namespace {

using namespace kinora;
namespace fs = std::filesystem;
constexpr std::int64_t kRrdbWidth = 96, kRrdbHeight = 64, kRifeWidth = 640, kRifeHeight = 384;
constexpr int kRuns = 6;

double best_rate(const std::function<void()>& work) {
  work();
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 1 / best;
}

// A checkpoint of that many random weights, small enough that nothing overflows.
fs::path random_file(const std::string& name, const nn::WeightShapes& shapes) {
  nn::TensorMap weights;
  for (const auto& [weight, shape] : shapes) {
    double fan_in = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
    weights.emplace(weight, at::randn(shape).mul(0.5 / std::sqrt(fan_in)));
  }
  const auto path = fs::temp_directory_path() / (name + std::to_string(::getpid()) + ".safetensors");
  nn::write_safetensors(path, weights);
  return path;
}

std::vector<std::uint8_t> noise(std::int64_t width, std::int64_t height, std::uint32_t seed) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * width * height));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>((seed = seed * 1664525U + 1013904223U) >> 24);
  return pixels;
}

std::map<std::string, double> ask_peer(int threads) {
  std::map<std::string, double> rates;
  const char* python = std::getenv("KINORA_PEER_PYTHON");
  if (python == nullptr) return rates;
  std::string command = std::string(python) + " " KINORA_SOURCE_DIR "/bench/models/enhance_peer.py";
  for (const std::int64_t number : {std::int64_t{threads}, std::int64_t{kRuns}, kRrdbWidth, kRrdbHeight, kRifeWidth, kRifeHeight})
    command += " " + std::to_string(number);
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 200> line{};
  char name[100];
  for (double rate = 0; pipe != nullptr && std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr;)
    if (std::sscanf(line.data(), "%99s %lf", name, &rate) == 2) rates[name] = rate;
  if (pipe != nullptr) ::pclose(pipe);
  return rates;
}

double rrdb() {
  const auto file = random_file("rrdb", models::esrgan::rrdb_shapes({.num_block = 6}));
  const auto upscaler = models::load_upscaler(models::describe_loose_model(file, "rrdb"), {.precision = models::Precision::fp32});
  const auto in = noise(kRrdbWidth, kRrdbHeight, 1);
  std::vector<std::uint8_t> out(in.size() * 16);
  const models::Picture picture{.data = in.data(), .type = models::SampleType::packed_u8, .width = kRrdbWidth, .height = kRrdbHeight};
  const double rate = best_rate([&] { upscaler->upscale(picture, out.data()); });
  fs::remove(file);
  return rate;
}

double rife() {
  const models::rife::IfnetConfig config{.channels = {192, 128, 96, 64, 32}, .layers = {8, 8, 8, 8, 8}, .scales = {16, 8, 4, 2, 1}};
  const auto file = random_file("rife", models::rife::ifnet_shapes(config));
  const auto network = models::load_interpolator(models::describe_loose_model(file, "rife"), "cpu");
  const auto first = noise(kRifeWidth, kRifeHeight, 1), second = noise(kRifeWidth, kRifeHeight, 2);
  std::vector<std::uint8_t> out(first.size());
  const auto picture = [](const std::vector<std::uint8_t>& pixels) {
    return models::Picture{.data = pixels.data(), .type = models::SampleType::packed_u8, .width = kRifeWidth, .height = kRifeHeight};
  };
  const auto a = network->prepare(picture(first), {});
  // As in a video: the picture before is there already.
  const double rate = best_rate([&] {
    const auto b = network->prepare(picture(second), {});
    network->between(*a, *b, 0.5, {}, models::SampleType::packed_u8, out.data());
  });
  fs::remove(file);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  nn::set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  std::printf("%s\n", nn::describe_devices().c_str());
  const std::map<std::string, double> ours{{"rrdb", rrdb()}, {"rife", rife()}};
  for (const auto& [name, rate] : ours) std::printf("%7.3f pictures/s  %s float32\n", rate, name.c_str());
  for (const auto& [name, rate] : ask_peer(nn::threads()))
    std::printf("%7.3f pictures/s  Python torch %s: ratio %.2f\n", rate, name.c_str(), ours.at(name.substr(0, name.find('-'))) / rate);
}

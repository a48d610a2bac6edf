// Pictures a second of RRDBNet (the published 6-block anime size, 4x) and of IFNet (RIFE 4.25 at its published size), random weights, 8-bit
// pictures in and out, against the same networks in Python torch (network only) with the same threads in the same run. The peer runs
// when KINORA_PEER_PYTHON names a Python that has torch.
//   enhance_bench [THREADS]     default: all cores
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "models/esrgan/rrdb.hpp"
#include "models/loose_model.hpp"
#include "models/rife/ifnet.hpp"
#include "nn/device.hpp"
#include "random_networks.hpp"

namespace {

using namespace kinora;
constexpr std::int64_t kRrdbWidth = 96, kRrdbHeight = 64, kRifeWidth = 640, kRifeHeight = 384;
constexpr int kRuns = 6;

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
  const bench::RandomFile file("rrdb", models::esrgan::rrdb_shapes({.num_block = 6}));
  const auto upscaler = models::load_upscaler(models::describe_loose_model(file.path(), "rrdb"), {.precision = models::Precision::fp32});
  return 1 / bench::upscale_seconds(kRuns, *upscaler, kRrdbWidth, kRrdbHeight);
}

double rife() {
  const bench::RandomFile file("rife", models::rife::ifnet_shapes(bench::kRife425));
  const auto network = models::load_interpolator(models::describe_loose_model(file.path(), "rife"), "cpu");
  return 1 / bench::interpolate_seconds(kRuns, *network, kRifeWidth, kRifeHeight);
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

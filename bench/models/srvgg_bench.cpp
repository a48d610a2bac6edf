// Frames a second of the upscaler, 8-bit pictures in and out, against the same network in Python torch (network only) with the same
// threads, number format and layout, in the same run. The peer runs when KINORA_PEER_PYTHON names a Python that has torch.
//   srvgg_bench [THREADS] [MODEL_FOLDER]     default: all cores, weights/kinora-sr2x
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "models/upscaler.hpp"
#include "nn/device.hpp"
#include "nn/model_folder.hpp"

namespace {

using namespace kinora;
constexpr std::int64_t kWidth = 640, kHeight = 360;
constexpr int kRuns = 12;

double frames_per_second(models::Upscaler& upscaler) {
  std::vector<std::uint8_t> in(3 * kWidth * kHeight);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
  std::vector<std::uint8_t> out(in.size() * static_cast<std::size_t>(upscaler.scale() * upscaler.scale()));
  const models::Picture picture{.data = in.data(), .type = models::SampleType::packed_u8, .width = kWidth, .height = kHeight};
  upscaler.upscale(picture, out.data());
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    upscaler.upscale(picture, out.data());
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 1 / best;
}

// "float32 9.1" lines of the peer script, best of the same number of runs.
std::map<std::string, double> ask_peer(const nn::ModelFolder& model, int threads) {
  std::map<std::string, double> rates;
  const char* python = std::getenv("KINORA_PEER_PYTHON");
  if (python == nullptr) return rates;
  std::ostringstream command;
  command << python << ' ' << KINORA_SOURCE_DIR << "/bench/models/srvgg_peer.py " << threads << ' ' << kWidth << ' ' << kHeight << ' '
          << kRuns << " '" << (model.path / "config.json").string() << "'";
  FILE* pipe = ::popen(command.str().c_str(), "r");
  std::array<char, 200> line{};
  char name[100];
  for (double rate = 0; pipe != nullptr && std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr;)
    if (std::sscanf(line.data(), "%99s %lf", name, &rate) == 2) rates[name] = rate;
  if (pipe != nullptr) ::pclose(pipe);
  return rates;
}

}  // namespace

int main(int argc, char** argv) {
  nn::set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  const auto model = nn::read_model_folder(argc > 2 ? argv[2] : KINORA_SOURCE_DIR "/weights/kinora-sr2x");
  std::printf("%s\n%s, %ldx%ld\n", nn::describe_devices().c_str(), model.id.c_str(), static_cast<long>(kWidth), static_cast<long>(kHeight));
  const auto ours = [&](models::Precision precision) {
    const auto upscaler = models::load_upscaler(model, {.precision = precision});
    const double rate = frames_per_second(*upscaler);
    std::printf("%6.2f frames/s  %s\n", rate, upscaler->description().c_str());
    return rate;
  };
  const std::map<std::string, double> rates{{"float32", ours(models::Precision::fp32)}, {"bfloat16", ours(models::Precision::bf16)}};
  const double chosen = ours(models::Precision::automatic);
  double best_peer = 0;
  for (const auto& [name, rate] : ask_peer(model, nn::threads())) {
    best_peer = std::max(best_peer, rate);
    std::printf("%6.2f frames/s  Python torch %s", rate, name.c_str());
    if (rates.contains(name)) std::printf(": ratio %.2f", rates.at(name) / rate);
    std::printf("\n");
  }
  if (best_peer > 0) std::printf("chosen against the best of Python: ratio %.2f\n", chosen / best_peer);
}

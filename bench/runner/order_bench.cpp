// Doubling the rate of a video and enlarging it: seconds for a source picture in both orders, beside the order that is chosen without
// measuring (step_order.hpp), for upscalers from light to heavy. Also how much longer the interpolator takes for a multiply-accumulate than
// the upscaler. Interpolator: IFNet 4.25; both with random weights where none are in the repository. Exit status 1: a choice costs more
// than a fifth too much.
//   order_bench [THREADS]     default: all cores
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "../models/random_networks.hpp"
#include "models/esrgan/rrdb.hpp"
#include "models/esrgan/srvgg_load.hpp"
#include "models/loose_model.hpp"
#include "models/rife/ifnet.hpp"
#include "nn/device.hpp"
#include "nn/model_folder.hpp"
#include "runner/step_order.hpp"

namespace {

using namespace kinora;
constexpr std::int64_t kWidth = 256, kHeight = 128;  // multiples of what the interpolator pads to
constexpr int kRuns = 2;

// Whether the choice is a good one.
bool compare_orders(const nn::ModelFolder& model, models::Precision precision, models::Interpolator& interpolator) {
  const auto upscaler = models::load_upscaler(model, {.precision = precision});
  const std::int64_t s = upscaler->scale();
  const double up = bench::upscale_seconds(kRuns, *upscaler, kWidth, kHeight);
  const double between = bench::interpolate_seconds(kRuns, interpolator, kWidth, kHeight);
  const double between_large = bench::interpolate_seconds(kRuns, interpolator, kWidth * s, kHeight * s);
  const double interpolate_first = between + 2 * up, upscale_first = up + between_large;
  const double weights = static_cast<double>(model.weights_bytes) / sizeof(float);
  const auto chosen = runner::cheaper_first({.upscaler_weights = weights, .scale = static_cast<double>(s), .factor = 2});
  const double cost = chosen == runner::Op::upscale ? upscale_first : interpolate_first;
  std::printf(
      "%-16s %-9s %5.2f M weights: %.3f s interpolating first, %.3f s upscaling first; %s goes first. Interpolator %.1f x as long a MAC\n",
      model.id.c_str(), precision == models::Precision::fp32 ? "float32" : "automatic", weights / 1e6, interpolate_first, upscale_first,
      runner::name(chosen).data(), between / runner::kInterpolatorMacs / (up / weights));
  return cost < 1.2 * std::min(interpolate_first, upscale_first);
}

}  // namespace

int main(int argc, char** argv) {
  nn::set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  std::printf("%s\n", nn::describe_devices().c_str());
  const bench::RandomFile rife("rife", models::rife::ifnet_shapes(bench::kRife425));
  const bench::RandomFile video("animevideov3", models::esrgan::srvgg_shapes({.num_feat = 64, .num_conv = 16, .upscale = 4}));
  const bench::RandomFile general("general-x4v3", models::esrgan::srvgg_shapes({.num_feat = 64, .num_conv = 32, .upscale = 4}));
  const bench::RandomFile anime("x4plus-anime-6B", models::esrgan::rrdb_shapes({.num_block = 6}));
  const auto interpolator = models::load_interpolator(models::describe_loose_model(rife.path(), "rife"), "cpu");
  bool good = true;
  for (const auto precision : {models::Precision::fp32, models::Precision::automatic}) {
    good &= compare_orders(nn::read_model_folder(KINORA_SOURCE_DIR "/weights/kinora-sr2x"), precision, *interpolator);
    good &= compare_orders(models::describe_loose_model(video.path(), "animevideov3"), precision, *interpolator);
    good &= compare_orders(models::describe_loose_model(general.path(), "general-x4v3"), precision, *interpolator);
  }
  good &= compare_orders(models::describe_loose_model(anime.path(), "x4plus-anime-6B"), models::Precision::fp32, *interpolator);
  return good ? 0 : 1;
}

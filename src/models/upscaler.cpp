#include "models/upscaler.hpp"

#include <cstdio>
#include <functional>

#include "models/check_model.hpp"
#include "models/esrgan/rrdb_aten.hpp"
#include "models/esrgan/rrdb_names.hpp"
#include "models/esrgan/srvgg_aten.hpp"
#include "models/measure.hpp"
#include "nn/device.hpp"
#include "nn/load_error.hpp"

namespace kinora::models {
namespace {

// An Upscaler with the story of how it was chosen.
class Chosen final : public Upscaler {
 public:
  Chosen(std::unique_ptr<Upscaler> upscaler, std::string story) : upscaler_(std::move(upscaler)), story_(std::move(story)) {}
  std::int64_t scale() const override { return upscaler_->scale(); }
  std::string description() const override { return story_; }
  bool set_denoise(double strength) override { return upscaler_->set_denoise(strength); }
  using Upscaler::upscale;
  void upscale(const Picture& in, void* out, const Watch& watch) override { upscaler_->upscale(in, out, watch); }

 private:
  std::unique_ptr<Upscaler> upscaler_;
  std::string story_;
};

std::string tell(const Choice& choice) {
  std::string text = choice.measured[choice.index].description + " (measured on 320x180:";
  for (const Measured& way : choice.measured) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, " %.1f ms %.0f dB;", way.milliseconds, way.psnr);
    text += " " + way.description + numbers;
  }
  text.back() = ')';
  return text;
}

// A network in a number format.
using Way = std::function<std::unique_ptr<Upscaler>(at::ScalarType)>;

Way srvgg(const nn::ModelFolder& folder, const UpscalerSettings& settings) {
  auto model = esrgan::load_srvgg(folder);
  if (model.config.num_in_ch != 3) throw nn::LoadError((folder.path / "config.json").string(), "num_in_ch", "must be 3 for pictures");
  return [model = std::move(model), device = c10::Device(settings.device), memory = settings.memory_bytes](at::ScalarType dtype) {
    return std::make_unique<esrgan::SrvggAten>(model, device, dtype, memory);
  };
}

Way rrdb(const nn::ModelFolder& folder, const UpscalerSettings& settings) {
  const std::string file = folder.weights_path().string();
  const auto checkpoint = esrgan::with_rrdb_names(nn::open_checkpoint(folder.weights_path()));
  const auto config = esrgan::infer_rrdb_config(checkpoint.shapes(), file);
  if (config.channels != 3) throw nn::LoadError(file, "conv_last.weight", "must have 3 output channels for pictures");
  if (config.scale() != folder.card.scale)
    throw nn::LoadError((folder.path / "card.json").string(), "scale", "differs from the network's " + std::to_string(config.scale()));
  auto weights = nn::load_weights(checkpoint, esrgan::rrdb_shapes(config));
  return [config, weights = std::move(weights), device = c10::Device(settings.device), memory = settings.memory_bytes](
             at::ScalarType dtype) { return std::make_unique<esrgan::RrdbAten>(config, weights, device, dtype, memory); };
}

// In the format asked for, or in the one that a measurement finds fastest and close enough.
std::unique_ptr<Upscaler> choose(const nn::ModelFolder& folder, const UpscalerSettings& settings, const Way& way) {
  if (settings.precision == Precision::fp32) return way(at::kFloat);
  if (settings.precision == Precision::bf16) return way(at::kBFloat16);
  const auto shorter = c10::Device(settings.device).is_cpu() ? at::kBFloat16 : at::kHalf;
  const std::vector<MakeUpscaler> ways{[&] { return way(at::kFloat); }, [&] { return way(shorter); }};
  // The weights decide whether a short format is close enough, so they belong to the key.
  const auto choice = choose_fastest(folder.weights_path().string() + " on " + settings.device, ways);
  return std::make_unique<Chosen>(ways[choice.index](), folder.architecture + ", " + tell(choice));
}

[[noreturn]] void refuse_architecture(const nn::ModelFolder& folder) {
  throw nn::LoadError((folder.path / "config.json").string(), "architecture",
                      "\"" + folder.architecture.substr(0, 64) + "\" is not known here");
}

}  // namespace

void check_upscaler(const nn::ModelFolder& folder) {
  const auto file = folder.weights_path();
  if (folder.architecture == esrgan::kSrvggArchitecture)
    return nn::check_weights(esrgan::srvgg_shapes(esrgan::read_srvgg_config(folder)), nn::open_checkpoint(file).shapes(), file.string());
  if (folder.architecture == esrgan::kRrdbArchitecture) {
    const auto shapes = esrgan::with_rrdb_names(nn::open_checkpoint(file)).shapes();
    return nn::check_weights(esrgan::rrdb_shapes(esrgan::infer_rrdb_config(shapes, file.string())), shapes, file.string());
  }
  refuse_architecture(folder);
}

std::unique_ptr<Upscaler> load_upscaler(const nn::ModelFolder& folder, const UpscalerSettings& settings) {
  nn::check_device(settings.device);
  if (folder.architecture == esrgan::kSrvggArchitecture) return choose(folder, settings, srvgg(folder, settings));
  if (folder.architecture == esrgan::kRrdbArchitecture) return choose(folder, settings, rrdb(folder, settings));
  refuse_architecture(folder);
}

}  // namespace kinora::models

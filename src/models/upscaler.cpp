#include "models/upscaler.hpp"

#include <cstdio>

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

std::unique_ptr<Upscaler> load_srvgg_upscaler(const nn::ModelFolder& folder, const UpscalerSettings& settings) {
  const auto model = esrgan::load_srvgg(folder);
  if (model.config.num_in_ch != 3) throw nn::LoadError((folder.path / "config.json").string(), "num_in_ch", "must be 3 for pictures");
  const c10::Device device(settings.device);
  const auto way = [model, device, memory = settings.memory_bytes](at::ScalarType dtype) -> MakeUpscaler {
    return [=] { return std::make_unique<esrgan::SrvggAten>(model, device, dtype, memory); };
  };
  if (settings.precision == Precision::fp32) return way(at::kFloat)();
  if (settings.precision == Precision::bf16) return way(at::kBFloat16)();
  const std::vector<MakeUpscaler> ways{way(at::kFloat), way(device.is_cpu() ? at::kBFloat16 : at::kHalf)};
  // The weights decide whether a short format is close enough, so they belong to the key.
  const auto choice = choose_fastest(folder.weights_path().string() + " on " + settings.device, ways);
  return std::make_unique<Chosen>(ways[choice.index](), folder.architecture + ", " + tell(choice));
}

}  // namespace

std::unique_ptr<Upscaler> load_upscaler(const nn::ModelFolder& folder, const UpscalerSettings& settings) {
  nn::check_device(settings.device);
  if (folder.architecture == esrgan::kSrvggArchitecture) return load_srvgg_upscaler(folder, settings);
  throw nn::LoadError((folder.path / "config.json").string(), "architecture",
                      "\"" + folder.architecture.substr(0, 64) + "\" is not known here");
}

}  // namespace kinora::models

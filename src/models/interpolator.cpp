#include "models/interpolator.hpp"

#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "models/check_model.hpp"
#include "models/picture_tensor.hpp"
#include "models/rife/ifnet_load.hpp"
#include "models/rife/scene.hpp"
#include "nn/device.hpp"
#include "nn/load_error.hpp"
#include "nn/model_folder.hpp"

namespace kinora::models {
namespace {

// Of the finest block: pictures and features of both sides, plain and warped, its inputs, their copy and its answer, in float32.
constexpr std::uint64_t kBytesPerPixel = 4 * 140;

struct RifePicture final : InterpolatorPicture {
  at::Tensor rgb;  // [1, 3, H, W] float32
  rife::Prepared prepared;
};

class RifeInterpolator final : public Interpolator {
 public:
  RifeInterpolator(const nn::ModelFolder& model, c10::Device device)
      : device_(device),
        net_(rife::load_ifnet(nn::open_checkpoint(model.weights_path()),
                              {.device = device, .dtype = device.is_cpu() ? at::kFloat : at::kHalf, .channels_last = true},
                              rife::configured_scales(model))
                 .net) {}
  std::string description() const override {
    return "IFNet, LibTorch on " + device_.str() + (device_.is_cpu() ? " float32" : " float16 with float32 flow");
  }
  std::uint64_t memory_needed(std::int64_t width, std::int64_t height) const override {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(width, 64) * std::max<std::int64_t>(height, 64)) * kBytesPerPixel;
  }
  bool ensembles() const override { return net_.ensembles(); }

  std::shared_ptr<const InterpolatorPicture> prepare(const Picture& picture, const InterpolationOptions& options) override {
    const c10::InferenceMode inference;
    auto made = std::make_shared<RifePicture>();
    const auto view = view_picture(picture.data, picture.type, picture.width, picture.height);
    made->rgb = view.unsqueeze(0).to(device_).to(at::kFloat).div(full_scale(picture.type)).contiguous();
    made->prepared = net_.prepare(made->rgb, options.scale);
    return made;
  }
  Change compare(const InterpolatorPicture& before, const InterpolatorPicture& after) override {
    const c10::InferenceMode inference;
    return rife::judge_change(of(before).rgb, of(after).rgb);
  }
  void between(const InterpolatorPicture& a, const InterpolatorPicture& b, double t, const InterpolationOptions& options, SampleType type,
               void* out) override {
    const c10::InferenceMode inference;
    const rife::IfNet::Options how{.scale = options.scale, .ensemble = options.ensemble};
    const auto made = net_.between(of(a).prepared, of(b).prepared, t, how).picture;
    if (!std::isfinite(at::sum(made).item<float>())) throw NotFinite();
    view_picture(out, type, made.size(3), made.size(2)).copy_(to_samples(made.squeeze(0), type));
  }

 private:
  static const RifePicture& of(const InterpolatorPicture& picture) { return static_cast<const RifePicture&>(picture); }

  c10::Device device_;
  rife::IfNet net_;
};

}  // namespace

void check_interpolator(const nn::ModelFolder& folder) {
  (void)rife::load_ifnet(nn::open_checkpoint(folder.weights_path()), {.device = c10::kMeta}, rife::configured_scales(folder));
}

std::unique_ptr<Interpolator> load_interpolator(const nn::ModelFolder& folder, const std::string& device) {
  nn::check_device(device);
  if (folder.architecture == rife::kIfnetArchitecture) return std::make_unique<RifeInterpolator>(folder, c10::Device(device));
  throw nn::LoadError((folder.path / "config.json").string(), "architecture",
                      "\"" + folder.architecture.substr(0, 64) + "\" is no interpolator");
}

}  // namespace kinora::models

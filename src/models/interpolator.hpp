#pragma once
// A loaded network that makes pictures between two pictures. One Interpolator is used by one thread at a time and owns the cores or the
// device that it was given while it runs. No LibTorch type here, so that those who hold pictures need not know it.
#include <memory>
#include <string>

#include "models/upscaler.hpp"
#include "nn/model_folder_fwd.hpp"

namespace kinora::models {

// A picture on the device with what the network computes of it once, for all pictures that are made from it.
class InterpolatorPicture {
 public:
  virtual ~InterpolatorPicture() = default;
};

struct InterpolationOptions {
  double scale = 1;       // 0.25, 0.5, 1, 2, 4: less for large pictures (0.5 for 4K), more for small fast things
  bool ensemble = false;  // estimates forwards and backwards; slower by half. Only where ensembles() says so
};

// How a picture differs from the one before it.
enum class Change {
  none,   // the same once more: a repeated frame
  moved,  // the same scene
  cut     // another scene: nothing lies between the two
};

class Interpolator {
 public:
  virtual ~Interpolator() = default;
  // For people: network, device, number format.
  virtual std::string description() const = 0;
  virtual bool ensembles() const = 0;
  // About how many bytes the activations of pictures of this size take.
  virtual std::uint64_t memory_needed(std::int64_t width, std::int64_t height) const = 0;
  // Throws c10::Error when memory or the device fails.
  virtual std::shared_ptr<const InterpolatorPicture> prepare(const Picture& picture, const InterpolationOptions& options) = 0;
  virtual Change compare(const InterpolatorPicture& before, const InterpolatorPicture& after) = 0;
  // Fills `out` ([H, W] of that type) with the picture at t, above 0 and below 1, on the way from a to b, which were prepared with the same
  // options and are of one size: rounded to nearest even, clamped. Throws NotFinite, c10::Error.
  virtual void between(const InterpolatorPicture& a, const InterpolatorPicture& b, double t, const InterpolationOptions& options,
                       SampleType type, void* out) = 0;
};

// Loads the weights; needs the device's library for "cuda:N" (nn::load_cuda). float32 on the CPU, float16 with float32 flow on a GPU.
// Throws nn::LoadError for an unknown architecture or wrong weights.
std::unique_ptr<Interpolator> load_interpolator(const nn::ModelFolder& model, const std::string& device);

}  // namespace kinora::models

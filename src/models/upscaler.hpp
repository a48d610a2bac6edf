#pragma once
// A loaded network that enlarges pictures. One Upscaler is used by one thread at a time and owns the cores it was given while it
// runs. No LibTorch type here, so that those who hold pictures need not know it.
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "nn/model_folder_fwd.hpp"

namespace kinora::models {

// Samples in memory that the caller owns, without gaps.
enum class SampleType {
  packed_u8,   // [H, W, 3], R G B, 0..255
  planar_u16,  // [3, H, W], R G B, 0..65535
};
struct Picture {
  const void* data = nullptr;
  SampleType type = SampleType::packed_u8;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

enum class Precision { automatic, fp32, bf16 };

struct UpscalerSettings {
  std::string device = "cpu";                  // "cpu" or "cuda:N"
  Precision precision = Precision::automatic;  // automatic: what a short measurement at load finds fastest and close enough
  // What the activations of one network call may take; a larger picture is cut into tiles that give the same pixels.
  std::uint64_t memory_bytes = 1ULL << 30;
};

// The network gave NaN or infinity.
struct NotFinite : std::runtime_error {
  NotFinite() : std::runtime_error("the network's output is not finite") {}
};

// The watch of a call said stop.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};
// Called between the parts of a picture, about once a second unless the network needs much context (tiled_upscaler.hpp), with the part of
// the work that is done (0..1); false stops.
using Watch = std::function<bool(double)>;

class Upscaler {
 public:
  virtual ~Upscaler() = default;
  virtual std::int64_t scale() const = 0;
  // How strongly a network with a second checkpoint of weak denoising removes noise: 0 (keeps it) to 1 (the network itself). False, and
  // nothing is changed, when there is none and strength is not 1.
  virtual bool set_denoise(double strength) { return strength == 1; }
  // For people: network, device, number format and what the measurement found.
  virtual std::string description() const = 0;
  // Fills `out` ([H*s, W*s] of the same type) with the enlarged picture: values rounded to nearest even, clamped.
  // Throws NotFinite, Stopped; c10::Error when memory or the device fails.
  virtual void upscale(const Picture& in, void* out, const Watch& watch) = 0;
  void upscale(const Picture& in, void* out) { upscale(in, out, {}); }
};

// Loads the weights; needs the device's library for "cuda:N" (nn::load_cuda). Throws nn::LoadError for an unknown architecture or
// wrong weights.
std::unique_ptr<Upscaler> load_upscaler(const nn::ModelFolder& model, const UpscalerSettings& settings);

}  // namespace kinora::models

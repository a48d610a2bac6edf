#include "models/esrgan/rrdb_aten.hpp"

namespace kinora::models::esrgan {
namespace {

RrdbNet build(const RrdbConfig& config, const nn::TensorMap& weights, c10::Device device, at::ScalarType dtype) {
  nn::WeightLoad load(weights, {.device = device, .dtype = dtype, .channels_last = true}, "RRDBNet");
  RrdbNet net(config, load.root());
  load.finish();
  return net;
}

}  // namespace

RrdbAten::RrdbAten(const RrdbConfig& config, const nn::TensorMap& weights, c10::Device device, at::ScalarType dtype,
                   std::uint64_t memory_bytes)
    : TiledUpscaler({.scale = config.scale(),
                     .context = kRrdbContext,
                     .multiple = config.unshuffle,
                     .bytes_per_pixel = config.bytes_per_pixel(static_cast<std::int64_t>(c10::elementSize(dtype))),
                     .macs_per_pixel = config.macs_per_pixel()},
                    device, memory_bytes),
      dtype_(dtype),
      net_(build(config, weights, device, dtype)) {}

std::string RrdbAten::description() const { return "LibTorch on " + device().str() + " " + c10::toString(dtype_) + " channels-last"; }

at::Tensor RrdbAten::enlarge(const at::Tensor& rgb) const {
  return net_.forward_any(rgb.to(dtype_).contiguous(at::MemoryFormat::ChannelsLast)).to(at::kFloat);
}

}  // namespace kinora::models::esrgan

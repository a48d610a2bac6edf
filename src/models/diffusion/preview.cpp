#include "models/diffusion/preview.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/tensor.h>

#include "models/diffusion/pictures.hpp"

namespace kinora::models::diffusion {
namespace {

struct Map {
  std::vector<float> factors;  // [4, 3]
  std::vector<float> bias;     // [3]
};

const Map& map_of(LatentSpace space) {
  static const Map sd{{0.3512F, 0.2297F, 0.3227F, 0.3250F, 0.4974F, 0.2350F, -0.2829F, 0.1762F, 0.2721F, -0.2120F, -0.2616F, -0.7177F},
                      {0, 0, 0}};
  static const Map sdxl{{0.3651F, 0.4232F, 0.4341F, -0.2533F, -0.0042F, 0.1068F, 0.1076F, 0.1111F, -0.0362F, -0.3165F, -0.2492F, -0.2188F},
                        {0.1084F, -0.0175F, -0.0011F}};
  return space == LatentSpace::sd ? sd : sdxl;
}

}  // namespace

RgbPicture preview(LatentSpace space, const at::Tensor& clean) {
  const auto& map = map_of(space);
  const auto pixels = clean.to(at::kCPU, at::kFloat).permute({1, 2, 0});
  const auto rgb = at::matmul(pixels, at::tensor(map.factors).view({4, 3})) + at::tensor(map.bias);
  return to_pictures(at::nan_to_num(rgb).permute({2, 0, 1}).unsqueeze(0)).front();
}

}  // namespace kinora::models::diffusion

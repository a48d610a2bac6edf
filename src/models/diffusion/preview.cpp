#include "models/diffusion/preview.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/tensor.h>

#include "models/diffusion/pictures.hpp"

namespace kinora::models::diffusion {
namespace {

struct Map {
  std::vector<float> factors;  // [C, 3]
  std::vector<float> bias;     // [3]
};

const Map& map_of(LatentSpace space) {
  static const Map sd{{0.3512F, 0.2297F, 0.3227F, 0.3250F, 0.4974F, 0.2350F, -0.2829F, 0.1762F, 0.2721F, -0.2120F, -0.2616F, -0.7177F},
                      {0, 0, 0}};
  static const Map sdxl{{0.3651F, 0.4232F, 0.4341F, -0.2533F, -0.0042F, 0.1068F, 0.1076F, 0.1111F, -0.0362F, -0.3165F, -0.2492F, -0.2188F},
                        {0.1084F, -0.0175F, -0.0011F}};
  static const Map wan{
      {-0.1299F, -0.1692F, 0.2932F,  0.0671F,  0.0406F,  0.0442F,  0.3568F,  0.2548F,  0.1747F,  0.0372F, 0.2344F, 0.1420F,
       0.0313F,  0.0189F,  -0.0328F, 0.0296F,  -0.0956F, -0.0665F, -0.3477F, -0.4059F, -0.2925F, 0.0166F, 0.1902F, 0.1975F,
       -0.0412F, 0.0267F,  -0.1364F, -0.1293F, 0.0740F,  0.1636F,  0.0680F,  0.3019F,  0.1128F,  0.0032F, 0.0581F, 0.0639F,
       -0.1251F, 0.0927F,  0.1699F,  0.0060F,  -0.0633F, 0.0005F,  0.3477F,  0.2275F,  0.2950F,  0.1984F, 0.0913F, 0.1861F},
      {-0.1835F, -0.0868F, -0.3360F}};
  return space == LatentSpace::sd ? sd : space == LatentSpace::sdxl ? sdxl : wan;
}

}  // namespace

RgbPicture preview(LatentSpace space, const at::Tensor& clean) {
  if (space == LatentSpace::decoded) return to_pictures(at::nan_to_num(clean).unsqueeze(0)).front();
  const auto& map = map_of(space);
  const auto pixels = clean.to(at::kCPU, at::kFloat).permute({1, 2, 0});
  const auto rgb = at::matmul(pixels, at::tensor(map.factors).view({-1, 3})) + at::tensor(map.bias);
  return to_pictures(at::nan_to_num(rgb).permute({2, 0, 1}).unsqueeze(0)).front();
}

}  // namespace kinora::models::diffusion

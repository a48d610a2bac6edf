#pragma once
// The network while it learns: fresh weights, the forward pass in one of two precisions, the loss and the score.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kinora_train/degrade.hpp"
#include "models/esrgan/srvgg.hpp"
#include "nn/tensor_map.hpp"

namespace kinora::train {

// bf16: the convolutions in bfloat16 (weights stay float and are rounded for the pass); the sum with the input in float.
enum class Precision { fp32, bf16 };

// Random weights that need gradients: normal with variance 2 / fan-in (He et al., 2015), the last convolution a tenth of it, so
// that the start is close to nearest-neighbour enlargement; biases 0, PReLU slopes 0.25. The same seed gives the same weights.
nn::TensorMap fresh_weights(const models::esrgan::SrvggConfig& config, std::uint64_t seed);

// The same function with more hidden convolutions or a larger scale, so that training goes on from what the smaller network knew: new
// convolutions, put before the last one, pass their input on (a kernel that is 1 in its middle, slopes 1); a larger scale repeats
// pixels. Throws Failure when `weights` are not of `from`, num_conv is less, the scale no multiple, or `to` differs in more than these.
nn::TensorMap grown(const nn::TensorMap& weights, const models::esrgan::SrvggConfig& from, const models::esrgan::SrvggConfig& to);

// float [B, 3, H, W], 0..1 -> float [B, 3, H*s, W*s], not clamped. The function of models::esrgan::srvgg_forward (PReLU), in the form
// that trains fastest.
at::Tensor enlarge(const models::esrgan::SrvggConfig& config, const nn::TensorMap& weights, const at::Tensor& low, Precision precision);

// Mean over the batch of each picture's root mean square difference of luma, plus kRgbShare of that of RGB. A scalar. Within a
// picture this asks for what PSNR asks for (the mean square), and no single hard picture outweighs the others.
inline constexpr double kRgbShare = 0.15;
at::Tensor picture_loss(const at::Tensor& made, const at::Tensor& wanted);

// Mean over the pairs of the luma PSNR in dB of the enlarged `low` against `high`, clamped to 0..255.
double mean_psnr(const models::esrgan::SrvggConfig& config, const nn::TensorMap& weights, const std::vector<Pair>& pairs,
                 Precision precision);
// The same for plain bicubic enlargement: what the score is to be compared with.
double mean_psnr_bicubic(const std::vector<Pair>& pairs);

}  // namespace kinora::train

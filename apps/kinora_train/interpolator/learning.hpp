#pragma once
// The starter interpolator: its sizes, what its updates make smaller, and how well it does.
#include "kinora_train/interpolator/batches.hpp"
#include "models/rife/ifnet.hpp"

namespace kinora::train {

// Blocks from coarse to fine, the layout of RIFE 4.6: without an encoder, whose features of whole pictures cost as much as all blocks.
models::rife::IfnetConfig starter_ifnet();

// Of every block, later ones more: half the logarithm of the mean square by which its picture differs from the truth, and flow_share times
// the mean distance in pixels of its flow from the true one where that is known.
at::Tensor interpolation_loss(const models::rife::IfNet& net, const MotionBatch& batch, double flow_share);

// Mean PSNR in dB of R'G'B' over the middles of runs, one and two pictures apart, of at most `most` runs from all over: the network's, and
// that of the mean of both neighbours.
struct InterpolationScore {
  double network = 0, blend = 0;
};
InterpolationScore score_interpolator(const models::rife::IfNet& net, const at::Tensor& runs, std::int64_t most);

}  // namespace kinora::train

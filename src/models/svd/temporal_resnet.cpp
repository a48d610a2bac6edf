#include "models/svd/temporal_resnet.hpp"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/sigmoid.h>

#include "models/unet/tokens.hpp"

namespace kinora::models::svd {

TemporalConv::TemporalConv(const nn::Weights& w, std::int64_t in, std::int64_t out)
    : weight(w.take("weight", {out, in, 3, 1, 1})), bias(w.take("bias", {out})) {}

at::Tensor TemporalConv::operator()(const at::Tensor& rows) const {
  return at::conv2d(rows, weight.squeeze(-1), bias, at::IntArrayRef({1, 1}), at::IntArrayRef({1, 0}));
}

TemporalResnet::TemporalResnet(const nn::Weights& w, std::int64_t channels, std::int64_t time, double eps)
    : norm1(w / "norm1", 32, channels, eps),
      norm2(w / "norm2", 32, channels, eps),
      conv1(w / "conv1", channels, channels),
      conv2(w / "conv2", channels, channels) {
  if (time > 0) time_emb_proj = nn::Linear(w / "time_emb_proj", time, channels);
}

at::Tensor TemporalResnet::operator()(const at::Tensor& rows, const at::Tensor& time) const {
  auto h = conv1(nn::apply_in_place(nn::Act::silu, norm1(rows)));
  if (time.defined()) h.add_(time_emb_proj(time).unsqueeze(-1).unsqueeze(-1));
  return conv2(nn::apply_in_place(nn::Act::silu, norm2(h)));
}

TimeMixer::TimeMixer(const nn::Weights& w, bool exchanged_) : mix_factor(w.take("mix_factor", {1})), exchanged(exchanged_) {}

at::Tensor TimeMixer::temporal_share() const { return at::sigmoid(exchanged ? mix_factor : -mix_factor); }

SpatioTemporalResnet::SpatioTemporalResnet(const nn::Weights& w, const Config& config)
    : spatial(w / "spatial_res_block", config.spatial),
      temporal(w / "temporal_res_block", config.spatial.out, config.spatial.time, config.temporal_eps),
      time_mixer(w / "time_mixer", config.exchanged_mix) {}

at::Tensor SpatioTemporalResnet::operator()(const at::Tensor& x, const at::Tensor& time, std::int64_t videos) const {
  const auto s = spatial(x, time);
  const auto rows = unet::frames_to_rows(s, videos);
  // The temporal half is s + r, so that the mixture is s + share * r.
  return unet::rows_to_frames(rows.addcmul_(temporal(rows, time), time_mixer.temporal_share()), s.size(2), s.size(3));
}

}  // namespace kinora::models::svd

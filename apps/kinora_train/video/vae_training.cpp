#include "kinora_train/video/vae_training.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "kinora_train/text.hpp"
#include "kinora_train/video/clip_tensor.hpp"

namespace kinora::train {
namespace {

using models::wan::Vae;

// Of clips: pixels of a side, frames, and how many an update.
struct Cuts {
  int side, frames, count;
};
constexpr Cuts kShort{64, 13, 5}, kLong{64, kClipFrames, 4};
constexpr int kWholeEvery = 8;  // updates; one whole clip is twice the work of the cuts
constexpr double kFirstLogVariance = -6;
constexpr int kTried = 4;             // clips, at each checkpoint
constexpr double kDivergence = 3e-4;  // weight of the latents' distance from a standard normal
const models::wan::VaeSavings kAtOnce{.frames_at_once = 64};

// The convolutions between those that pixels and latents go through.
bool within_a_block(const std::string& name) { return name.find("_block") != std::string::npos && name.ends_with(".weight"); }

// A window about the shape, most of the time.
at::Tensor cut_out(const at::Tensor& clip, const Scene& scene, const Cuts& cuts, Random& random) {
  const int first = random.integer(0, kClipFrames - cuts.frames);
  const Point middle = centre(scene, first + cuts.frames / 2);
  const auto start = [&](double about) {
    const int free = kClipSide - cuts.side;
    if (random.chance(0.15)) return random.integer(0, free);
    return std::clamp(static_cast<int>(std::lround(about + random.uniform(-28, 28))) - cuts.side / 2, 0, free);
  };
  const int left = start(middle.x), top = start(middle.y);
  return clip.narrow(1, first, cuts.frames).narrow(2, top, cuts.side).narrow(3, left, cuts.side);
}

at::Tensor draw_batch(const std::vector<Combination>& from, const Cuts& cuts, std::uint64_t seed, std::int64_t step) {
  Random random(seed, static_cast<std::uint64_t>(step));
  const bool whole = step % kWholeEvery == kWholeEvery - 1;
  std::vector<at::Tensor> clips;
  for (int i = 0; i < (whole ? 1 : cuts.count); ++i) {
    const auto& what = from[static_cast<std::size_t>(random.integer(0, static_cast<int>(from.size()) - 1))];
    const Scene scene = draw_scene(what, random);
    const auto clip = clip_tensor(render(scene));
    clips.push_back(whole ? clip : cut_out(clip, scene, cuts, random));
  }
  return at::stack(clips);
}

}  // namespace

nn::TensorMap train_vae(const models::wan::VaeConfig& config, FitSettings settings, at::ScalarType dtype, const Talk& talk) {
  settings.by_muon = within_a_block;
  auto weights = random_weights_of<Vae>(config, settings.seed);
  // Nearly sure of its latents at first: noise as strong as they are would hide what there is to learn.
  weights.at("quant_conv.bias").slice(0, config.latent_channels).fill_(kFirstLogVariance);
  Leaves leaves;
  const auto vae = leaves.build<Vae>("vae", config, weights, {.dtype = dtype, .channels_last = true});
  const auto seen = combinations(false);
  const auto loss = [&](std::int64_t step) {
    const at::Tensor video = draw_batch(seen, kShort, settings.seed, step);
    const auto posterior = vae->encode(video.to(dtype), kAtOnce);
    const auto mean = posterior.mean.to(at::kFloat), logvar = posterior.logvar.to(at::kFloat);
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(settings.seed + static_cast<std::uint64_t>(step));
    const auto sample = mean + at::exp(logvar * 0.5) * at::randn(mean.sizes(), generator, at::kFloat);
    const auto back = vae->decode(sample.to(dtype), kAtOnce).to(at::kFloat);
    const auto divergence = (mean.square() + at::exp(logvar) - 1 - logvar).mean() * 0.5;
    const auto error = back - video;
    return error.abs().mean() + error.square().mean() + divergence * kDivergence;
  };
  const auto saved = [&](const nn::TensorMap& average, std::int64_t step) {
    talk(text("VAE step %lld  unseen clips ", static_cast<long long>(step)) +
         describe(kept_by(*ready_vae(config, part_of(average, "vae"), dtype), kTried)));
  };
  return part_of(fit(leaves, settings, loss, saved, talk).average, "vae");
}

nn::TensorMap train_decoder(const models::wan::VaeConfig& config, const nn::TensorMap& weights, FitSettings settings, at::ScalarType dtype,
                            const Talk& talk) {
  settings.by_muon = within_a_block;
  Leaves leaves;
  const auto vae = leaves.build<Vae>("vae", config, weights, {.dtype = dtype, .channels_last = true}, [](const std::string& name) {
    return name.starts_with("decoder.") || name.starts_with("post_quant_conv.");
  });
  const auto seen = combinations(false);
  const auto loss = [&](std::int64_t step) {
    const at::Tensor video = draw_batch(seen, kLong, settings.seed, step);
    at::Tensor sample;
    {
      const at::NoGradGuard no_grad;
      const auto posterior = vae->encode(video.to(dtype), kAtOnce);
      const auto generator = at::make_generator<at::CPUGeneratorImpl>(settings.seed + static_cast<std::uint64_t>(step));
      sample = posterior.sample(at::randn(posterior.mean.sizes(), generator, at::kFloat).to(dtype));
    }
    const auto error = vae->decode(sample, kAtOnce).to(at::kFloat) - video;
    return error.abs().mean() + error.square().mean();
  };
  const auto merged = [&](const nn::TensorMap& average) {
    auto all = weights;
    for (const auto& [name, weight] : part_of(average, "vae")) all[name] = weight;
    return all;
  };
  const auto saved = [&](const nn::TensorMap& average, std::int64_t step) {
    talk(text("decoder step %lld  unseen clips ", static_cast<long long>(step)) +
         describe(kept_by(*ready_vae(config, merged(average), dtype), kTried)));
  };
  return merged(fit(leaves, settings, loss, saved, talk).average);
}

std::shared_ptr<const Vae> ready_vae(const models::wan::VaeConfig& config, const nn::TensorMap& weights, at::ScalarType dtype) {
  return models::load_network<Vae>(nn::make_checkpoint(weights, "vae"), config, {.dtype = dtype, .channels_last = true}).model;
}

Kept kept_by(const Vae& vae, int clips) {
  const at::NoGradGuard no_grad;
  const auto unseen = combinations(true);
  std::vector<Trial> trials;
  double error = 0;
  for (int i = 0; i < clips; ++i) {
    const auto& shown = unseen[static_cast<std::size_t>(i) * 37 % unseen.size()];
    Random random(0, static_cast<std::uint64_t>(i));
    const auto video = clip_tensor(render(draw_scene(shown, random))).unsqueeze(0);
    const auto back = vae.decode(vae.encode(video.to(vae.dtype()), kAtOnce).mode(), kAtOnce).to(at::kFloat);
    error += (back - video).div(2).square().mean().item<double>() / clips;
    trials.push_back({.asked = shown, .caption = {}, .seed = 0, .seen = look_at(clip_of(back[0]))});
  }
  return {.psnr_db = -10 * std::log10(error), .read = score(trials)};
}

std::string describe(const Kept& kept) {
  return text("come back with %.2f dB, the checker reads shape %d, colour %d, direction %d, background %d, all %d of %d", kept.psnr_db,
              kept.read.shape, kept.read.colour, kept.read.direction, kept.read.background, kept.read.all, kept.read.clips);
}

}  // namespace kinora::train

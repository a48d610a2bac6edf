#include "kinora_train/trainer.hpp"

#include <ATen/Parallel.h>

#include "kinora_train/error.hpp"
#include "kinora_train/model_out.hpp"
#include "kinora_train/sample_file.hpp"
#include "kinora_train/text.hpp"
#include "nn/model_folder.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

constexpr std::int64_t kTalkEvery = 200;

using models::esrgan::SrvggConfig;

SrvggConfig config_of(const TrainSettings& settings) {
  return {.num_feat = settings.features, .num_conv = settings.convolutions, .upscale = settings.scale};
}

// All convolutions but the first and the last, which see pictures and not features.
bool within(const SrvggConfig& config, const std::string& name) {
  return name != "body.0.weight" && name != "body." + std::to_string(2 * config.num_conv + 2) + ".weight";
}

nn::TensorMap first_weights(const TrainSettings& settings) {
  if (settings.start.empty()) return fresh_weights(config_of(settings), settings.seed);
  const nn::SafetensorsFile file(nn::read_model_folder(settings.start).weights_path());
  return grown(file.tensors(), models::esrgan::infer_srvgg_config(nn::shapes_of(file.header()), settings.start.string()),
               config_of(settings));
}

SampleSet prepare(const TrainSettings& settings, const Talk& talk) {
  if (!settings.samples.empty() && std::filesystem::exists(settings.samples)) {
    SampleSet samples = load_samples(settings.samples);
    if (samples.training.front().scale() != settings.scale) throw Failure(settings.samples.string() + " was prepared for another --scale");
    return samples;
  }
  const SourceList list = find_sources(settings.data, settings.list);
  talk("found " + std::to_string(list.sources.size()) + " photos and clips");
  SampleSet samples = make_samples(list, settings.shots, settings.scale, settings.seed, [&](std::size_t done) {
    if (done % 10 == 0 || done == list.sources.size())
      talk("prepared " + std::to_string(done) + " of " + std::to_string(list.sources.size()));
  });
  for (const std::string& skipped : samples.skipped) talk("skipped " + skipped);
  talk(std::to_string(samples.photos) + " photos and " + std::to_string(samples.clips) + " clips gave " +
       std::to_string(samples.training.size()) + " training and " + std::to_string(samples.held_out.size()) + " held-out pairs; " +
       std::to_string(samples.skipped.size()) + " files skipped");
  if (!settings.samples.empty()) save_samples(settings.samples, samples);
  return samples;
}

}  // namespace

TrainReport train_on(const SampleSet& samples, const TrainSettings& settings, const Talk& talk) {
  const SrvggConfig config = config_of(settings);
  const auto& judged = samples.held_out.empty() ? samples.training : samples.held_out;
  Leaves leaves;
  const nn::TensorMap& weights = leaves.hold(first_weights(settings));
  FitSettings how;
  how.name = "upscaler";
  how.checkpoint = settings.checkpoint.empty() ? std::filesystem::path(settings.out.string() + ".checkpoint") : settings.checkpoint;
  how.resume = settings.resume;
  how.minutes = settings.minutes;
  how.steps = settings.steps;
  how.threads = settings.threads;
  how.seed = settings.seed;
  how.peak_rate = settings.peak_rate;
  how.last_rate = settings.last_rate;
  how.warmup = settings.warmup;
  how.average_decay = settings.average_decay;
  how.save_every_s = settings.save_every_s;
  how.talk_every = kTalkEvery;
  how.by_muon = [&](const std::string& name) { return within(config, name); };
  how.muon_rate = settings.muon_rate;
  TrainReport report;
  report.bicubic_psnr = mean_psnr_bicubic(judged);
  // The best so far of a run that goes on is what lies in the model folder, judged by this run's pairs (the data may have changed).
  if (settings.resume && std::filesystem::exists(settings.out / "model.safetensors")) {
    const auto best = nn::load_weights(nn::read_model_folder(settings.out), models::esrgan::srvgg_shapes(config));
    report.best_psnr = mean_psnr(config, best, judged, settings.precision);
  }
  const auto write_if_better = [&](const nn::TensorMap& average, std::int64_t step) {
    const double psnr = mean_psnr(config, average, judged, settings.precision);
    const bool better = psnr > report.best_psnr;
    if (better) {
      report.best_psnr = psnr;
      write_upscaler(settings, config, average, {step, psnr, report.bicubic_psnr, samples});
    }
    talk(text("step %lld  held-out PSNR-Y %.3f dB (bicubic %.3f)%s", static_cast<long long>(step), psnr, report.bicubic_psnr,
              better ? "  best, saved" : ""));
  };
  FitReport done = fit(
      leaves, how,
      [&](std::int64_t step) {
        const Batch batch = draw_batch(samples.training, settings.batch, settings.seed, static_cast<std::uint64_t>(step));
        return picture_loss(enlarge(config, weights, batch.low, settings.precision), batch.high);
      },
      write_if_better, talk);
  write_if_better(done.average, done.steps);
  report.steps = done.steps;
  report.losses = std::move(done.losses);
  return report;
}

TrainReport train_upscaler(const TrainSettings& settings, const Talk& talk) {
  at::set_num_threads(settings.threads);
  const SampleSet samples = prepare(settings, talk);
  return train_on(samples, settings, talk);
}

}  // namespace kinora::train

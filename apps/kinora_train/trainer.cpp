#include "kinora_train/trainer.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cmath>

#include "kinora_train/adam.hpp"
#include "kinora_train/checkpoint.hpp"
#include "kinora_train/error.hpp"
#include "kinora_train/model_out.hpp"
#include "kinora_train/sample_file.hpp"
#include "kinora_train/text.hpp"
#include "nn/model_folder.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTalkEvery = 200;

std::filesystem::path checkpoint_path(const TrainSettings& settings) {
  if (!settings.checkpoint.empty()) return settings.checkpoint;
  return settings.out.string() + ".checkpoint";
}

class Run {
 public:
  Run(const SampleSet& samples, const TrainSettings& settings, const Talk& talk)
      : samples_(samples),
        settings_(settings),
        talk_(talk),
        weights_(fresh_weights(config_of(settings), settings.seed)),
        adam_(weights_),
        average_(weights_, settings.average_decay) {
    if (settings.minutes.has_value() == settings.steps.has_value()) throw Failure("give either minutes or steps");
    if (!settings.start.empty()) {
      start_from(settings.start);
      average_ = Average(weights_, settings.average_decay);
    }
    if (settings.resume) resume();
    report_.bicubic_psnr = mean_psnr_bicubic(judged());
  }

  TrainReport go() {
    started_ = last_saved_ = Clock::now();
    double loss_sum = 0;
    while (progress() < 1) {
      const Batch batch = draw_batch(samples_.training, settings_.batch, settings_.seed, static_cast<std::uint64_t>(step_));
      const at::Tensor loss = picture_loss(enlarge(config_of(settings_), weights_, batch.low, settings_.precision), batch.high);
      loss.backward();
      adam_.step(cosine_rate(progress(), settings_.peak_rate, settings_.last_rate, settings_.warmup));
      average_.update(weights_, step_++);
      report_.losses.push_back(loss.item<double>());
      if (!std::isfinite(report_.losses.back())) throw Failure("the loss is no longer a number; train with a lower --rate");
      loss_sum += report_.losses.back();
      if (step_ % kTalkEvery == 0) {
        talk_(text("step %lld  %3.0f %%  %.0f s  loss %.5f", static_cast<long long>(step_), 100 * progress(), elapsed(),
                   loss_sum / kTalkEvery));
        loss_sum = 0;
      }
      if (std::chrono::duration<double>(Clock::now() - last_saved_).count() >= settings_.save_every_s) save();
    }
    save();
    report_.steps = step_;
    report_.elapsed_s = elapsed();
    return report_;
  }

 private:
  static models::esrgan::SrvggConfig config_of(const TrainSettings& settings) {
    return {.num_feat = settings.features, .num_conv = settings.convolutions, .upscale = 2};
  }
  const std::vector<Pair>& judged() const { return samples_.held_out.empty() ? samples_.training : samples_.held_out; }
  double elapsed() const { return elapsed_before_ + std::chrono::duration<double>(Clock::now() - started_).count(); }
  double progress() const {
    if (settings_.steps) return static_cast<double>(step_) / static_cast<double>(*settings_.steps);
    return elapsed() / (*settings_.minutes * 60);
  }

  void resume() {
    const Checkpoint at = load_checkpoint(checkpoint_path(settings_));
    if (at.seed != settings_.seed) throw Failure("the checkpoint was made with seed " + std::to_string(at.seed));
    set_weights(at.weights);
    adam_.restore(at.adam, at.step);
    average_.restore(at.average);
    step_ = at.step;
    elapsed_before_ = at.elapsed_s;
    // The best so far is what lies in the model folder, judged by this run's pairs (the data may have changed).
    if (!std::filesystem::exists(settings_.out / "model.safetensors")) return;
    const auto best = nn::load_weights(nn::read_model_folder(settings_.out), models::esrgan::srvgg_shapes(config_of(settings_)));
    report_.best_psnr = mean_psnr(config_of(settings_), best, judged(), settings_.precision);
  }

  void start_from(const std::filesystem::path& model) {
    const nn::SafetensorsFile file(nn::read_model_folder(model).weights_path());
    const auto config = models::esrgan::infer_srvgg_config(nn::shapes_of(file.header()), model.string());
    set_weights(grown(file.tensors(), config, config_of(settings_)));
  }

  void set_weights(const nn::TensorMap& values) {
    const at::NoGradGuard no_grad;
    for (auto& [name, weight] : weights_) {
      const auto found = values.find(name);
      if (found == values.end() || found->second.sizes() != weight.sizes()) throw Failure("the stored weights are of another network");
      weight.copy_(found->second);
    }
  }

  void save() {
    const double psnr = mean_psnr(config_of(settings_), average_.weights(), judged(), settings_.precision);
    const bool better = psnr > report_.best_psnr;
    if (better) {
      report_.best_psnr = psnr;
      write_upscaler(settings_, config_of(settings_), average_.weights(), {step_, elapsed(), psnr, report_.bicubic_psnr, samples_});
    }
    save_checkpoint(checkpoint_path(settings_), {weights_, average_.weights(), adam_.state(), step_, elapsed(), settings_.seed});
    talk_(text("step %lld  held-out PSNR-Y %.3f dB (bicubic %.3f)%s", static_cast<long long>(step_), psnr, report_.bicubic_psnr,
               better ? "  best, saved" : ""));
    last_saved_ = Clock::now();
  }

  const SampleSet& samples_;
  const TrainSettings& settings_;
  const Talk& talk_;
  nn::TensorMap weights_;
  Adam adam_;
  Average average_;
  TrainReport report_;
  std::int64_t step_ = 0;
  double elapsed_before_ = 0;
  Clock::time_point started_ = Clock::now(), last_saved_ = started_;
};

SampleSet prepare(const TrainSettings& settings, const Talk& talk) {
  if (!settings.samples.empty() && std::filesystem::exists(settings.samples)) return load_samples(settings.samples);
  const SourceList list = find_sources(settings.data, settings.list);
  talk("found " + std::to_string(list.sources.size()) + " photos and clips");
  SampleSet samples = make_samples(list, settings.shots, settings.seed, [&](std::size_t done) {
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
  return Run(samples, settings, talk).go();
}

TrainReport train_upscaler(const TrainSettings& settings, const Talk& talk) {
  at::set_num_threads(settings.threads);
  const SampleSet samples = prepare(settings, talk);
  return train_on(samples, settings, talk);
}

}  // namespace kinora::train

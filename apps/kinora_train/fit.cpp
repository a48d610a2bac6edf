#include "kinora_train/fit.hpp"

#include <chrono>
#include <cmath>
#include <ctime>

#include "kinora_train/adam.hpp"
#include "kinora_train/checkpoint.hpp"
#include "kinora_train/error.hpp"
#include "kinora_train/muon.hpp"
#include "kinora_train/text.hpp"

namespace kinora::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point then) { return std::chrono::duration<double>(Clock::now() - then).count(); }
// Of this process, all threads together.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Two ways to update, each for its part of the weights.
class Updates {
 public:
  Updates(const nn::TensorMap& weights, const FitSettings& settings)
      : adam_(chosen(weights, settings.by_muon, false), {.beta2 = 0.99}),
        muon_(chosen(weights, settings.by_muon, true)),
        muon_rate_(settings.muon_rate) {}
  void step(double rate) {
    adam_.step(rate);
    muon_.step(muon_rate_ * rate);
  }
  nn::TensorMap state() const {
    nn::TensorMap state = adam_.state();
    state.merge(muon_.state());
    return state;
  }
  void restore(const nn::TensorMap& state, std::int64_t steps) {
    adam_.restore(state, steps);
    muon_.restore(state);
  }

 private:
  static nn::TensorMap chosen(const nn::TensorMap& weights, const std::function<bool(const std::string&)>& by_muon, bool wanted) {
    nn::TensorMap part;
    for (const auto& [name, weight] : weights)
      if ((by_muon && weight.dim() >= 2 && by_muon(name)) == wanted) part[name] = weight;
    return part;
  }

  Adam adam_;
  Muon muon_;
  double muon_rate_;
};

}  // namespace

FitReport fit(Leaves& leaves, const FitSettings& settings, const std::function<at::Tensor(std::int64_t step)>& loss,
              const std::function<void(const nn::TensorMap& average, std::int64_t step)>& saved, const Talk& talk) {
  if (settings.minutes.has_value() == settings.steps.has_value()) throw Failure("give either minutes or steps");
  Updates updates(leaves.weights(), settings);
  Average average(leaves.weights(), settings.average_decay);
  FitReport report;
  double elapsed_before = 0;
  if (settings.resume && std::filesystem::exists(settings.checkpoint)) {
    const Checkpoint at = load_checkpoint(settings.checkpoint);
    if (at.seed != settings.seed) throw Failure("the checkpoint was made with seed " + std::to_string(at.seed));
    leaves.set_weights(at.weights);
    updates.restore(at.adam, at.step);
    average.restore(at.average);
    report.steps = at.step;
    elapsed_before = at.elapsed_s;
  }
  const double started = processor_seconds();
  auto last_saved = Clock::now();
  double aside = 0;  // for what `saved` does
  const auto elapsed = [&] { return elapsed_before + (processor_seconds() - started - aside) / settings.threads; };
  const auto progress = [&] {
    if (settings.steps) return static_cast<double>(report.steps) / static_cast<double>(*settings.steps);
    return elapsed() / (*settings.minutes * 60);
  };
  const auto save = [&] {
    save_checkpoint(settings.checkpoint, {leaves.weights(), average.weights(), updates.state(), report.steps, elapsed(), settings.seed});
    last_saved = Clock::now();
  };

  double loss_sum = 0, gradient_sum = 0;
  while (progress() < 1) {
    const at::Tensor value = loss(report.steps);
    value.backward();
    gradient_sum += leaves.take_gradients(settings.longest_gradient);
    updates.step(cosine_rate(progress(), settings.peak_rate, settings.last_rate, settings.warmup));
    leaves.give_weights();
    average.update(leaves.weights(), report.steps++);
    report.losses.push_back(value.item<double>());
    if (!std::isfinite(report.losses.back())) throw Failure("the loss is no longer a number; train with a lower rate");
    loss_sum += report.losses.back();
    if (report.steps % settings.talk_every == 0) {
      talk(text("%s step %lld  %3.0f %%  %.0f s  loss %.5f  gradient %.3f", settings.name.c_str(), static_cast<long long>(report.steps),
                100 * progress(), elapsed(), loss_sum / static_cast<double>(settings.talk_every),
                gradient_sum / static_cast<double>(settings.talk_every)));
      loss_sum = gradient_sum = 0;
    }
    if (seconds_since(last_saved) < settings.save_every_s) continue;
    save();
    const double before = processor_seconds();
    saved(average.weights(), report.steps);
    aside += processor_seconds() - before;
  }
  save();
  report.average = average.weights();
  return report;
}

}  // namespace kinora::train

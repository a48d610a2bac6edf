// scheduler_config.json of any bytes, the first of them a number of steps: either a refusal, or a schedule whose timesteps and levels
// have the sizes promised and whose steps can be taken.
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <cstdlib>
#include <stdexcept>

#include "nn/load_error.hpp"
#include "nn/schedulers/scheduler.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::nn;
  if (size < 1) return 0;
  const c10::InferenceMode inference;
  try {
    const auto scheduler = make_scheduler(JsonConfig::parse({reinterpret_cast<const char*>(data) + 1, size - 1}, "fuzz"));
    scheduler->plan({.steps = data[0], .mu = 1.0});
    if (scheduler->size() < 1) std::abort();
    if (scheduler->sigmas().defined() && scheduler->sigmas().size(0) <= scheduler->size()) std::abort();
    auto x = at::zeros({1, 1, 2, 2});
    const StepOptions options{.normal = [](at::IntArrayRef shape, auto) { return at::zeros(shape); }};
    for (std::int64_t i = 0; i < scheduler->size() && i < 6; ++i) x = scheduler->step(scheduler->scale_model_input(x, i), i, x, options);
    scheduler->add_noise(x, x, scheduler->size() - 1);
  } catch (const LoadError&) {
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

#include "runner/run_pipeline.hpp"

#include <c10/util/Exception.h>

#include "base/log.hpp"

namespace kinora::runner {
namespace {

models::GenerationRequest for_base(models::GenerationRequest wanted, double share) {
  wanted.denoising_end = share;
  return wanted;
}

// latents: of the base's run.
models::GenerationRequest for_refiner(models::GenerationRequest wanted, double share, std::shared_ptr<const models::Latents> latents) {
  wanted.task = models::Task::image_to_image;
  wanted.adapters.clear();
  wanted.denoising_start = share;
  wanted.latents = std::move(latents);
  return wanted;
}

// A part of the whole, as a share of its progress: begin + size * what the part tells.
models::GenerationWatch part_of(const models::GenerationWatch& watch, double begin, double size) {
  if (!watch) return {};
  return [&watch, begin, size](models::GenerationProgress progress) {
    progress.done = begin + size * progress.done;
    return watch(progress);
  };
}

}  // namespace

models::GenerationResult run_pipeline(const ModelEntry& model, ModelStore& models, const models::GenerationRequest& wanted,
                                      const models::GenerationWatch& watch) {
  models::Pipeline& pipeline = models.pipeline(model);
  try {
    return pipeline.run(wanted, watch);
  } catch (const models::OutOfMemory& short_of) {
    base::log::warn("runner", "memory is short: everything else leaves the device", {{"model", model.id}, {"reason", short_of.what()}});
  } catch (const c10::OutOfMemoryError&) {
    base::log::warn("runner", "memory is short: everything else leaves the device", {{"model", model.id}});
  }
  models.residency().release_others(model.id);
  return pipeline.run(wanted, watch);
}

std::vector<std::string> check_refined(const ModelEntry& base, const ModelEntry& refiner, double share,
                                       const models::GenerationRequest& wanted) {
  auto faults = models::check_request(*base.pipeline, for_base(wanted, share));
  // Stands for the latents, whose size is not known yet.
  const auto pictures = static_cast<std::int64_t>(wanted.prompts.size()) * wanted.count;
  const auto latents =
      std::make_shared<const models::Latents>(models::Latents{{pictures, 1, 1, 1}, std::vector<float>(static_cast<std::size_t>(pictures))});
  for (const auto& fault : models::check_request(*refiner.pipeline, for_refiner(wanted, share, latents)))
    faults.push_back("refiner: " + fault);
  return faults;
}

models::GenerationResult run_refined(const ModelEntry& base, const ModelEntry& refiner, double share, ModelStore& models,
                                     const models::GenerationRequest& wanted, const models::GenerationWatch& watch) {
  auto first = run_pipeline(base, models, for_base(wanted, share), part_of(watch, 0, share));
  auto second = run_pipeline(refiner, models, for_refiner(wanted, share, first.latents), part_of(watch, share, 1 - share));
  second.seeds = std::move(first.seeds);
  second.notes.insert(second.notes.begin(), first.notes.begin(), first.notes.end());
  second.encoding_s += first.encoding_s;
  second.denoising_s += first.denoising_s;
  return second;
}

}  // namespace kinora::runner

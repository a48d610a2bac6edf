#pragma once
// Runs of generative pipelines on the models of a store. Inference thread only. Errors: those of models::Pipeline::run and of loading.
#include "models/pipeline.hpp"
#include "runner/model_store.hpp"

namespace kinora::runner {

// When memory is short everything else leaves the device and it is tried once more.
models::GenerationResult run_pipeline(const ModelEntry& model, ModelStore& models, const models::GenerationRequest& wanted,
                                      const models::GenerationWatch& watch);

// SDXL's two parts: `base` takes the steps of the first `share` (0..1) of the noise schedule, `refiner` the rest from its latents.
// Adapters are the base's. check_refined() gives the faults of the request for both.
std::vector<std::string> check_refined(const ModelEntry& base, const ModelEntry& refiner, double share,
                                       const models::GenerationRequest& wanted);
models::GenerationResult run_refined(const ModelEntry& base, const ModelEntry& refiner, double share, ModelStore& models,
                                     const models::GenerationRequest& wanted, const models::GenerationWatch& watch);

}  // namespace kinora::runner

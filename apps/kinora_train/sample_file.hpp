#pragma once
// A prepared training set on disk, so that further runs over the same data start at once: one safetensors file, mapped, not read.
// Throws Failure or nn::LoadError.
#include <filesystem>

#include "kinora_train/samples.hpp"

namespace kinora::train {

// Complete or not at all. Takes as much memory again as the set while it writes.
void save_samples(const std::filesystem::path& path, const SampleSet& set);
// The pairs are views of the mapped file. What was skipped is not stored.
SampleSet load_samples(const std::filesystem::path& path);

}  // namespace kinora::train

#pragma once
// A prepared training set on disk, so that further runs over the same data start at once: one safetensors file, mapped, not read.
// Throws Failure or nn::LoadError.
#include <filesystem>
#include <string>

#include "kinora_train/samples.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {

// The number that a prepared file's metadata has under `key`, at most nine digits. Throws Failure, naming the file, when it has none.
std::size_t stored_number(const std::filesystem::path& path, const nn::SafetensorsHeader& header, const std::string& key);

// Complete or not at all. Takes as much memory again as the set while it writes.
void save_samples(const std::filesystem::path& path, const SampleSet& set);
// The pairs are views of the mapped file. What was skipped is not stored.
SampleSet load_samples(const std::filesystem::path& path);

}  // namespace kinora::train

#include "kinora_train/sample_file.hpp"

#include <ATen/ops/stack.h>

#include "kinora_train/error.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

void add(nn::TensorMap& all, const std::string& prefix, const std::vector<Pair>& pairs) {
  if (pairs.empty()) return;
  std::vector<at::Tensor> lows, highs;
  for (const Pair& pair : pairs) {
    lows.push_back(pair.low);
    highs.push_back(pair.high);
  }
  all[prefix + "low"] = at::stack(lows);
  all[prefix + "high"] = at::stack(highs);
}

std::vector<Pair> pairs_of(const nn::TensorMap& all, const std::string& prefix) {
  const auto low = all.find(prefix + "low");
  const auto high = all.find(prefix + "high");
  std::vector<Pair> pairs;
  if (low == all.end() || high == all.end()) return pairs;
  const auto square = [](const at::Tensor& pictures, std::int64_t side) {
    return pictures.scalar_type() == at::kByte && pictures.dim() == 4 && pictures.sizes().slice(1) == at::IntArrayRef{3, side, side};
  };
  const std::int64_t side = low->second.dim() == 4 ? low->second.size(2) : 0;
  if (side < kPatchSide || kShotSide % side != 0 || !square(low->second, side) || !square(high->second, kShotSide) ||
      low->second.size(0) != high->second.size(0))
    throw Failure("the prepared samples have other shapes than this program makes");
  for (std::int64_t i = 0; i < low->second.size(0); ++i) pairs.push_back({low->second[i], high->second[i]});
  return pairs;
}

}  // namespace

std::size_t stored_number(const std::filesystem::path& path, const nn::SafetensorsHeader& header, const std::string& key) {
  const auto found = header.metadata.find(key);
  if (found == header.metadata.end() || found->second.empty() || found->second.size() > 9 ||
      found->second.find_first_not_of("0123456789") != std::string::npos)
    throw Failure(path.string() + ": no number \"" + key + "\"");
  return std::stoul(found->second);
}

void save_samples(const std::filesystem::path& path, const SampleSet& set) {
  nn::TensorMap all;
  add(all, "training.", set.training);
  add(all, "held_out.", set.held_out);
  nn::write_safetensors(path, all, {{"photos", std::to_string(set.photos)}, {"clips", std::to_string(set.clips)}});
}

SampleSet load_samples(const std::filesystem::path& path) {
  const nn::SafetensorsFile file(path);
  const nn::TensorMap all = file.tensors();
  SampleSet set;
  set.training = pairs_of(all, "training.");
  set.held_out = pairs_of(all, "held_out.");
  if (set.training.empty()) throw Failure(path.string() + ": no prepared training samples");
  set.photos = stored_number(path, file.header(), "photos");
  set.clips = stored_number(path, file.header(), "clips");
  return set;
}

}  // namespace kinora::train

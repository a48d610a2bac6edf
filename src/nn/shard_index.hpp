#pragma once
// The index of a model whose weights are split over several files, as Hugging Face libraries write it:
// {"metadata": {...}, "weight_map": {"tensor.name": "diffusion_pytorch_model-00001-of-00004.safetensors", ...}}. Pure; errors: LoadError.
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace kinora::nn {

inline constexpr std::size_t kMaxShardIndexBytes = 32 << 20;
inline constexpr std::size_t kMaxShards = 4096;

struct ShardIndex {
  std::map<std::string, std::string> weight_map;  // tensor -> file name
  std::set<std::string> files() const;            // every file name once
};

// The file names are plain: no folder, no "..", nothing hidden, so that an index cannot reach outside its folder.
ShardIndex parse_shard_index(std::string_view json, std::string_view file);

}  // namespace kinora::nn

#include "nn/shard_index.hpp"

#include <nlohmann/json.hpp>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

bool plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

}  // namespace

std::set<std::string> ShardIndex::files() const {
  std::set<std::string> names;
  for (const auto& [tensor, shard] : weight_map) names.insert(shard);
  return names;
}

ShardIndex parse_shard_index(std::string_view json, std::string_view file) {
  if (json.size() > kMaxShardIndexBytes) throw LoadError(file, "", "larger than the limit of 32 MiB");
  const auto document = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) throw LoadError(file, "", "not a JSON object");
  const auto map = document.find("weight_map");
  if (map == document.end() || !map->is_object() || map->empty())
    throw LoadError(file, "weight_map", "must be an object that gives every tensor's file");
  ShardIndex index;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string() || !plain_name(shard.get_ref<const std::string&>()))
      throw LoadError(file, "weight_map." + tensor, "must be the plain name of a file beside the index");
    index.weight_map.emplace(tensor, shard.get<std::string>());
  }
  if (index.files().size() > kMaxShards) throw LoadError(file, "weight_map", "names more than the limit of 4096 files");
  return index;
}

}  // namespace kinora::nn

#pragma once
// Which files of a repository are fetched. Pure.
//
// Without patterns, what the runner can load and nothing twice: configurations, tokenizers, safetensors (other weight files only where a
// folder has no safetensors), one precision (the fp16 files where a component has both, as the loader prefers them), and no
// single-file checkpoint beside a complete folder layout. With patterns, exactly what they name, as huggingface_hub's allow and ignore
// patterns do: shell wildcards over the whole path, "*" also matches "/", a trailing "/" means all below.
#include <string>
#include <string_view>
#include <vector>

#include "hub/repository.hpp"

namespace kinora::hub {

struct Selection {
  std::vector<std::string> include = {};  // empty: the rule above
  std::vector<std::string> exclude = {};  // taken away from either
  bool everything = false;                // all files
  bool full_precision = false;            // where both are there, not the fp16 files
};

bool matches(std::string_view path, std::string_view pattern);
std::vector<RemoteFile> select(const std::vector<RemoteFile>& files, const Selection& selection);

}  // namespace kinora::hub

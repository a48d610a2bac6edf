#pragma once
// A model as hub tools keep it: models--OWNER--NAME/snapshots/<commit>/ with refs/main naming the commit (docs/hub.md). The one place
// that says which snapshot is meant. Looks at names only.
#include <filesystem>
#include <optional>
#include <string>

namespace kinora::base {

struct HubSnapshot {
  std::string id;  // "OWNER/NAME"
  std::filesystem::path path;
};
// nullopt: no folder of that kind, or without a snapshot. Of several snapshots the one that refs/main names, else the newest.
std::optional<HubSnapshot> find_hub_snapshot(const std::filesystem::path& folder);

}  // namespace kinora::base

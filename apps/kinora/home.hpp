#pragma once
// KINORA_HOME (default ~/.kinora, mode 0700): where a node keeps what outlives it.
//
//   config.toml   settings            data/       job store and media
//   tls/<role>/   certificates        models/     model folders of the operator
//   secrets/      one file a secret, mode 0600     run/<pid>.json  what runs here
//   worker/<name>/  work folder of a worker
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace kinora::cli {

struct RunningNode {
  std::string api;  // "http://127.0.0.1:8935"
  std::string pin;  // of its key, when api is https
  int pid = 0;
  std::vector<std::string> roles;
  base::json::array devices;  // of its worker: [{"id": "cpu", ...}]
};

class Home {
 public:
  // From KINORA_HOME or HOME; makes the folder.
  static base::Result<Home> open();

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config_file() const { return root_ / "config.toml"; }
  std::filesystem::path data() const { return root_ / "data"; }
  std::filesystem::path models() const { return root_ / "models"; }
  std::filesystem::path tls(std::string_view role) const { return root_ / "tls" / role; }

  // A secret's text; nullopt when there is none of that name.
  base::Result<std::optional<std::string>> secret(std::string_view name) const;
  base::Status keep_secret(std::string_view name, std::string_view text) const;
  // The secret, made from 32 random bytes (hex) when there is none.
  base::Result<std::string> secret_or_new(std::string_view name) const;

  // What runs in this home, roles and devices of all living processes together; pid and api are of the one with the
  // gateway. nullopt: nothing runs.
  std::optional<RunningNode> running_node() const;
  // This process's entry; withdrawn at the end, and void once the process is gone.
  base::Status announce(const RunningNode& node) const;
  void withdraw() const;
  // One gateway a home: conflict when another process has it. Held until the process ends.
  base::Status lock(std::string_view role) const;

 private:
  explicit Home(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace kinora::cli

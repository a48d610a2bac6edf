#pragma once
// Settings from four places, later ones win: defaults, a TOML file, KINORA_* environment variables, command line flags.
// A key is "section.name"; in TOML [section] name = ..., in the environment KINORA_SECTION_NAME. An unknown key in any
// of them is an error that names the nearest known one. Pure: text and environment are handed in.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace kinora::base {

using ConfigValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

struct ConfigKey {
  std::string name;      // "gateway.listen"
  ConfigValue fallback;  // also fixes the type
  std::string doc;       // one line for --help and the commented example file
  std::int64_t min = 0;  // for integers
  std::int64_t max = INT64_MAX;
};

class Config {
 public:
  // environment: names and values of the process. KINORA_<SECTION>_<NAME> of one of the keys' sections must be known, but for
  // those in `other_variables`; of all others those are errors that are at most two edits from a known one. A list in the environment is
  // separated by commas. toml_name is used in messages.
  static Result<Config> load(std::span<const ConfigKey> keys, std::string_view toml, std::string_view toml_name,
                             const std::map<std::string, std::string>& environment, std::span<const std::string> other_variables,
                             const std::map<std::string, std::string>& flags);

  const std::string& text(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
  // Where the value came from: "default", "file", "environment", "flag".
  std::string_view origin(std::string_view name) const;

 private:
  struct Entry {
    ConfigValue value;
    std::string_view origin;
  };
  const Entry& entry(std::string_view name) const;
  std::map<std::string, Entry, std::less<>> values_;
};

// "KINORA_GATEWAY_LISTEN" for "gateway.listen".
std::string environment_name(std::string_view key);
// A commented TOML file with every key at its default.
std::string example_config(std::span<const ConfigKey> keys);

}  // namespace kinora::base

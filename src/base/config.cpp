#include "base/config.hpp"

#include <fmt/format.h>
// toml++ 3.3 trips over its own asserts on some broken files, such as "[}": made a parse failure, in every build.
#undef NDEBUG
#include <stdexcept>
#define TOML_ASSERT(condition) ((condition) ? void() : throw std::invalid_argument("a key is expected"))
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/nearest.hpp"

namespace kinora::base {
namespace {

constexpr std::size_t kSlip = 2;  // edits

const ConfigKey* find_key(std::span<const ConfigKey> keys, std::string_view name) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

Error unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  const auto meant = nearest(name, known);
  return {ErrorCode::invalid, fmt::format("unknown {} \"{}\"{}", what, name, meant ? "; did you mean \"" + *meant + "\"?" : "")};
}

std::string_view type_name(const ConfigValue& value) {
  constexpr std::string_view names[] = {"a string", "an integer", "true or false", "a list of strings"};
  return names[value.index()];
}

Status check_range(const ConfigKey& key, std::int64_t value) {
  if (value < key.min || value > key.max)
    return fail(ErrorCode::invalid, fmt::format("{} is {}, must be between {} and {}", key.name, value, key.min, key.max));
  return {};
}

// Text (environment, flags) to the key's type.
Result<ConfigValue> from_text(const ConfigKey& key, const std::string& text) {
  if (std::holds_alternative<std::string>(key.fallback)) return text;
  if (std::holds_alternative<bool>(key.fallback)) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
  } else if (std::holds_alternative<std::int64_t>(key.fallback)) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) {
      KINORA_OK(check_range(key, value));
      return value;
    }
  } else {
    std::vector<std::string> items;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      if (comma > at) items.push_back(text.substr(at, comma - at));
      at = comma + 1;
    }
    return items;
  }
  return fail(ErrorCode::invalid, fmt::format("{} must be {}", key.name, type_name(key.fallback)));
}

// toml++ 3.3 has undefined behaviour on some characters beyond ASCII outside strings. It never sees any: each of their bytes,
// and '%', is written as %hh before parsing, which is an error outside strings, and read back in values.
std::string hide_non_ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || c == '%')
      out += fmt::format("%{:02x}", byte);
    else
      out += c;
  }
  return out;
}
std::string show_non_ascii(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : Result<Bytes>(Bytes());
    if (text[i] == '%' && byte && byte->size() == 1) {
      out += static_cast<char>((*byte)[0]);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<ConfigValue> from_toml(const ConfigKey& key, const toml::node& node) {
  if (std::holds_alternative<std::string>(key.fallback)) {
    if (const auto* value = node.as_string()) return show_non_ascii(value->get());
  } else if (std::holds_alternative<bool>(key.fallback)) {
    if (const auto* value = node.as_boolean()) return value->get();
  } else if (std::holds_alternative<std::int64_t>(key.fallback)) {
    if (const auto* value = node.as_integer()) {
      KINORA_OK(check_range(key, value->get()));
      return value->get();
    }
  } else if (const auto* items = node.as_array()) {
    std::vector<std::string> list;
    for (const toml::node& item : *items) {
      const auto* text = item.as_string();
      if (text == nullptr) return fail(ErrorCode::invalid, key.name + " must be a list of strings");
      list.push_back(show_non_ascii(text->get()));
    }
    return list;
  }
  return fail(ErrorCode::invalid, fmt::format("{} must be {}", key.name, type_name(key.fallback)));
}

Result<toml::table> parse_toml(std::string_view text, std::string_view name) {
  try {
    return toml::parse(hide_non_ascii(text), name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid, fmt::format("{} line {}: {}", name, error.source().begin.line, error.description()));
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, fmt::format("{}: {}", name, error.what()));
  }
}

}  // namespace

Result<Config> Config::load(std::span<const ConfigKey> keys, std::string_view toml, std::string_view toml_name,
                            const std::map<std::string, std::string>& environment, std::span<const std::string> other_variables,
                            const std::map<std::string, std::string>& flags) {
  Config config;
  std::vector<std::string> names;
  std::vector<std::string> sections;
  std::vector<std::string> variables;
  for (const ConfigKey& key : keys) {
    config.values_[key.name] = {key.fallback, "default"};
    names.push_back(key.name);
    sections.push_back(key.name.substr(0, key.name.find('.')));
    variables.push_back(environment_name(key.name));
  }

  KINORA_TRY(const toml::table parsed, parse_toml(toml, toml_name));
  for (const auto& [section, content] : parsed) {
    const toml::table* members = content.as_table();
    if (members == nullptr) return fail(unknown("key", section.str(), names).within(toml_name));
    if (std::find(sections.begin(), sections.end(), section.str()) == sections.end())
      return fail(unknown("section", section.str(), sections).within(toml_name));
    for (const auto& [member, node] : *members) {
      const std::string name = fmt::format("{}.{}", section.str(), member.str());
      const ConfigKey* key = find_key(keys, name);
      if (key == nullptr) return fail(unknown("key", name, names).within(toml_name));
      auto value = from_toml(*key, node);
      if (!value) return fail(value.error().within(fmt::format("{} line {}", toml_name, node.source().begin.line)));
      config.values_[name] = {*std::move(value), "file"};
    }
  }

  for (const auto& [variable, text] : environment) {
    if (!variable.starts_with("KINORA_") || std::find(other_variables.begin(), other_variables.end(), variable) != other_variables.end())
      continue;
    const auto found = std::find(variables.begin(), variables.end(), variable);
    if (found == variables.end()) {
      // Within one of our sections, or a slip of the pen away from a setting: other KINORA_ names may belong to other programs.
      const bool ours = std::any_of(sections.begin(), sections.end(),
                                    [&](const std::string& section) { return variable.starts_with(environment_name(section) + "_"); });
      if (ours || nearest(variable, variables, kSlip)) return fail(unknown("environment variable", variable, variables));
      continue;
    }
    const ConfigKey& key = keys[static_cast<std::size_t>(found - variables.begin())];
    auto value = from_text(key, text);
    if (!value) return fail(value.error().within("environment variable " + variable));
    config.values_[key.name] = {*std::move(value), "environment"};
  }

  for (const auto& [name, text] : flags) {
    const ConfigKey* key = find_key(keys, name);
    if (key == nullptr) return fail(unknown("key", name, names));
    auto value = from_text(*key, text);
    if (!value) return fail(std::move(value).error());
    config.values_[name] = {*std::move(value), "flag"};
  }
  return config;
}

const Config::Entry& Config::entry(std::string_view name) const {
  const auto found = values_.find(name);
  KINORA_CHECK(found != values_.end());
  return found->second;
}
const std::string& Config::text(std::string_view name) const { return std::get<std::string>(entry(name).value); }
std::int64_t Config::integer(std::string_view name) const { return std::get<std::int64_t>(entry(name).value); }
bool Config::flag(std::string_view name) const { return std::get<bool>(entry(name).value); }
const std::vector<std::string>& Config::list(std::string_view name) const { return std::get<std::vector<std::string>>(entry(name).value); }
std::string_view Config::origin(std::string_view name) const { return entry(name).origin; }

std::string environment_name(std::string_view key) {
  std::string out = "KINORA_";
  for (const char c : key) out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string example_config(std::span<const ConfigKey> keys) {
  std::string out;
  std::string section;
  for (const ConfigKey& key : keys) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) {
      section = key.name.substr(0, dot);
      out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    }
    std::string value;
    if (const auto* text = std::get_if<std::string>(&key.fallback))
      value = '"' + *text + '"';
    else if (const auto* number = std::get_if<std::int64_t>(&key.fallback))
      value = std::to_string(*number);
    else if (const auto* truth = std::get_if<bool>(&key.fallback))
      value = *truth ? "true" : "false";
    else {
      for (const std::string& item : std::get<std::vector<std::string>>(key.fallback))
        value += (value.empty() ? "\"" : ", \"") + item + '"';
      value.insert(0, 1, '[').push_back(']');
    }
    out += fmt::format("# {}\n# {} = {}\n", key.doc, key.name.substr(dot + 1), value);
  }
  return out;
}

}  // namespace kinora::base

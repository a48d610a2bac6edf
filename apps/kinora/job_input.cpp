#include "kinora/job_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/nearest.hpp"
#include "base/ulid.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;
using base::ErrorCode;

// The value's type is the parameter's; what fits no type stays text, and the gateway says what is wrong with it.
json::value typed(const tasks::ParamSpec* param, const std::string& text) {
  if (param == nullptr || param->type == tasks::ParamType::string) return json::value(text);
  if (param->type == tasks::ParamType::array && !text.starts_with('[')) {
    json::array items;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      if (comma > at) items.emplace_back(text.substr(at, comma - at));
      at = comma + 1;
    }
    return items;
  }
  const auto value = base::parse_json(text);
  return value ? *value : json::value(text);
}

// Media that the gateway fetches or has; null: neither a URL nor an artifact's id.
json::value named_media(const std::string& word) {
  if (is_url(word)) return {{"url", word}};
  if (base::is_id("art", word)) return {{"artifact", word}};
  return nullptr;
}

std::string known_params(const tasks::TaskSpec& task) {
  std::vector<std::string_view> names;
  for (const tasks::ParamSpec& param : task.params)
    if (!param.internal) names.push_back(param.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void JobInput::put(const File& file, json::value media) {
  if (!file.many) {
    value[file.slot] = std::move(media);
    return;
  }
  if (!value.contains(file.slot)) value[file.slot] = json::array();
  value[file.slot].as_array().push_back(std::move(media));
}

void JobInput::take_format(const tasks::TaskSpec& task, const fs::path& output) {
  const tasks::ParamSpec* param = task.find_param("format");
  if (param == nullptr || value.contains("format") || !output.has_extension()) return;
  std::string wanted = output.extension().string().substr(1);
  if (wanted == "jpg") wanted = "jpeg";
  if (std::ranges::find(param->values, wanted) != param->values.end()) value["format"] = wanted;
}

base::Result<JobInput> read_job_input(const tasks::TaskSpec& task, const std::vector<std::string>& words,
                                      const std::vector<std::string>& sets) {
  JobInput input;
  const bool has_prompt = task.find_param("prompt") != nullptr;
  std::size_t slot = 0;
  for (const std::string& word : words) {
    std::error_code error;
    const json::value named = named_media(word);
    if ((!named.is_null() || fs::is_regular_file(word, error)) && slot < task.inputs.size()) {
      input.files.push_back({std::string(task.inputs[slot].slot), task.inputs[slot].many, word, named});
      if (!task.inputs[slot].many) ++slot;
    } else if (has_prompt && !input.value.contains("prompt")) {
      input.value["prompt"] = word;
    } else if (slot >= task.inputs.size()) {
      return base::fail(ErrorCode::invalid, fmt::format("{} takes no further input: \"{}\"", task.name, word));
    } else {
      return base::fail(ErrorCode::not_found, fmt::format("there is no file {}", word));
    }
  }
  for (const tasks::InputSlot& wanted : task.inputs) {
    if (!wanted.required) continue;
    const bool given =
        std::any_of(input.files.begin(), input.files.end(), [&](const JobInput::File& file) { return file.slot == wanted.slot; });
    if (!given)
      return base::fail(ErrorCode::invalid, fmt::format("{} needs a file for its input \"{}\" ({})", task.name, wanted.slot, wanted.doc));
  }
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) return base::fail(ErrorCode::invalid, "--set wants key=value, not \"" + set + "\"");
    const std::string key = set.substr(0, equals);
    const tasks::ParamSpec* param = task.find_param(key);
    if (param == nullptr || param->internal) {
      std::vector<std::string> names;
      for (const tasks::ParamSpec& known : task.params) names.emplace_back(known.name);
      const auto meant = base::nearest(key, names);
      return base::fail(ErrorCode::invalid, fmt::format("{} has no parameter \"{}\"{}; it has: {}", task.name, key,
                                                        meant ? "; did you mean \"" + *meant + "\"?" : "", known_params(task)));
    }
    input.value[key] = typed(param, set.substr(equals + 1));
  }
  return input;
}

base::Result<json::array> read_adapters(const std::vector<std::string>& words) {
  json::array adapters;
  for (const std::string& word : words) {
    const auto colon = word.rfind(':');
    const std::string id = word.substr(0, colon);
    double scale = 1;
    if (colon != std::string::npos) {
      const char* const end = word.data() + word.size();
      const auto read = std::from_chars(word.data() + colon + 1, end, scale);
      if (read.ec != std::errc() || read.ptr != end)
        return base::fail(ErrorCode::invalid, fmt::format("--lora {}: after the colon stands a number, as in {}:0.8", word, id));
    }
    if (id.empty()) return base::fail(ErrorCode::invalid, "--lora " + word + ": names no LoRA");
    adapters.push_back(json::object{{"adapter", id}, {"scale", scale}});
  }
  return adapters;
}

std::vector<OutputItem> output_items(const json::object& output) {
  std::vector<OutputItem> items;
  const auto add = [&](std::string_view slot, const json::value& value) {
    const json::object* from = value.if_object();
    if (from == nullptr) return;
    const auto text = [&](std::string_view key) -> std::string {
      const json::value* found = from->if_contains(key);
      return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const OutputItem item{std::string(slot), text("artifact"), text("filename"), text("url"), from->contains("files"), {}};
    if (!item.artifact.empty()) items.push_back(item);
  };
  for (const auto& [slot, value] : output) {
    if (const json::array* several = value.if_array())
      for (const json::value& item : *several) add(slot, item);
    else
      add(slot, value);
  }
  return items;
}

base::Result<std::vector<Download>> plan_downloads(const std::vector<OutputItem>& items, const std::string& to) {
  if (items.empty()) return base::fail(ErrorCode::not_found, "the job made no file");
  std::error_code error;
  const bool folder = items.size() > 1 || items[0].several || to.ends_with('/') || fs::is_directory(to, error);
  if (folder && fs::is_regular_file(to, error))
    return base::fail(ErrorCode::conflict, fmt::format("the job made several files, but {} is a file; give a folder", to));
  std::vector<Download> downloads;
  const auto add = [&](std::string url, const fs::path& name) -> base::Status {
    const bool inside =
        !name.empty() && name.is_relative() && std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
    if (!inside || url.empty())
      return base::fail(ErrorCode::invalid, "the gateway names a file that lies outside the folder: " + name.string());
    downloads.push_back({std::move(url), folder ? fs::path(to) / name : fs::path(to)});
    return {};
  };
  for (const OutputItem& item : items) {
    if (!item.several) KINORA_OK(add(item.url, item.filename.empty() ? item.slot : item.filename));
    for (const std::string& name : item.names)
      KINORA_OK(add("/v1/artifacts/" + item.artifact + "/files/" + name, fs::path(item.slot) / name));
  }
  return downloads;
}

namespace {

void write_pretty(std::string& out, const json::value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  if (const json::object* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& [key, item] : *object) {
      out += (first ? "" : ",\n") + indent + "  " + json::serialize(json::string(key)) + ": ";
      first = false;
      write_pretty(out, item, depth + 1);
    }
    out += "\n" + indent + "}";
  } else if (const json::array* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[\n";
    bool first = true;
    for (const json::value& item : *array) {
      out += (first ? "" : ",\n") + indent + "  ";
      first = false;
      write_pretty(out, item, depth + 1);
    }
    out += "\n" + indent + "]";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string pretty_json(const json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  return out;
}

std::vector<std::string> notes_of(const json::object& job) {
  std::vector<std::string> notes;
  const auto take = [&notes](const json::object& from) {
    const json::value* found = from.if_contains("notes");
    if (found == nullptr || !found->is_array()) return;
    for (const json::value& note : found->get_array())
      if (note.is_string()) notes.emplace_back(note.get_string());
  };
  const json::value* output = job.if_contains("output");
  if (output == nullptr || !output->is_object()) return notes;
  take(output->get_object());
  for (const auto& part : output->get_object())
    if (part.value().is_object()) take(part.value().get_object());
  return notes;
}

std::string pretty_output(const json::object& job) {
  const json::value* output = job.if_contains("output");
  return output == nullptr ? "{}" : pretty_json(*output);
}

}  // namespace kinora::cli

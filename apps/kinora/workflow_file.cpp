#include "kinora/workflow_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/nearest.hpp"
#include "kinora/job_input.hpp"
#include "runs/request.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;
using base::ErrorCode;

// Where an argument stands in the steps.
struct Use {
  bool media = false;     // in a slot for files
  bool many = false;      // as a list of them
  bool text = false;      // in a text, or as a parameter that is one
  bool required = false;  // somewhere without a "?"
};
using Uses = std::map<std::string, Use>;

base::Error error_of(const tasks::Problem& problem) {
  std::string message = problem.detail + " (" + problem.code + ")";
  for (const auto& field : problem.errors) message += "\n  " + field.pointer + ": " + field.detail;
  return {ErrorCode::invalid, message};
}

std::vector<runs::Reference> references_in(const json::value& value) {
  base::FieldErrors checked_already;
  std::vector<runs::Reference> out;
  runs::scan_template(value, "", checked_already, out);
  return out;
}

// The argument that a reference means: its own, or, of a loop's variable, that of the list.
const std::string* argument_of(const runs::Path& path, const runs::Step& step, std::vector<runs::Reference>& list) {
  if (path.root == "args") return path.parts.empty() ? nullptr : &path.parts[0].name;
  if (!step.for_each || path.root != step.for_each->as) return nullptr;
  list = references_in(step.for_each->in);
  return list.size() == 1 && list[0].path.root == "args" && !list[0].path.parts.empty() ? &list[0].path.parts[0].name : nullptr;
}

void note_input(const runs::Step& step, const tasks::TaskSpec& task, std::string_view field, const json::value& value, Uses& uses) {
  const tasks::InputSlot* slot = task.find_input(field);
  const tasks::ParamSpec* param = task.find_param(field);
  for (const runs::Reference& reference : references_in(value)) {
    std::vector<runs::Reference> list;
    const std::string* name = argument_of(reference.path, step, list);
    if (name == nullptr) continue;
    Use& use = uses[*name];
    if (slot != nullptr) {
      use.media = true;
      use.many = use.many || !list.empty() || (slot->many && !value.is_array());
    } else if (reference.pointer.ends_with("$tpl") || (param != nullptr && param->type == tasks::ParamType::string)) {
      use.text = true;
    }
  }
}

Uses uses_of(const runs::Definition& definition) {
  Uses uses;
  for (const runs::Step& step : definition.steps) {
    for (const runs::Reference& reference : step.references)
      if (reference.path.root == "args" && !reference.path.parts.empty())
        uses[reference.path.parts[0].name].required |= !reference.optional && !reference.pointer.ends_with("/when");  // may ask for null
    for (const json::object& body : step.variants) {
      const tasks::TaskSpec* task = tasks::find_task(std::string_view(body.at("task").as_string()));
      const json::value* input = body.if_contains("input");
      if (task == nullptr || input == nullptr || !input->is_object()) continue;
      for (const auto& member : input->get_object()) note_input(step, *task, member.key(), member.value(), uses);
    }
  }
  return uses;
}

class Reader {
 public:
  Reader(WorkflowInput& out, Uses uses) : out_(out), uses_(std::move(uses)) {
    for (const auto& member : args()) names_.emplace_back(member.key());
    for (const auto& [name, use] : uses_)
      if (!args().contains(name)) names_.push_back(name);
  }

  base::Status set(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) return base::fail(ErrorCode::invalid, "--arg wants name=value, not \"" + text + "\"");
    const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      const auto meant = base::nearest(name, names_);
      return base::fail(ErrorCode::invalid, fmt::format("the workflow has no argument \"{}\"{}; it has: {}", name,
                                                        meant ? "; did you mean \"" + *meant + "\"?" : "",
                                                        names_.empty() ? "none" : fmt::format("{}", fmt::join(names_, ", "))));
    }
    const Use& use = uses_[name];
    if (given_.contains(name) && !use.many) return base::fail(ErrorCode::invalid, fmt::format("--arg {} is given twice", name));
    return use.media || is_file_of_unknown_use(name, value) ? give_media(name, value) : give_value(name, value);
  }

  base::Status word(const std::string& text) {
    std::error_code error;
    if (is_url(text) || fs::is_regular_file(text, error)) {
      const std::string* name = next_media();
      if (name == nullptr) return base::fail(ErrorCode::invalid, fmt::format("the workflow takes no further file: {}", text));
      return give_media(*name, text);
    }
    if (const std::string* name = text_argument(); name != nullptr && !given_.contains(*name)) {
      given_.insert(*name);
      args()[*name] = text;
      return {};
    }
    return base::fail(ErrorCode::not_found, fmt::format("there is no file {}, and the workflow takes no further text", text));
  }

  base::Status finish() const {
    std::vector<std::string> missing;
    for (const std::string& name : names_) {
      if (given_.contains(name)) continue;
      const json::value* value = out_.body.at("args").as_object().if_contains(name);
      const auto use = uses_.find(name);
      if ((value == nullptr || value->is_null()) && use != uses_.end() && use->second.required)
        missing.push_back(fmt::format("--arg {}=<{}>", name, use->second.media ? "file" : use->second.text ? "text" : "value"));
    }
    if (missing.empty()) return {};
    return base::fail(ErrorCode::invalid, fmt::format("the workflow needs {}", fmt::join(missing, " ")));
  }

 private:
  json::object& args() { return out_.body.at("args").as_object(); }

  // An argument that only a workflow inside this one uses.
  bool is_file_of_unknown_use(const std::string& name, const std::string& value) {
    const json::value* before = args().if_contains(name);
    std::error_code error;
    return !uses_[name].text && (before == nullptr || !before->is_string()) && fs::is_regular_file(value, error);
  }

  base::Status give_media(const std::string& name, const std::string& value) {
    const bool many = uses_[name].many;
    given_.insert(name);
    std::error_code error;
    if (fs::is_regular_file(value, error)) {
      if (many && fresh_lists_.insert(name).second) args()[name] = json::array();
      out_.files.push_back({name, many, value});
      return {};
    }
    if (value.starts_with("art_") || is_url(value)) {
      if (many && fresh_lists_.insert(name).second) args()[name] = json::array();
      out_.put({name, many, ""}, {{is_url(value) ? "url" : "artifact", value}});
      return {};
    }
    if (const auto media = base::parse_json(value); media && (media->is_object() || media->is_array())) {
      args()[name] = *media;
      return {};
    }
    return base::fail(ErrorCode::not_found, fmt::format("--arg {}: there is no file {}", name, value));
  }

  base::Status give_value(const std::string& name, const std::string& value) {
    given_.insert(name);
    const json::value* before = args().if_contains(name);
    const auto parsed = base::parse_json(value);
    const bool text =
        !parsed || (before != nullptr && before->is_string()) || (uses_[name].text && (before == nullptr || before->is_null()));
    args()[name] = text ? json::value(value) : *parsed;
    return {};
  }

  const std::string* next_media() {
    const std::string* list = nullptr;
    for (const std::string& name : names_) {
      if (!uses_[name].media) continue;
      if (!given_.contains(name)) return &name;
      if (uses_[name].many) list = &name;
    }
    return list;
  }

  const std::string* text_argument() {
    const std::string* first = nullptr;
    for (const std::string& name : names_) {
      const json::value* value = args().if_contains(name);
      const bool text =
          !uses_[name].media && ((value != nullptr && value->is_string()) || (uses_[name].text && (value == nullptr || value->is_null())));
      if (text && name == "prompt") return &name;
      if (text && first == nullptr) first = &name;
    }
    return first;
  }

  WorkflowInput& out_;
  Uses uses_;
  std::vector<std::string> names_;  // in the file's order
  std::set<std::string> given_, fresh_lists_;
};

}  // namespace

void WorkflowInput::put(const File& file, json::value media) {
  json::object& args = body.at("args").as_object();
  if (file.many)
    args[file.arg].as_array().push_back(std::move(media));
  else
    args[file.arg] = std::move(media);
}

base::Result<WorkflowInput> read_workflow(std::string_view text, const std::vector<std::string>& words,
                                          const std::vector<std::string>& sets) {
  KINORA_TRY(const json::value value, base::parse_json(text));
  auto request = runs::parse_run_request(value);
  if (!request) return base::fail(error_of(request.error()));
  if (request->workflow) return base::fail(ErrorCode::invalid, "the file names a saved workflow; give a file with `steps`");
  const auto definition = runs::parse_definition(request->definition);
  if (!definition) return base::fail(error_of(definition.error()));
  if (const auto fits = runs::check_types(*definition, nullptr); !fits) return base::fail(error_of(fits.error()));
  WorkflowInput out;
  out.body = value.get_object();
  if (!out.body.contains("args")) out.body["args"] = json::object();
  for (const runs::Output& output : definition->outputs) out.outputs.push_back(output.name);
  for (const runs::Step& step : definition->steps)
    if (!step.variants.empty() && step.when.empty() && step.on_failure == runs::OnFailure::fail)
      out.tasks.emplace_back(step.variants.front().at("task").as_string());
  Reader reader(out, uses_of(*definition));
  for (const std::string& set : sets) KINORA_OK(reader.set(set));
  for (const std::string& word : words) KINORA_OK(reader.word(word));
  KINORA_OK(reader.finish());
  return out;
}

}  // namespace kinora::cli

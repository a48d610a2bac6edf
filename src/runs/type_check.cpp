// What a reference gives against what its place takes (definition.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/nearest.hpp"
#include "jobs/submission.hpp"
#include "runs/definition.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::runs {
namespace {

using base::FieldErrors;
using tasks::MediaKind;

struct Type {
  enum class Kind { any, null, boolean, number, text, object, list, media } kind = Kind::any;
  MediaKind media = MediaKind::media;  // of media, or of a list of media
  bool list_of_media = false;
};

std::string say(const Type& type) {
  switch (type.kind) {
    case Type::Kind::null: return "null";
    case Type::Kind::boolean: return "a boolean";
    case Type::Kind::number: return "a number";
    case Type::Kind::text: return "a text";
    case Type::Kind::object: return "an object";
    case Type::Kind::list: return type.list_of_media ? "a list of " + std::string(name(type.media)) + "s" : "a list";
    case Type::Kind::media: return "media of kind " + std::string(name(type.media));
    default: return "anything";
  }
}

Type type_of(const json::value& value) {
  if (value.is_null()) return {Type::Kind::null};
  if (value.is_bool()) return {Type::Kind::boolean};
  if (value.is_number()) return {Type::Kind::number};
  if (value.is_string()) return {Type::Kind::text};
  if (value.is_array()) return {Type::Kind::list};
  const json::object& object = value.get_object();
  for (const std::string_view media : {"artifact", "upload", "url", "job"})
    if (object.contains(media)) return {Type::Kind::any};
  return {Type::Kind::object};
}

constexpr std::array kMediaFields{"artifact", "url",  "url_expires_at", "mime",  "bytes", "sha256",
                                  "filename", "file", "files",          "video", "audio", "image"};

struct Checker {
  const Definition& definition;
  const json::value* args;
  FieldErrors errors = {};

  void wrong(const std::string& pointer, std::string detail) { errors.push_back({pointer, "not_allowed", std::move(detail)}); }

  std::string unknown(std::string_view what, const std::string& given, const std::vector<std::string>& names) {
    const auto meant = base::nearest(given, names);
    return fmt::format("there is no {} \"{}\"{}", what, given,
                       meant ? "; did you mean \"" + *meant + "\"?" : "; there are: " + fmt::format("{}", fmt::join(names, ", ")));
  }

  // A media value's members.
  Type field_of_media(const Path& path, std::size_t at, MediaKind kind, const std::string& pointer) {
    if (at == path.parts.size()) return {Type::Kind::media, kind};
    const PathPart& part = path.parts[at];
    const std::vector<std::string> fields(kMediaFields.begin(), kMediaFields.end());
    if (part.kind != PathPart::Kind::name)
      wrong(pointer, to_string(path) + " indexes a single " + std::string(name(kind)));
    else if (std::find(fields.begin(), fields.end(), part.name) == fields.end())
      wrong(pointer, unknown("member of media called", part.name, fields));
    else if (at + 1 == path.parts.size() && part.name != "video" && part.name != "audio" && part.name != "image")
      return {part.name == "bytes" || part.name == "files" ? Type::Kind::number : Type::Kind::text};
    return {};
  }
  Type output_of_task(const Step& step, const Path& path, std::size_t at, bool mapped, const std::string& pointer) {
    if (at == path.parts.size()) return {mapped ? Type::Kind::list : Type::Kind::object};
    const PathPart& part = path.parts[at];
    if (part.kind != PathPart::Kind::name) {
      wrong(pointer, "an output is no list");
      return {};
    }
    std::vector<std::string> slots;
    const tasks::OutputSlot* found = nullptr;
    for (const json::object& body : step.variants) {
      const json::value* task = body.if_contains("task");
      const tasks::TaskSpec* spec = task != nullptr && task->is_string() ? tasks::find_task(std::string_view(task->get_string())) : nullptr;
      if (spec == nullptr) return {};
      for (const tasks::OutputSlot& slot : spec->outputs) {
        slots.emplace_back(slot.slot);
        if (found == nullptr && slot.slot == part.name) found = &slot;
      }
    }
    if (part.name == "params" || part.name == "seed" || part.name == "verification" || part.name == "delivery") return {};
    if (found == nullptr) {
      wrong(pointer, unknown("output \"" + step.id + "\" of that name:", part.name, slots));
      return {};
    }
    if (!found->file || found->slot == "hls") return {};
    ++at;
    bool many = mapped;
    if (found->many) {
      if (at == path.parts.size()) {
        many = true;
      } else if (path.parts[at].kind == PathPart::Kind::name) {
        wrong(pointer, fmt::format("{} holds several files: write {}[0] or {}[*]", part.name, part.name, part.name));
        return {};
      } else {
        many = many || path.parts[at].kind == PathPart::Kind::all;
        ++at;
      }
    }
    Type type = field_of_media(path, at, found->kind, pointer);
    if (!many) return type;
    return {Type::Kind::list, type.media, type.kind == Type::Kind::media};
  }
  Type step_path(const Path& path, const std::string& pointer) {
    const Step& step = *definition.find(path.step);
    std::size_t at = 0;
    bool mapped = false;
    if (step.for_each) {
      if (path.parts.empty()) return {Type::Kind::object};
      const PathPart& part = path.parts[0];
      if (part.kind == PathPart::Kind::name) {
        if (part.name == "output" && path.parts.size() > 1 && path.parts[1].kind == PathPart::Kind::name && path.parts[1].name != "items" &&
            path.parts[1].name != "succeeded" && path.parts[1].name != "failed")
          wrong(pointer,
                fmt::format("\"{}\" runs for each item: write steps.{}[*].output... or steps.{}[0].output...", step.id, step.id, step.id));
        return {};
      }
      mapped = part.kind == PathPart::Kind::all;
      at = 1;
    }
    if (at == path.parts.size()) return {mapped ? Type::Kind::list : Type::Kind::object};
    const PathPart& part = path.parts[at];
    if (part.kind != PathPart::Kind::name) {
      wrong(pointer, fmt::format("\"{}\" has no items: it has no for_each", step.id));
      return {};
    }
    if (part.name != "output") {
      if (part.name != "status" && part.name != "error" && part.name != "cost" && part.name != "job")
        wrong(pointer, unknown("member of a step called", part.name, {"output", "status", "error", "cost", "job"}));
      return {};
    }
    if (step.gate || step.child) return {};
    return output_of_task(step, path, at + 1, mapped, pointer);
  }
  Type path_type(const Path& path, const Step* in, const std::string& pointer) {
    if (path.root == "steps") return step_path(path, pointer);
    if (path.root == "index") return {Type::Kind::number};
    if (path.root == "args" && args != nullptr) {
      Scope scope;
      scope.args = args;
      const auto value = resolve(path, scope);
      if (!value) {
        wrong(pointer, value.error().detail);
        return {};
      }
      return type_of(*value);
    }
    if (in != nullptr && in->for_each && path.root == in->for_each->as && path.parts.empty()) {
      if (const Type list = infer(in->for_each->in, nullptr, pointer); list.list_of_media) return {Type::Kind::media, list.media};
    }
    return {};
  }
  // Of a template; a $first is as good as its first item, each of which is checked where it is used.
  Type infer(const json::value& value, const Step* in, const std::string& pointer) {
    if (!is_form(value)) return type_of(value);
    const std::string_view form = value.get_object().begin()->key();
    const json::value& inner = value.get_object().begin()->value();
    if (form == "$lit") return type_of(inner);
    if (form == "$tpl") return {Type::Kind::text};
    if (form != "$ref") return {};
    return path_type(*parse_path(std::string_view(inner.get_string())), in, pointer);
  }

  template <class Check>
  void each_alternative(const json::value& value, const std::string& pointer, const Check& check) {
    if (is_form(value) && value.get_object().begin()->key() == "$first") {
      const json::array& items = value.get_object().begin()->value().get_array();
      for (std::size_t i = 0; i < items.size(); ++i) check(items[i], fmt::format("{}/$first/{}", pointer, i));
    } else {
      check(value, pointer);
    }
  }
  void media(const json::value& value, const Step& step, MediaKind wanted, bool many, const std::string& pointer) {
    each_alternative(value, pointer, [&](const json::value& one, const std::string& at) {
      const Type type = infer(one, &step, at);
      if (many && type.kind == Type::Kind::list) {
        if (type.list_of_media && !takes(wanted, type.media)) wrong(at, fmt::format("gives {}, {}s are needed", say(type), name(wanted)));
        return;
      }
      if (type.kind == Type::Kind::any || type.kind == Type::Kind::null) return;
      if (!many && type.kind == Type::Kind::media && takes(wanted, type.media)) return;
      if (!many && type.kind == Type::Kind::text) return;  // a data: URI; the job's own check tells
      std::string help;
      if (!many && wanted == MediaKind::image && type.kind == Type::Kind::media && type.media == MediaKind::video)
        help = "; take one frame by a step of task \"thumbnail\"";
      wrong(at, fmt::format("gives {}, {}{} is needed{}", say(type), many ? "a list of " : "", name(wanted), help));
    });
  }
  static bool takes(MediaKind wanted, MediaKind given) {
    return given == MediaKind::media || given == wanted || tasks::accepts(wanted, tasks::name(given));
  }

  void param(const json::value& value, const Step& step, const tasks::ParamSpec& spec, const std::string& pointer) {
    using tasks::ParamType;
    each_alternative(value, pointer, [&](const json::value& one, const std::string& at) {
      const Type type = infer(one, &step, at);
      const auto fits = [&] {
        switch (type.kind) {
          case Type::Kind::any:
          case Type::Kind::null: return true;
          case Type::Kind::boolean: return spec.type == ParamType::boolean;
          case Type::Kind::number: return spec.type == ParamType::integer || spec.type == ParamType::number;
          case Type::Kind::text: return spec.type == ParamType::string;
          case Type::Kind::list: return spec.type == ParamType::array;
          case Type::Kind::object: return spec.type == ParamType::object;
          default: return false;
        }
      };
      if (!fits())
        wrong(at,
              fmt::format("gives {}, {} {} is needed", say(type),
                          spec.type == ParamType::integer || spec.type == ParamType::array || spec.type == ParamType::object ? "an" : "a",
                          name(spec.type)));
    });
  }

  // Everything in it is known now: no step, no loop.
  static bool known_now(const json::value& value, const json::value* args) {
    FieldErrors ignored;
    std::vector<Reference> references;
    scan_template(value, "", ignored, references);
    return std::all_of(references.begin(), references.end(),
                       [&](const Reference& one) { return one.path.root == "args" && args != nullptr; });
  }

  void variant(const Step& step, std::size_t number) {
    const json::object& whole = step.variants[number];
    const std::string at = number == 0 ? step.pointer : fmt::format("{}/fallback/{}", step.pointer, number - 1);
    const json::value* name = whole.if_contains("task");
    const tasks::TaskSpec* task = name != nullptr && name->is_string() ? tasks::find_task(std::string_view(name->get_string())) : nullptr;
    json::object body = whole;
    std::vector<std::string> left_out;
    if (json::value* input = body.if_contains("input"); input != nullptr && input->is_object()) {
      json::object known;
      for (const auto& member : input->get_object()) {
        const std::string pointer = at + "/input/" + std::string(member.key());
        if (!is_dynamic(member.value())) {
          known[member.key()] = member.value();
          continue;
        }
        if (known_now(member.value(), args)) {
          Scope scope;
          scope.args = args;
          auto value = fill_in(member.value(), scope);
          if (!value)
            wrong(pointer, value.error().detail);
          else if (!value->is_null())
            known[member.key()] = std::move(*value);
          else if (!step.when.empty())
            left_out.emplace_back(member.key());  // null: `when` is to keep the step from running
          if (!value) left_out.emplace_back(member.key());
          continue;
        }
        left_out.emplace_back(member.key());
        if (task == nullptr) continue;
        if (const tasks::InputSlot* slot = task->find_input(member.key())) {
          const json::array* items = member.value().if_array();
          if (slot->many && items != nullptr)
            for (std::size_t i = 0; i < items->size(); ++i) media((*items)[i], step, slot->kind, false, fmt::format("{}/{}", pointer, i));
          else
            media(member.value(), step, slot->kind, slot->many, pointer);
        } else if (const tasks::ParamSpec* spec = task->find_param(member.key()); spec != nullptr && !spec->internal) {
          param(member.value(), step, *spec, pointer);
        } else {
          std::vector<std::string> names;
          for (const auto& known_slot : task->inputs) names.emplace_back(known_slot.slot);
          for (const auto& known_param : task->params)
            if (!known_param.internal) names.emplace_back(known_param.name);
          wrong(pointer, unknown("input called", std::string(member.key()), names));
        }
      }
      *input = std::move(known);
    }
    // The rest is checked as the job that it will be.
    const auto submission = jobs::parse_submission(body);
    if (submission) return;
    const bool whole_problem = submission.error().errors.empty();
    if (whole_problem) wrong(at, submission.error().detail);
    for (const base::FieldError& error : submission.error().errors) {
      const bool expected =
          std::any_of(left_out.begin(), left_out.end(), [&](const std::string& key) { return error.pointer == "/input/" + key; });
      if (!(expected && error.code == "missing_field")) errors.push_back({at + error.pointer, error.code, error.detail});
    }
  }

  void references(const std::vector<Reference>& list, const Step* in) {
    for (const Reference& one : list)
      if (one.path.root == "steps")
        step_path(one.path, one.pointer);
      else if (one.path.root == "args" && args != nullptr && !one.optional)
        path_type(one.path, in, one.pointer);
  }

  void run() {
    for (const Step& step : definition.steps) {
      for (std::size_t i = 0; i < step.variants.size(); ++i) variant(step, i);
      references(step.references, &step);
      if (step.for_each) {
        const Type list = infer(step.for_each->in, nullptr, step.pointer + "/for_each/in");
        if (list.kind != Type::Kind::any && list.kind != Type::Kind::list)
          wrong(step.pointer + "/for_each/in", "gives " + say(list) + ", a list is needed");
      }
    }
    for (const Output& output : definition.outputs) {
      std::vector<Reference> found;
      FieldErrors ignored;
      scan_template(output.value, "/outputs/" + output.name, ignored, found);
      references(found, nullptr);
    }
    // One mistake may be met on two ways.
    std::vector<base::FieldError> once;
    for (base::FieldError& error : errors)
      if (std::none_of(once.begin(), once.end(),
                       [&](const base::FieldError& other) { return other.pointer == error.pointer && other.detail == error.detail; }))
        once.push_back(std::move(error));
    errors = std::move(once);
  }
};

}  // namespace

jobs::Outcome<void> check_types(const Definition& definition, const json::value* args) {
  Checker checker{definition, args};
  checker.run();
  if (checker.errors.empty()) return {};
  tasks::Problem problem;
  problem.code = "workflow_type_error";
  problem.detail = checker.errors.front().pointer + " " + checker.errors.front().detail;
  if (checker.errors.size() > 1) problem.detail += fmt::format(" (and {} more)", checker.errors.size() - 1);
  problem.errors = std::move(checker.errors);
  return tl::unexpected(std::move(problem));
}

}  // namespace kinora::runs

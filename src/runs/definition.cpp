#include "runs/definition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/nearest.hpp"
#include "base/ulid.hpp"

namespace kinora::runs {
namespace {

using base::FieldErrors;
using base::ObjectReader;

// Objects member by member, everything else replaced.
void deep_merge(json::value& base, const json::value& over) {
  if (!base.is_object() || !over.is_object() || is_form(base) || is_form(over)) {
    base = over;
    return;
  }
  for (const auto& member : over.get_object()) {
    if (json::value* there = base.get_object().if_contains(member.key()))
      deep_merge(*there, member.value());
    else
      base.get_object()[member.key()] = member.value();
  }
}

constexpr std::string_view kJobFields[] = {"task", "model", "input", "adapters", "requirements", "output", "retry"};

// The step's own fields over `under`. Input values are replaced one by one, not mixed.
json::object job_body(const json::object& under, const json::object& step) {
  json::object out = under;
  for (const std::string_view key : kJobFields) {
    const json::value* value = step.if_contains(key);
    if (value == nullptr) continue;
    json::value* there = out.if_contains(key);
    if (there != nullptr && key == "input" && there->is_object() && value->is_object())
      for (const auto& member : value->get_object()) there->get_object()[member.key()] = member.value();
    else if (there != nullptr)
      deep_merge(*there, *value);
    else
      out[key] = *value;
  }
  return out;
}

template <class Enum>
void choose(ObjectReader& in, std::string_view key, std::initializer_list<std::pair<std::string_view, Enum>> names, Enum& out) {
  const auto text = in.string(key, 32);
  if (!text) return;
  std::string allowed;
  for (const auto& [name, value] : names) {
    if (*text == name) {
      out = value;
      return;
    }
    allowed += fmt::format("{}\"{}\"", allowed.empty() ? "" : ", ", name);
  }
  in.error(key, "not_allowed", "must be one of " + allowed);
}

// A fresh reader over a member that is an object; nullopt when it is absent or wrong (then that is recorded).
std::optional<ObjectReader> inside(ObjectReader& in, std::string_view key, FieldErrors& errors) {
  if (in.object(key) == nullptr) return std::nullopt;
  return ObjectReader(*in.member(key), in.pointer(key), errors);
}

struct StepReader {
  const json::object& defaults;
  FieldErrors& errors;
  Step& step;
  std::vector<std::pair<std::string, std::string>> wants = {};  // ids in `needs` and affinity, with pointers

  void scan(const json::value& value, const std::string& pointer) { scan_template(value, pointer, errors, step.references); }

  void for_each(ObjectReader& in) {
    auto reader = inside(in, "for_each", errors);
    if (!reader) return;
    ForEach out;
    if (const json::value* list = reader->required("in")) {
      out.in = *list;
      scan(*list, reader->pointer("in"));
      if (!list->is_array() && !is_form(*list)) reader->error("in", "invalid_field", "must be a list or a reference to one");
      if (list->is_array() && list->get_array().size() > static_cast<std::size_t>(kMaxItems))
        reader->error("in", "too_high", fmt::format("must have at most {} items", kMaxItems));
    }
    if (auto as = reader->string("as", 32)) {
      out.as = *as;
      if (!is_name(*as) || *as == "args" || *as == "steps" || *as == "run" || *as == "index")
        reader->error("as", "invalid_field", "must be a name other than args, steps, run and index");
    }
    out.max_items = static_cast<int>(reader->integer("max_items", 1, kMaxItems).value_or(out.max_items));
    out.max_parallel = static_cast<int>(reader->integer("max_parallel", 1, kMaxItems).value_or(out.max_parallel));
    out.min_success = static_cast<int>(reader->integer("min_success", 0, kMaxItems).value_or(out.min_success));
    choose<ItemFailure>(
        *reader, "on_item_failure",
        {{"fail_fast", ItemFailure::fail_fast}, {"fail_at_end", ItemFailure::fail_at_end}, {"continue", ItemFailure::proceed}},
        out.on_item_failure);
    reader->finish();
    step.for_each = std::move(out);
  }
  void gate(ObjectReader& in) {
    auto reader = inside(in, "gate", errors);
    if (!reader) return;
    Gate out;
    const std::string type = reader->required_string("type", 16);
    out.event = type == "event";
    if (!type.empty() && type != "event" && type != "manual") reader->error("type", "not_allowed", "must be one of \"manual\", \"event\"");
    out.signal = reader->string("name", 64).value_or(step.id);
    if (!is_name(out.signal)) reader->error("name", "invalid_field", "must be a letter, then letters, digits and \"_\"");
    out.timeout_s = reader->integer("timeout_s", 1, kMaxTimeoutS).value_or(out.timeout_s);
    choose<GateTimeout>(*reader, "on_timeout",
                        {{"expire", GateTimeout::expire}, {"approve", GateTimeout::approve}, {"reject", GateTimeout::reject}},
                        out.on_timeout);
    reader->finish();
    step.gate = std::move(out);
  }
  void child(ObjectReader& in) {
    ChildRun out;
    out.workflow = in.required_string("workflow", 64);
    if (!base::is_id("wf", out.workflow)) in.error("workflow", "invalid_field", "must be wf_ and a ULID");
    if (const auto version = in.integer("version", 1, 1'000'000)) out.version = static_cast<int>(*version);
    if (in.object("args") != nullptr) {
      out.args = *in.member("args");
      scan(out.args, in.pointer("args"));
    }
    step.child = std::move(out);
  }
  void timeouts(ObjectReader& in) {
    auto reader = inside(in, "timeouts", errors);
    if (!reader) return;
    step.timeouts.schedule_to_start_s = reader->integer("schedule_to_start_s", 1, 86'400);
    step.timeouts.start_to_close_s = reader->integer("start_to_close_s", 1, 86'400);
    step.timeouts.schedule_to_close_s = reader->integer("schedule_to_close_s", 1, 86'400);
    if (reader->member("heartbeat_s") != nullptr)
      reader->error("heartbeat_s", "not_allowed", "cannot be changed: the network gives a silent worker 15 s");
    reader->finish();
  }
  void affinity(ObjectReader& in) {
    auto reader = inside(in, "affinity", errors);
    if (!reader) return;
    step.same_worker_as = reader->string("same_worker_as", 32).value_or("");
    step.group = reader->string("group", 64).value_or("");
    if (!step.same_worker_as.empty()) wants.emplace_back(step.same_worker_as, reader->pointer("same_worker_as"));
    reader->finish();
  }
  void work(ObjectReader& in, const json::object& object) {
    in.string("task", 64);
    in.string("model", 200);
    for (const std::string_view key : {"input", "requirements", "output", "retry"}) in.object(key);
    in.array("adapters", 16);
    for (const std::string_view key : {"requirements", "output", "retry"})
      if (const json::value* value = object.if_contains(key); value != nullptr && is_dynamic(*value))
        in.error(key, "not_allowed", "takes no references; only input, args, when, for_each.in and outputs do");
    if (const json::value* input = object.if_contains("input")) scan(*input, in.pointer("input"));
    step.variants.push_back(job_body(defaults, object));
  }
  void fallbacks(ObjectReader& in) {
    const json::array* list = in.array("fallback", kMaxFallbacks);
    if (list == nullptr) return;
    if (step.on_failure != OnFailure::fallback) in.error("fallback", "not_allowed", "needs \"on_failure\": \"fallback\"");
    const json::object first = step.variants.front();
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string pointer = fmt::format("{}/{}", in.pointer("fallback"), i);
      ObjectReader reader((*list)[i], pointer, errors);
      for (const std::string_view key : kJobFields) reader.member(key);
      reader.finish();
      if (!(*list)[i].is_object()) continue;
      const json::object& over = (*list)[i].get_object();
      if (const json::value* input = over.if_contains("input")) scan(*input, pointer + "/input");
      step.variants.push_back(job_body(first, over));
    }
  }

  void read(const json::value& value) {
    ObjectReader in(value, step.pointer, errors);
    if (!value.is_object()) return;
    step.id = in.required_string("id", 64);
    if (!step.id.empty() && !is_step_id(step.id))
      in.error("id", "invalid_field",
               "must be a-z, then a-z, 0-9 and \"_\", at most 32 in all, and none of args, steps, run, item, index, env");
    if (const json::array* needs = in.array("needs", kMaxSteps))
      for (std::size_t i = 0; i < needs->size(); ++i) {
        const json::string* id = (*needs)[i].if_string();
        if (id == nullptr)
          errors.push_back({fmt::format("{}/{}", in.pointer("needs"), i), "invalid_field", "must be the id of a step"});
        else
          wants.emplace_back(*id, fmt::format("{}/{}", in.pointer("needs"), i));
      }
    for_each(in);
    if (const auto when = in.string("when", kMaxExpressionBytes)) {
      step.when = *when;
      scan_expression(*when, in.pointer("when"), errors, step.references);
    }
    choose<OnFailure>(in, "on_failure", {{"fail", OnFailure::fail}, {"continue", OnFailure::proceed}, {"fallback", OnFailure::fallback}},
                      step.on_failure);
    choose<Reuse>(in, "reuse", {{"auto", Reuse::automatic}, {"never", Reuse::never}, {"only", Reuse::only}}, step.reuse);
    step.keep = in.boolean("keep").value_or(true);
    timeouts(in);
    affinity(in);
    const json::object& object = value.get_object();
    const int kinds = static_cast<int>(object.contains("task")) + static_cast<int>(object.contains("workflow")) +
                      static_cast<int>(object.contains("gate"));
    if (kinds != 1) {
      errors.push_back({step.pointer, "missing_field", "must have exactly one of \"task\", \"workflow\" and \"gate\""});
      for (const std::string_view key : {"workflow", "version", "args", "gate", "fallback"}) in.member(key);
      for (const std::string_view key : kJobFields) in.member(key);
    } else if (object.contains("gate")) {
      gate(in);
      if (step.for_each) errors.push_back({step.pointer + "/for_each", "not_allowed", "a gate cannot be repeated"});
    } else if (object.contains("workflow")) {
      child(in);
    } else {
      work(in, object);
      fallbacks(in);
    }
    if (step.on_failure == OnFailure::fallback && step.variants.size() < 2)
      in.error("on_failure", "missing_field", "\"fallback\" needs a list \"fallback\" with at least one entry");
    in.finish();
  }
};

// What a reference to a step needs of it: its output, or only how it ended.
bool needs_data(const Reference& reference) {
  if (reference.optional) return false;
  const auto& parts = reference.path.parts;
  const auto name = std::find_if(parts.begin(), parts.end(), [](const PathPart& part) { return part.kind == PathPart::Kind::name; });
  return name == parts.end() || (name->name != "status" && name->name != "error" && name->name != "cost");
}

void add_dependency(Step& step, std::size_t on, bool data) {
  for (Dependency& known : step.needs)
    if (known.step == on) {
      known.data = known.data || data;
      return;
    }
  step.needs.push_back({on, data});
}

std::string no_step(const Definition& definition, const std::string& id) {
  std::vector<std::string> ids;
  ids.reserve(definition.steps.size());
  for (const Step& step : definition.steps) ids.push_back(step.id);
  const auto meant = base::nearest(id, ids);
  return "there is no step \"" + id.substr(0, 64) + "\"" + (meant ? "; did you mean \"" + *meant + "\"?" : "");
}

// Checks the roots of references, and turns those to steps into dependencies.
void link(Definition& definition, const std::vector<Reference>& references, const Step* in, FieldErrors& errors,
          const std::function<void(std::size_t, bool)>& depend) {
  for (const Reference& reference : references) {
    const Path& path = reference.path;
    if (path.root == "steps") {
      const Step* found = definition.find(path.step);
      if (found == nullptr)
        errors.push_back({reference.pointer, "not_found", no_step(definition, path.step)});
      else
        depend(static_cast<std::size_t>(found - definition.steps.data()), needs_data(reference));
      continue;
    }
    const bool loop = in != nullptr && in->for_each.has_value();
    if (path.root == "args" || path.root == "run" || (loop && (path.root == "index" || path.root == in->for_each->as))) continue;
    errors.push_back({reference.pointer, "not_found",
                      "\"" + path.root + "\" is not known here: a path begins with args, steps or run" +
                          (in == nullptr ? ""
                           : loop        ? ", index or " + in->for_each->as
                                         : "; index and item are there with for_each")});
  }
}

// A loop through `needs`, as ids in order; empty: there is none. Depth-first, every step once.
std::vector<std::string> find_loop(const Definition& definition) {
  enum class Mark { fresh, open, closed };
  std::vector<Mark> marks(definition.steps.size(), Mark::fresh);
  std::vector<std::size_t> trail;
  std::vector<std::string> loop;
  const std::function<bool(std::size_t)> visit = [&](std::size_t at) {
    marks[at] = Mark::open;
    trail.push_back(at);
    for (const Dependency& need : definition.steps[at].needs) {
      if (marks[need.step] == Mark::closed) continue;
      if (marks[need.step] == Mark::open) {
        for (auto from = std::find(trail.begin(), trail.end(), need.step); from != trail.end(); ++from)
          loop.push_back(definition.steps[*from].id);
        loop.push_back(definition.steps[need.step].id);
        return true;
      }
      if (visit(need.step)) return true;
    }
    trail.pop_back();
    marks[at] = Mark::closed;
    return false;
  };
  for (std::size_t i = 0; i < definition.steps.size(); ++i)
    if (marks[i] == Mark::fresh && visit(i)) break;
  return loop;
}

}  // namespace

const Step* Definition::find(std::string_view id) const {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.id == id; });
  return found == steps.end() ? nullptr : &*found;
}

std::size_t Definition::index_of(std::string_view id) const { return static_cast<std::size_t>(find(id) - steps.data()); }

jobs::Outcome<Definition> parse_definition(const json::object& source) {
  FieldErrors errors;
  Definition out;
  out.source = source;
  const json::value whole = source;
  ObjectReader in(whole, "", errors);
  json::object defaults;
  if (auto reader = inside(in, "defaults", errors)) {
    for (const std::string_view key : {"requirements", "output", "retry"}) reader->object(key);
    reader->string("model", 200);
    reader->finish();
    defaults = source.at("defaults").as_object();
    if (is_dynamic(source.at("defaults"))) in.error("defaults", "not_allowed", "takes no references");
  }
  out.fail_fast = in.boolean("fail_fast").value_or(false);
  std::vector<std::vector<std::pair<std::string, std::string>>> wants;
  if (in.required("steps") != nullptr) {
    const json::array* steps = in.array("steps", kMaxSteps);
    if (steps != nullptr && steps->empty()) in.error("steps", "too_low", "must have at least 1 item");
    std::set<std::string> ids;
    for (std::size_t i = 0; steps != nullptr && i < steps->size(); ++i) {
      Step& step = out.steps.emplace_back();
      step.pointer = fmt::format("/steps/{}", i);
      StepReader reader{defaults, errors, step};
      reader.read((*steps)[i]);
      if (!step.id.empty() && !ids.insert(step.id).second)
        errors.push_back({step.pointer + "/id", "not_allowed", "another step has this id"});
      wants.push_back(std::move(reader.wants));
    }
  }
  for (std::size_t i = 0; i < out.steps.size(); ++i) {
    Step& step = out.steps[i];
    for (const auto& [id, pointer] : wants[i]) {
      if (out.find(id) == nullptr)
        errors.push_back({pointer, "not_found", no_step(out, id)});
      else
        add_dependency(step, out.index_of(id), false);
    }
    link(out, step.references, &step, errors, [&](std::size_t on, bool data) { add_dependency(step, on, data); });
  }
  if (const json::object* outputs = in.object("outputs")) {
    if (outputs->size() > kMaxOutputs) in.error("outputs", "too_high", fmt::format("must have at most {} members", kMaxOutputs));
    for (const auto& member : *outputs) {
      if (!is_name(member.key())) in.error("outputs", "invalid_field", "names are a letter, then letters, digits and \"_\"");
      Output output{std::string(member.key()), member.value(), {}};
      std::vector<Reference> references;
      scan_template(member.value(), "/outputs/" + output.name, errors, references);
      link(out, references, nullptr, errors, [&](std::size_t on, bool) {
        output.steps.push_back(on);
        out.steps[on].in_outputs = true;
      });
      out.outputs.push_back(std::move(output));
    }
  }
  in.finish();
  if (!errors.empty()) {
    tasks::Problem problem;
    const auto& code = errors.front().code;
    problem.code = code == "unknown_field" || code == "missing_field" ? code : code == "not_found" ? "ref_unresolved" : "invalid_field";
    problem.detail = errors.front().pointer + " " + errors.front().detail;
    if (errors.size() > 1) problem.detail += fmt::format(" (and {} more)", errors.size() - 1);
    problem.errors = std::move(errors);
    return tl::unexpected(std::move(problem));
  }
  if (const auto loop = find_loop(out); !loop.empty()) {
    tasks::Problem problem;
    problem.code = "workflow_cycle";
    problem.detail = fmt::format("steps wait for each other: {}", fmt::join(loop, " -> "));
    problem.errors.push_back({out.find(loop.front())->pointer, "not_allowed", problem.detail});
    return tl::unexpected(std::move(problem));
  }
  for (std::size_t i = 0; i < out.steps.size(); ++i)
    for (const Dependency& need : out.steps[i].needs) out.steps[need.step].dependants.push_back(i);
  return out;
}

json::object graph_of(const Definition& definition) {
  json::array nodes, edges;
  for (const Step& step : definition.steps) {
    json::object node{{"id", step.id},
                      {"kind", step.gate    ? "gate"
                               : step.child ? "workflow"
                                            : "task"},
                      {"fan_out", step.for_each.has_value()}};
    if (!step.variants.empty()) {
      const json::object& body = step.variants.front();
      node["task"] = body.contains("task") ? body.at("task") : json::value(nullptr);
      node["model"] = body.contains("model") ? body.at("model") : json::value(nullptr);
    }
    nodes.push_back(std::move(node));
    for (const Dependency& need : step.needs)
      edges.push_back({{"from", definition.steps[need.step].id}, {"to", step.id}, {"data", need.data}});
  }
  return {{"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace kinora::runs

// From a step's template to the job that does it (scheduler.hpp).
#include <algorithm>

#include "runs/scheduler.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::runs {
namespace {

// What a job said of its output, as a job's input: the artifact by its id.
void as_input(json::value& value) {
  if (json::array* list = value.if_array()) {
    for (json::value& item : *list) as_input(item);
    return;
  }
  json::object* object = value.if_object();
  if (object != nullptr && object->contains("artifact") && object->contains("sha256"))
    value = json::object{{"artifact", object->at("artifact")}};
}

void at_most(json::object& requirements, std::string_view key, std::int64_t seconds) {
  const json::value* there = requirements.if_contains(key);
  if (there == nullptr || !there->is_int64() || there->get_int64() > seconds) requirements[key] = seconds;
}

}  // namespace

jobs::Outcome<json::object> job_body(const Definition& definition, const Run& run, std::size_t step, std::size_t index, UnixMillis now) {
  const Step& what = definition.steps[step];
  const StepState& state = run.steps[step];
  json::object body = what.variants[static_cast<std::size_t>(state.items[index].variant)];
  const json::value args = run.args, about_run = about(run);
  if (json::value* input = body.if_contains("input")) {
    auto filled = fill_in(*input, scope_of(definition, run, args, about_run, &what, &state, index));
    if (!filled) return tl::unexpected(std::move(filled).error());
    *input = std::move(*filled);
    const tasks::TaskSpec* task = tasks::find_task(std::string_view(body.at("task").as_string()));
    if (json::object* members = input->if_object(); members != nullptr && task != nullptr)
      for (auto& member : *members)
        if (task->find_input(member.key()) != nullptr) as_input(member.value());
  }
  json::object requirements = body.contains("requirements") ? body.at("requirements").as_object() : json::object();
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(run.deadline_at - now).count();
  if (!requirements.contains("deadline")) at_most(requirements, "deadline_s", std::clamp<std::int64_t>(left, 1, 86'400));
  if (what.timeouts.schedule_to_close_s) at_most(requirements, "deadline_s", *what.timeouts.schedule_to_close_s);
  if (what.timeouts.schedule_to_start_s) at_most(requirements, "start_timeout_s", *what.timeouts.schedule_to_start_s);
  body["requirements"] = std::move(requirements);
  if (run.end_user) body["end_user"] = *run.end_user;
  return body;
}

jobs::Outcome<json::value> child_args(const Definition& definition, const Run& run, std::size_t step, std::size_t index) {
  const Step& what = definition.steps[step];
  const json::value args = run.args, about_run = about(run);
  return fill_in(what.child->args, scope_of(definition, run, args, about_run, &what, &run.steps[step], index));
}

}  // namespace kinora::runs

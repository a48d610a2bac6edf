#include "runs/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace kinora::runs {
namespace {

constexpr std::array<std::string_view, 10> kRunNames{
    "queued", "running", "pausing", "paused", "canceling", "succeeded", "partially_succeeded", "failed", "canceled", "expired"};
constexpr std::array<std::string_view, 10> kStepNames{"pending", "waiting", "queued", "running", "succeeded",
                                                      "reused",  "skipped", "failed", "expired", "canceled"};
constexpr std::array<std::string_view, 8> kItemNames{"pending", "queued", "running", "succeeded",
                                                     "reused",  "failed", "expired", "canceled"};

template <class Enum, std::size_t Size>
std::optional<Enum> parse(const std::array<std::string_view, Size>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view name(RunStatus status) { return kRunNames[static_cast<std::size_t>(status)]; }
std::string_view name(StepStatus status) { return kStepNames[static_cast<std::size_t>(status)]; }
std::string_view name(ItemStatus status) { return kItemNames[static_cast<std::size_t>(status)]; }
std::optional<RunStatus> parse_run_status(std::string_view text) { return parse<RunStatus>(kRunNames, text); }
std::optional<StepStatus> parse_step_status(std::string_view text) { return parse<StepStatus>(kStepNames, text); }
std::optional<ItemStatus> parse_item_status(std::string_view text) { return parse<ItemStatus>(kItemNames, text); }

json::value step_value(const Step& step, const StepState& state) {
  json::object out{{"status", name(state.status)}, {"error", state.error}};
  if (!step.for_each) {
    out["output"] = !state.items.empty() ? state.items[0].output : state.output;
    return out;
  }
  json::array items, outputs;
  std::int64_t succeeded = 0;
  for (const Item& item : state.items) {
    succeeded += good(item.status);
    items.push_back({{"status", name(item.status)}, {"output", item.output}, {"error", item.error}});
    outputs.push_back(item.output);
  }
  const auto failed = static_cast<std::int64_t>(state.items.size()) - succeeded;
  out["items"] = std::move(items);
  out["output"] = json::object{{"items", std::move(outputs)}, {"succeeded", succeeded}, {"failed", failed}};
  out["succeeded"] = succeeded;
  out["failed"] = failed;
  return out;
}

Scope scope_of(const Definition& definition, const Run& run, const json::value& args, const json::value& about_run, const Step* step,
               const StepState* state, std::size_t index) {
  Scope scope;
  scope.args = &args;
  scope.run = &about_run;
  for (std::size_t i = 0; i < definition.steps.size(); ++i)
    if (terminal(run.steps[i].status)) scope.steps.emplace_back(definition.steps[i].id, &run.steps[i].value);
  if (step != nullptr && step->for_each && state->list.is_array()) {
    scope.variable = step->for_each->as;
    scope.item = &state->list.get_array()[index];
    scope.index = static_cast<std::int64_t>(index);
  }
  return scope;
}

json::value about(const Run& run) {
  return {{"id", run.id}, {"name", run.name}, {"generation", run.generation}, {"created_at", base::to_rfc3339(run.created_at)}};
}

std::size_t instances(const Run& run) {
  std::size_t sum = 0;
  for (const StepState& state : run.steps) sum += state.items.size();
  return sum;
}

void derive(const Definition& definition, Run& run) {
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    StepState& state = run.steps[i];
    state.active = static_cast<int>(std::count_if(state.items.begin(), state.items.end(), [](const Item& item) {
      return item.status == ItemStatus::queued || item.status == ItemStatus::running;
    }));
    state.ended = static_cast<std::size_t>(
        std::count_if(state.items.begin(), state.items.end(), [](const Item& item) { return terminal(item.status); }));
    state.bad = state.ended - static_cast<std::size_t>(std::count_if(state.items.begin(), state.items.end(),
                                                                     [](const Item& item) { return good(item.status); }));
    state.next = 0;
    state.value = terminal(state.status) ? step_value(definition.steps[i], state) : json::value(nullptr);
  }
}

std::string work_id(std::string_view prefix, const Run& run, std::string_view step, std::size_t index, int variant) {
  const base::Digest hash = base::sha256(base::as_bytes(fmt::format("{}\n{}\n{}\n{}\n{}", run.id, run.generation, step, index, variant)));
  std::array<std::uint8_t, 10> random{};
  std::copy_n(hash.begin(), random.size(), random.begin());
  return fmt::format("{}_{}", prefix, base::encode_ulid(run.created_at, random));
}

}  // namespace kinora::runs

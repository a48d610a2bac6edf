#include "runs/eta.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::runs {
namespace {

// Jobs of the step that are still to be done, whole and in part.
struct Left {
  double work = 0;     // in jobs
  double longest = 0;  // of one of them
};

std::optional<Left> left_of(const Definition& definition, const Run& run, std::size_t i, const ItemFraction& fraction) {
  const Step& step = definition.steps[i];
  const StepState& state = run.steps[i];
  Left out;
  if (!state.items.empty()) {
    for (std::size_t k = 0; k < state.items.size(); ++k) {
      if (terminal(state.items[k].status)) continue;
      const double rest = 1 - std::clamp(fraction(i, k), 0.0, 1.0);
      out.work += rest;
      out.longest = std::max(out.longest, rest);
    }
    return out;
  }
  if (!step.for_each) return Left{1, 1};
  const json::value args = run.args, about_run = about(run);
  const auto list = fill_in(step.for_each->in, scope_of(definition, run, args, about_run, nullptr, nullptr, 0));
  if (!list || !list->is_array()) return std::nullopt;
  const auto size = static_cast<double>(list->get_array().size());
  return Left{size, std::min(size, 1.0)};
}

// Of a step of child runs that has begun.
std::optional<double> child_seconds(const Step& step, const StepState& state, const ChildSeconds& child) {
  double work = 0, longest = 0;
  int to_begin = 0;
  bool begun = false;
  for (const Item& item : state.items) {
    if (terminal(item.status)) continue;
    if (item.status == ItemStatus::pending) {
      ++to_begin;
      continue;
    }
    const auto left = child(item.work);
    if (!left) return std::nullopt;
    begun = true;
    work += *left;
    longest = std::max(longest, *left);
  }
  if (!begun) return std::nullopt;
  return std::max(longest, (work + to_begin * longest) / (step.for_each ? step.for_each->max_parallel : 1));
}

std::optional<double> own_seconds(const Definition& definition, const Run& run, std::size_t i, const ItemFraction& fraction,
                                  const MeanSeconds& mean, const ChildSeconds& child) {
  const Step& step = definition.steps[i];
  const StepState& state = run.steps[i];
  if (terminal(state.status)) return 0.0;
  if (step.gate) return std::nullopt;
  if (step.child) return child_seconds(step, state, child);
  const json::object& body = step.variants.front();
  const json::value* model = body.if_contains("model");
  const std::string_view named = model != nullptr && model->is_string() ? std::string_view(model->get_string()) : std::string_view();
  const auto one = mean(body.at("task").as_string(), named.starts_with("auto") ? "" : named);
  const auto left = left_of(definition, run, i, fraction);
  if (!one || !left) return std::nullopt;
  const double parallel = step.for_each ? step.for_each->max_parallel : 1;
  return *one * std::max(left->longest, left->work / parallel);
}

}  // namespace

std::optional<double> eta_s(const Definition& definition, const Run& run, const ItemFraction& fraction, const MeanSeconds& mean,
                            const ChildSeconds& child) {
  if (run.status != RunStatus::queued && run.status != RunStatus::running) return std::nullopt;
  std::vector<double> end(definition.steps.size(), 0), own(definition.steps.size(), 0);
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto seconds = own_seconds(definition, run, i, fraction, mean, child);
    if (!seconds) return std::nullopt;
    end[i] = own[i] = *seconds;
  }
  // The graph has no cycle: one pass per step is enough.
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < own.size(); ++i)
      for (const Dependency& need : definition.steps[i].needs)
        if (end[need.step] + own[i] > end[i]) {
          end[i] = end[need.step] + own[i];
          changed = true;
        }
  }
  return end.empty() ? 0 : *std::max_element(end.begin(), end.end());
}

}  // namespace kinora::runs

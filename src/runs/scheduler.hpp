#pragma once
// The scheduler: what is to be done next follows from the definition, the stored states and the time, and from nothing else. Pure.
//
//   settle() = while (decide() finds something) apply() it, until nothing is left to decide. The caller stores what was touched in one
//   transaction together with the events, and then sees to it that the work of every queued item exists. After a crash it loads the
//   rows, and decide() says what it would have said before.
#include <set>
#include <variant>

#include "runs/state.hpp"

namespace kinora::runs {

namespace decision {
struct End {  // of a step that did not run: skipped, canceled or failed
  std::size_t step = 0;
  StepStatus status = StepStatus::skipped;
  json::value error;
  std::string reason;
};
struct Begin {  // ready: its items are known
  std::size_t step = 0;
  json::value list;  // null without for_each
};
struct Open {  // a gate
  std::size_t step = 0;
};
struct CloseGate {
  std::size_t step = 0;
  StepStatus status = StepStatus::succeeded;
  json::value output, error;
};
struct Start {  // an item's job
  std::size_t step = 0, index = 0;
};
struct StopItem {
  std::size_t step = 0, index = 0;
  Stop how = Stop::cancel;
};
struct Finish {  // every item has ended
  std::size_t step = 0;
  StepStatus status = StepStatus::succeeded;
  json::value error;
};
struct Yield {  // an output of the run can be told
  std::size_t output = 0;
  json::value value;
};
struct Turn {  // the run's own status
  RunStatus status = RunStatus::running;
  std::optional<RunStatus> ending = std::nullopt;
  json::value error = nullptr;
  json::array failures = {};
  bool degraded = false;
};
}  // namespace decision
using Decision = std::variant<decision::End, decision::Begin, decision::Open, decision::CloseGate, decision::Start, decision::StopItem,
                              decision::Finish, decision::Yield, decision::Turn>;

// What can be decided now; empty: nothing until an item ends, somebody acts or next_due() comes.
std::vector<Decision> decide(const Definition& definition, const Run& run, UnixMillis now);

struct RunEvent {
  std::string type;
  json::object data;
};
// What a transition touched.
struct Touched {
  std::set<std::size_t> steps;
  std::set<std::pair<std::size_t, std::size_t>> items;
  std::vector<RunEvent> events;
  std::vector<std::pair<std::size_t, std::size_t>> start, stop;  // items whose work is to be made, or stopped
  std::set<std::size_t> release;                                 // steps whose artifacts nobody needs any more (keep: false)
  bool any() const { return !steps.empty() || !items.empty() || !events.empty(); }
};
void apply(const Definition& definition, Run& run, const Decision& decision, UnixMillis now, Touched& touched);
void settle(const Definition& definition, Run& run, UnixMillis now, Touched& touched);
// When to look again although nothing happens.
std::optional<UnixMillis> next_due(const Definition& definition, const Run& run);

// What happens to an item from outside; each is followed by settle().
struct ItemNews {
  ItemStatus status = ItemStatus::running;  // running or terminal
  json::value output, error;
  std::optional<std::string> reused_from;
};
void item_news(const Definition& definition, Run& run, std::size_t step, std::size_t index, ItemNews news, UnixMillis now,
               Touched& touched);

// What people do. The problem says why not.
jobs::Outcome<void> cancel(Run& run, std::optional<std::string> reason, Touched& touched);
jobs::Outcome<void> pause(Run& run, Touched& touched);
jobs::Outcome<void> resume(Run& run, UnixMillis now, Touched& touched);
// Of a gate, also before it opens. `approved` is false only for a manual gate.
jobs::Outcome<void> answer_gate(const Definition& definition, Run& run, std::size_t step, json::value answer, Touched& touched);
// A new generation: what succeeded is kept, unless it is one of `from` or comes after it or after something that failed.
jobs::Outcome<void> retry(const Definition& definition, Run& run, const std::vector<std::size_t>& from, UnixMillis now,
                          std::int64_t deadline_s, Touched& touched);

// The resolved body of an item's job (or, of a child workflow, its args).
jobs::Outcome<json::object> job_body(const Definition& definition, const Run& run, std::size_t step, std::size_t index, UnixMillis now);
jobs::Outcome<json::value> child_args(const Definition& definition, const Run& run, std::size_t step, std::size_t index);

json::object run_event_data(const Run& run);
json::object step_event_data(const Definition& definition, const Run& run, std::size_t step);

}  // namespace kinora::runs

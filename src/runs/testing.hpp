#pragma once
// For tests of runs: a run in memory whose items end as a script says.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "runs/scheduler.hpp"

namespace kinora::runs::testing {

inline json::object definition_json(std::string_view text) { return json::parse(text).as_object(); }

// Definition and state together, driven by hand.
struct Sim {
  Definition definition;
  Run run;
  UnixMillis now{std::chrono::milliseconds(1'767'225'600'000)};
  Touched all;  // since the beginning

  explicit Sim(std::string_view text, json::object args = {}) {
    auto parsed = parse_definition(definition_json(text));
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().detail);
    if (!parsed) return;
    definition = std::move(*parsed);
    run.id = "run_01KE0000000000000000000001";
    run.project = "proj_1";
    run.args = std::move(args);
    run.created_at = now;
    run.deadline_at = now + std::chrono::hours(1);
    run.steps.resize(definition.steps.size());
    derive(definition, run);
    settle();
  }
  void settle() { runs::settle(definition, run, now, all); }
  StepState& step(std::string_view id) { return run.steps[definition.index_of(id)]; }
  std::string status(std::string_view id) { return std::string(name(step(id).status)); }
  std::string status() const { return std::string(name(run.status)); }
  void start(std::string_view id, std::size_t index = 0) { news(id, index, {}); }
  void succeed(std::string_view id, json::value output = json::object(), std::size_t index = 0) {
    ItemNews end;
    end.status = ItemStatus::succeeded;
    end.output = std::move(output);
    news(id, index, std::move(end));
  }
  void fail(std::string_view id, std::size_t index = 0, std::string_view code = "worker_error") {
    ItemNews end;
    end.status = ItemStatus::failed;
    end.error = tasks::to_json(jobs::refuse(code, "it broke").value());
    news(id, index, std::move(end));
  }
  void canceled(std::string_view id, std::size_t index = 0) {
    ItemNews end;
    end.status = ItemStatus::canceled;
    news(id, index, std::move(end));
  }
  void news(std::string_view id, std::size_t index, ItemNews what) {
    item_news(definition, run, definition.index_of(id), index, std::move(what), now, all);
    settle();
  }
  std::string history(std::string_view prefix = "") const {
    std::string out;
    for (const RunEvent& event : all.events) {
      if (!event.type.starts_with(prefix)) continue;
      out += (out.empty() ? "" : " ") + event.type;
      if (const json::value* step_id = event.data.if_contains("step")) out += ":" + std::string(step_id->as_string());
    }
    return out;
  }
};

}  // namespace kinora::runs::testing

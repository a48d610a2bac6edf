#pragma once
// A run as it goes on: a tree of its steps with bars. RunTree is the state, fed with the events; RunDisplay draws it anew in place on a
// terminal; on anything else it writes a plain line for each change of a step and every tenth percent.
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace kinora::cli {

struct StepLine {
  std::string name;
  std::string what;  // task, "gate" or "workflow"
  std::string status = "pending";
  double fraction = 0;  // 0..1
  struct Items {
    int total = 0, succeeded = 0, failed = 0, running = 0;
  };
  std::optional<Items> items;           // of a fan-out
  std::string note;                     // why it failed, what it waits for, which fallback
  std::map<int, std::string> failures;  // of items, by index
};

class RunTree {
 public:
  // Of GET /v1/runs/{id}.
  explicit RunTree(const base::json::object& run);
  // An event of the run: its type and `data`. The step it changed, if any.
  const StepLine* apply(std::string_view type, const base::json::object& data);

  const std::string& id() const { return id_; }
  const std::string& status() const { return status_; }
  const std::vector<StepLine>& steps() const { return steps_; }
  // The tree, no line wider than `columns`; of more than `rows` lines the rest is counted.
  std::vector<std::string> lines(int columns, std::size_t rows = 10'000) const;

 private:
  std::string id_, title_, status_;
  std::vector<StepLine> steps_;
};

// "up  video-upscale  [====      ]  40%", at most `columns` wide; name and task are padded to the widths.
std::string step_text(const StepLine& step, int columns, std::size_t name_width, std::size_t what_width);

class RunDisplay {
 public:
  RunDisplay(std::FILE* out, bool quiet);
  ~RunDisplay();
  // `changed` is the step that the last event changed. `now`: on a terminal at most ten pictures a second are drawn.
  void show(const RunTree& tree, const StepLine* changed);
  // The last picture, and a line below it, which after a failure is written even when quiet.
  void finish(const RunTree& tree, std::string_view text, bool failed);

 private:
  void draw(const RunTree& tree);
  std::FILE* out_;
  bool quiet_;
  bool terminal_;
  std::size_t drawn_ = 0;  // lines on the terminal
  std::chrono::steady_clock::time_point next_{};
  std::map<std::string, std::string> told_;  // step -> what was written of it last
};

}  // namespace kinora::cli

#pragma once
// One line that shows how far a job is: bar, percent, frames per second, time left. Redrawn in place on a terminal; on
// anything else a plain line whenever the stage changes and every tenth percent.
#include <cstdio>
#include <string>
#include <string_view>

namespace kinora::cli {

struct ProgressState {
  double fraction = 0;  // 0..1
  std::string stage;
  double fps = 0;     // 0: unknown
  double eta_s = -1;  // negative: unknown
};

int terminal_columns(std::FILE* out);       // 80 when it is none
std::size_t terminal_rows(std::FILE* out);  // 24 when it is none

// The text of the line, at most `columns` wide.
std::string progress_text(const ProgressState& state, int columns);

class ProgressLine {
 public:
  ProgressLine(std::FILE* out, std::string title, bool quiet);
  ~ProgressLine();
  void show(const ProgressState& state);
  // Ends the line; text (may be empty) is printed on a line of its own, after a failure even when quiet.
  void finish(std::string_view text, bool failed = false);

 private:
  std::FILE* out_;
  std::string title_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::string last_stage_;
  int last_decile_ = -1;
};

}  // namespace kinora::cli

#include "kinora/progress_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace kinora::cli {
namespace {

std::string clock_text(double seconds) {
  const auto total = static_cast<long>(std::ceil(seconds));
  return total >= 3600 ? fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60)
                       : fmt::format("{}:{:02}", total / 60, total % 60);
}

}  // namespace

int terminal_columns(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::size_t terminal_rows(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row > 2 ? size.ws_row : 24;
}

std::string progress_text(const ProgressState& state, int columns) {
  const double fraction = std::clamp(std::isfinite(state.fraction) ? state.fraction : 0.0, 0.0, 1.0);
  std::string tail = fmt::format(" {:3.0f}%", std::floor(fraction * 100));
  if (state.fps > 0) tail += fmt::format(" {:.1f} fps", state.fps);
  if (state.eta_s >= 0 && fraction < 1) tail += fmt::format(" {} left", clock_text(state.eta_s));
  std::string head = state.stage.empty() ? "" : state.stage + " ";
  const int room = columns - static_cast<int>(head.size() + tail.size()) - 3;
  if (room < 5) return (head + tail).substr(0, static_cast<std::size_t>(columns));
  const int width = std::min(room, 40);
  const int full = static_cast<int>(fraction * width);
  return fmt::format("{}[{}{}]{}", head, std::string(static_cast<std::size_t>(full), '='),
                     std::string(static_cast<std::size_t>(width - full), ' '), tail);
}

ProgressLine::ProgressLine(std::FILE* out, std::string title, bool quiet)
    : out_(out), title_(std::move(title)), quiet_(quiet), terminal_(::isatty(::fileno(out)) == 1) {}

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputc('\n', out_);
}

void ProgressLine::show(const ProgressState& state) {
  if (quiet_) return;
  if (terminal_) {
    std::fprintf(out_, "\r\033[K%s %s", title_.c_str(),
                 progress_text(state, terminal_columns(out_) - static_cast<int>(title_.size()) - 2).c_str());
    std::fflush(out_);
    drawn_ = true;
    return;
  }
  const int decile = static_cast<int>(std::clamp(state.fraction, 0.0, 1.0) * 10);
  if (state.stage == last_stage_ && decile == last_decile_) return;
  last_stage_ = state.stage;
  last_decile_ = decile;
  std::fprintf(out_, "%s %s\n", title_.c_str(), progress_text(state, 78 - static_cast<int>(title_.size())).c_str());
}

void ProgressLine::finish(std::string_view text, bool failed) {
  if (drawn_) std::fputs("\r\033[K", out_);
  drawn_ = false;
  if ((failed || !quiet_) && !text.empty()) std::fprintf(out_, "%.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace kinora::cli

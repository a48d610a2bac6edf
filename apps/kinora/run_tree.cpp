#include "kinora/run_tree.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "kinora/progress_line.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

constexpr std::size_t kShownFailures = 5;  // items of a fan-out that failed, on a line each
constexpr auto kPicture = std::chrono::milliseconds(100);

std::string text_at(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

int number_at(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  return found != nullptr && found->is_number() ? found->to_number<int>() : 0;
}

std::optional<double> fraction_in(const json::object& data) {
  const json::object* from = &data;
  if (const json::value* progress = data.if_contains("progress"); progress != nullptr && progress->is_object())
    from = &progress->get_object();
  const json::value* found = from->if_contains("fraction");
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return std::clamp(found->to_number<double>(), 0.0, 1.0);
}

std::string error_in(const json::object& data) {
  const json::value* error = data.if_contains("error");
  if (error == nullptr || !error->is_object()) return {};
  const std::string detail = text_at(error->get_object(), "detail"), code = text_at(error->get_object(), "code");
  return detail.empty() ? code : detail + " (" + code + ")";
}

bool good(std::string_view status) { return status == "succeeded" || status == "reused"; }

// What a step's object, of a run or of an event, says of it.
void take(StepLine& line, const json::object& data) {
  const std::string status = text_at(data, "status");
  if (!status.empty()) line.status = status;
  if (const auto fraction = fraction_in(data)) line.fraction = *fraction;
  if (good(line.status)) line.fraction = 1;
  if (const json::value* items = data.if_contains("items"); items != nullptr && items->is_object()) {
    const json::object& of = items->get_object();
    line.items = StepLine::Items{number_at(of, "total"), number_at(of, "succeeded"), number_at(of, "failed"), number_at(of, "running")};
  }
  line.note.clear();
  if (line.status == "waiting") line.note = "waits for an answer";
  if (line.status == "reused") line.note = "an earlier result";
  if (const int fallback = number_at(data, "fallback"); fallback > 0) line.note = fmt::format("fallback {}", fallback);
  if (const std::string reason = text_at(data, "reason"); !reason.empty()) line.note = reason;
  if (const std::string error = error_in(data); !error.empty()) line.note = error;
}

std::string fit(std::string text, int columns) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (static_cast<int>(text.size()) > columns) text.resize(static_cast<std::size_t>(std::max(columns, 0)));
  return text;
}

}  // namespace

RunTree::RunTree(const json::object& run) : id_(text_at(run, "id")), title_(text_at(run, "name")), status_(text_at(run, "status")) {
  const json::value* steps = run.if_contains("steps");
  if (steps == nullptr || !steps->is_object()) return;
  for (const auto& member : steps->get_object()) {
    if (!member.value().is_object()) continue;
    const json::object& step = member.value().get_object();
    StepLine line;
    line.name = std::string(member.key());
    line.what = text_at(step, "task");
    if (line.what.empty()) line.what = text_at(step, "kind");
    take(line, step);
    steps_.push_back(std::move(line));
  }
}

const StepLine* RunTree::apply(std::string_view type, const json::object& data) {
  if (type.starts_with("run.")) {
    status_ = text_at(data, "status");
    return nullptr;
  }
  const std::string name = text_at(data, "step");
  const auto found = std::find_if(steps_.begin(), steps_.end(), [&](const StepLine& line) { return line.name == name; });
  if (!type.starts_with("step.") || found == steps_.end()) return nullptr;
  // An item's failure is not the step's.
  if (type == "step.item_failed") {
    json::object of_step = data;
    of_step.erase("error");
    take(*found, of_step);
    found->failures[number_at(data, "index")] = error_in(data);
  } else {
    if (type == "step.ready") found->failures.clear(), found->fraction = 0;
    take(*found, data);
  }
  if (found->items && found->items->total > 0 && type != "step.progress")
    found->fraction = std::max(found->fraction, static_cast<double>(found->items->succeeded + found->items->failed) / found->items->total);
  return &*found;
}

std::string step_text(const StepLine& step, int columns, std::size_t name_width, std::size_t what_width) {
  const std::string head = fmt::format("{:<{}}  {:<{}}  ", step.name, name_width, step.what, what_width);
  std::string items;
  if (step.items && step.items->total > 0) {
    items = fmt::format("  {}/{}", step.items->succeeded, step.items->total);
    if (step.items->failed > 0) items += fmt::format(", {} failed", step.items->failed);
  }
  const bool at_work = step.status == "running" || (step.status == "queued" && step.fraction > 0);
  if (!at_work) return fit(head + step.status + items + (step.note.empty() ? "" : "  " + step.note), columns);
  const std::string note = step.note.empty() ? "" : "  " + step.note;
  const int room = columns - static_cast<int>(head.size() + items.size() + note.size());
  return fit(head + progress_text({.fraction = step.fraction, .stage = ""}, std::clamp(room, 12, 40)) + items + note, columns);
}

std::vector<std::string> RunTree::lines(int columns, std::size_t rows) const {
  std::size_t names = 0, whats = 0;
  for (const StepLine& step : steps_) {
    names = std::max(names, step.name.size());
    whats = std::max(whats, step.what.size());
  }
  std::vector<std::string> out{fit(fmt::format("{} {}{}", id_, status_, title_.empty() ? "" : "  " + title_), columns)};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const bool last = i + 1 == steps_.size();
    out.push_back(fit((last ? "`- " : "|- ") + step_text(steps_[i], columns - 3, names, whats), columns));
    std::size_t shown = 0;
    for (const auto& [index, why] : steps_[i].failures) {
      if (shown++ == kShownFailures) {
        out.push_back(fit(fmt::format("{}   ... {} more", last ? " " : "|", steps_[i].failures.size() - kShownFailures), columns));
        break;
      }
      out.push_back(fit(fmt::format("{}  `- {}[{}]  failed  {}", last ? " " : "|", steps_[i].name, index, why), columns));
    }
  }
  if (out.size() > rows && rows > 1) {
    const std::size_t left_out = out.size() - (rows - 1);
    out.resize(rows - 1);
    out.push_back(fmt::format("... {} more lines: kinora runs show {}", left_out, id_));
  }
  return out;
}

RunDisplay::RunDisplay(std::FILE* out, bool quiet) : out_(out), quiet_(quiet), terminal_(::isatty(::fileno(out)) == 1) {}

RunDisplay::~RunDisplay() { std::fflush(out_); }

void RunDisplay::draw(const RunTree& tree) {
  if (drawn_ > 0) std::fprintf(out_, "\033[%zuA\r", drawn_);
  const std::vector<std::string> lines = tree.lines(terminal_columns(out_) - 1, terminal_rows(out_) - 1);
  for (const std::string& line : lines) std::fprintf(out_, "\033[K%s\n", line.c_str());
  std::fputs("\033[J", out_);
  std::fflush(out_);
  drawn_ = lines.size();
}

void RunDisplay::show(const RunTree& tree, const StepLine* changed) {
  if (quiet_) return;
  if (terminal_) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kPicture;
    return draw(tree);
  }
  if (changed == nullptr) return;
  StepLine coarse = *changed;
  coarse.fraction = static_cast<int>(coarse.fraction * 10) / 10.0;
  std::string text = step_text(coarse, 200, 0, 0);
  if (told_[changed->name] == text) return;
  told_[changed->name] = text;
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

void RunDisplay::finish(const RunTree& tree, std::string_view text, bool failed) {
  if (quiet_ && !failed) return;
  if (terminal_ && !quiet_) draw(tree);
  std::fprintf(out_, "%.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace kinora::cli

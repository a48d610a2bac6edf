#include "store/fault_point.hpp"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "base/log.hpp"

namespace kinora::store {

base::Result<FaultPoint> parse_fault_point(std::string_view text) {
  const auto bad = [] {
    return base::fail(base::ErrorCode::invalid, "a fault point is <name>:before or <name>:after, and :<n> for the n-th");
  };
  FaultPoint out;
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos || first == 0) return bad();
  out.name = text.substr(0, first);
  text.remove_prefix(first + 1);
  const std::string_view side = text.substr(0, text.find(':'));
  if (side != "before" && side != "after") return bad();
  out.side = side == "before" ? FaultPoint::Side::before : FaultPoint::Side::after;
  text.remove_prefix(side.size());
  if (text.empty()) return out;
  text.remove_prefix(1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out.nth);
  constexpr int kMost = 1'000'000;
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || out.nth < 1 || out.nth > kMost) return bad();
  return out;
}

namespace fault {
namespace {

std::optional<FaultPoint> from_environment() {
  const char* text = std::getenv("KINORA_FAULT");
  if (text == nullptr) return std::nullopt;
  auto point = parse_fault_point(text);
  if (!point) {
    base::log::error("store", "KINORA_FAULT is not understood", {{"error", point.error().message}});
    std::exit(2);
  }
  return std::move(*point);
}

const std::optional<FaultPoint>& point() {
  static const std::optional<FaultPoint> value = from_environment();
  return value;
}

int seen = 0;      // commits that carried the name, this one included
bool due = false;  // the transaction at hand is the one

void end_process(FaultPoint::Side side) {
  if (due && point()->side == side) ::kill(::getpid(), SIGKILL);
}

}  // namespace

void carries(std::string_view name) {
  if (!point() || point()->name != name || due) return;
  due = ++seen == point()->nth;
}
void before_commit() {
  if (point()) end_process(FaultPoint::Side::before);
}
void after_commit() {
  if (point()) end_process(FaultPoint::Side::after);
}
void undone() { due = false; }

}  // namespace fault
}  // namespace kinora::store

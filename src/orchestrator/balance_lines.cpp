#include "orchestrator/balance_lines.hpp"

namespace kinora::orchestrator {

void BalanceLines::line(std::string_view text, std::string& out) {
  if (!done_ && text.find("[DONE]") != std::string_view::npos) {
    done_ = true;
    out += "data: {\"balance\": " + balance_ + "}\n\n";
  }
  const auto mentions = [&](std::string_view type) { return text.find(type) != std::string_view::npos; };
  if (text.starts_with("data:") && (mentions("\"result\"") || mentions("\"error\""))) outcome_line_ = text.substr(5);
  out += text;
}

base::Result<std::string> BalanceLines::feed(std::string_view piece) {
  std::string out;
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    if (end == std::string_view::npos) {
      buffer_ += piece;
      break;
    }
    buffer_ += piece.substr(0, end + 1);
    piece.remove_prefix(end + 1);
    line(buffer_, out);
    buffer_.clear();
  }
  if (buffer_.size() > kMaxEventLineBytes) return base::fail(base::ErrorCode::too_large, "line of the worker's event stream too long");
  return out;
}

std::string BalanceLines::finish() {
  std::string out;
  if (!buffer_.empty()) line(buffer_, out);
  buffer_.clear();
  return out;
}

}  // namespace kinora::orchestrator

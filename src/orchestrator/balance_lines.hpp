#pragma once
// Passes an event stream on and puts the sender's balance before the end, as go-livepeer's orchestrator does: a data
// line {"balance": n.nnn} and an empty line before the line that contains [DONE]. Works on pieces of any size.
// Pure, one stream.
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kinora::orchestrator {

inline constexpr std::size_t kMaxEventLineBytes = (1 << 20) + 4096;  // one event of the order protocol and its field name

class BalanceLines {
 public:
  explicit BalanceLines(std::string balance = "0.000") : balance_(std::move(balance)) {}
  // What to send on: whole lines only, the begin of an unfinished line waits. too_large: a line past the limit.
  base::Result<std::string> feed(std::string_view piece);
  // What is left when the stream ends without a line break.
  std::string finish();
  // The data of the last line that looked like a result or error event, empty when there was none.
  const std::string& outcome_line() const { return outcome_line_; }
  bool done() const { return done_; }

 private:
  void line(std::string_view text, std::string& out);
  std::string balance_;
  std::string buffer_;
  std::string outcome_line_;
  bool done_ = false;
};

}  // namespace kinora::orchestrator

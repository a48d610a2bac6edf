#pragma once
// Server-sent events (WHATWG HTML, section 9.2).
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::net {

struct SseEvent {
  std::string type = "message";
  std::string data;
  std::string id;
};

// "id: ..\nevent: ..\ndata: ..\n\n"; empty id and the type "message" are left out; line breaks in data become several data lines.
std::string format_sse(const SseEvent& event);

// Cuts events out of a stream in pieces of any size. Comments are dropped.
class SseParser {
 public:
  explicit SseParser(std::size_t max_event_bytes = 1 << 20);
  base::Result<std::vector<SseEvent>> feed(std::string_view piece);  // too_large past the limit

 private:
  void line(std::string_view text, std::vector<SseEvent>& out);
  std::string buffer_;
  SseEvent event_;
  bool has_data_ = false;
  bool skip_line_feed_ = false;
  bool first_line_ = true;  // a byte order mark may stand before it
  std::string last_id_;
  std::size_t max_;
};

}  // namespace kinora::net

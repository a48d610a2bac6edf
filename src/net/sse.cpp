#include "net/sse.hpp"

namespace kinora::net {

std::string format_sse(const SseEvent& event) {
  // A line break inside id or type would start a field of its own: those are single-line by construction, so breaks become spaces.
  const auto single_line = [](std::string text) {
    for (char& c : text)
      if (c == '\r' || c == '\n') c = ' ';
    return text;
  };
  std::string out;
  if (!event.id.empty()) out += "id: " + single_line(event.id) + "\n";
  if (event.type != "message" && !event.type.empty()) out += "event: " + single_line(event.type) + "\n";
  std::string_view rest = event.data;
  for (;;) {
    const auto end = rest.find_first_of("\r\n");
    out += "data: ";
    out += rest.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    const bool pair = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
    rest.remove_prefix(end + (pair ? 2 : 1));
  }
  return out + "\n";
}

SseParser::SseParser(std::size_t max_event_bytes) : max_(max_event_bytes) {}

base::Result<std::vector<SseEvent>> SseParser::feed(std::string_view piece) {
  std::vector<SseEvent> out;
  while (!piece.empty()) {
    if (skip_line_feed_) {  // the \n of a \r\n that was cut in two
      skip_line_feed_ = false;
      if (piece.front() == '\n') {
        piece.remove_prefix(1);
        continue;
      }
    }
    const auto end = piece.find_first_of("\r\n");
    buffer_ += piece.substr(0, end);
    if (buffer_.size() + event_.data.size() > max_) {
      return base::fail(base::ErrorCode::too_large, "an event is larger than " + std::to_string(max_) + " bytes");
    }
    if (end == std::string_view::npos) break;
    skip_line_feed_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    const std::string text = std::exchange(buffer_, {});
    line(text, out);
  }
  return out;
}

void SseParser::line(std::string_view text, std::vector<SseEvent>& out) {
  if (first_line_) {
    first_line_ = false;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  }
  if (text.empty()) {  // dispatch
    if (has_data_) {
      event_.data.pop_back();  // the line feed after the last data line
      event_.id = last_id_;
      out.push_back(std::move(event_));
    }
    event_ = {};
    has_data_ = false;
    return;
  }
  const auto colon = text.find(':');
  const auto field = text.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    event_.data += value;
    event_.data += '\n';
    has_data_ = true;
  } else if (field == "event") {
    event_.type = value.empty() ? "message" : std::string(value);
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    last_id_ = value;
  }
}

}  // namespace kinora::net

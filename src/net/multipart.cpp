#include "net/multipart.hpp"

#include <algorithm>

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxBoundaryBytes = 70;  // RFC 2046 5.1.1

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 32);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Reads "; key=value" pairs; values may be quoted strings with backslash escapes.
base::Result<std::vector<std::pair<std::string, std::string>>> parse_parameters(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  for (;;) {
    text = trimmed(text);
    if (text.empty()) return out;
    if (text.front() != ';') return fail(ErrorCode::invalid, "a parameter must begin with ';'");
    text = trimmed(text.substr(1));
    if (text.empty()) return out;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return fail(ErrorCode::invalid, "a parameter has no value");
    std::string key = lowered(trimmed(text.substr(0, equals)));
    text = trimmed(text.substr(equals + 1));
    std::string value;
    if (text.starts_with('"')) {
      std::size_t i = 1;
      for (; i < text.size() && text[i] != '"'; ++i) {
        // Browsers send a quote as %22 and leave backslashes of Windows paths alone, so only \" and \\ are escapes.
        if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
        value += text[i];
      }
      if (i >= text.size()) return fail(ErrorCode::invalid, "a quoted parameter has no end");
      text.remove_prefix(i + 1);
    } else {
      const auto end = text.find(';');
      value = trimmed(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end);
    }
    for (const auto& [known, unused] : out)
      if (known == key) return fail(ErrorCode::invalid, "a parameter is given twice");
    out.emplace_back(std::move(key), std::move(value));
  }
}

bool boundary_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

}  // namespace

base::Result<std::string> multipart_boundary(std::string_view content_type) {
  const auto end = content_type.find(';');
  if (lowered(trimmed(content_type.substr(0, end))) != "multipart/form-data" || end == std::string_view::npos) {
    return fail(ErrorCode::invalid, "the body is not multipart/form-data with a boundary");
  }
  KINORA_TRY(auto parameters, parse_parameters(content_type.substr(end)));
  for (auto& [key, value] : parameters) {
    if (key != "boundary") continue;
    if (value.empty() || value.size() > kMaxBoundaryBytes || value.back() == ' ' || !std::ranges::all_of(value, boundary_character)) {
      return fail(ErrorCode::invalid, "the multipart boundary breaks the rules of RFC 2046");
    }
    return std::move(value);
  }
  return fail(ErrorCode::invalid, "the Content-Type names no boundary");
}

// The buffer begins with a line break, so that a first boundary at the very start is found as "\r\n--boundary" too.
MultipartParser::MultipartParser(std::string boundary, Sink& sink, MultipartLimits limits)
    : delimiter_("\r\n--" + std::move(boundary)), sink_(sink), limits_(limits), buffer_("\r\n") {}

base::Status MultipartParser::feed(std::string_view bytes) {
  buffer_ += bytes;
  for (bool progressed = true; progressed;) {
    progressed = false;
    KINORA_OK(step(progressed));
  }
  return {};
}

base::Status MultipartParser::finish() {
  if (state_ != State::epilogue) return fail(ErrorCode::invalid, "the multipart body ends without its closing boundary");
  return {};
}

base::Status MultipartParser::step(bool& progressed) {
  switch (state_) {
    case State::preamble:
    case State::body: {
      const auto at = buffer_.find(delimiter_);
      const bool found = at != std::string::npos;
      // Without the delimiter, all but the bytes that may be its beginning can go.
      const std::size_t ready = found ? at : buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
      if (state_ == State::body && ready > 0) KINORA_OK(sink_.data(std::string_view(buffer_).substr(0, ready)));
      buffer_.erase(0, found ? ready + delimiter_.size() : ready);
      if (!found) return {};
      if (state_ == State::body) KINORA_OK(sink_.end());
      state_ = State::boundary_tail;
      progressed = true;
      return {};
    }
    case State::boundary_tail: {
      if (buffer_.starts_with("--")) {
        state_ = State::epilogue;
        progressed = true;
        return {};
      }
      const auto end = buffer_.find("\r\n");
      const auto padding = std::string_view(buffer_).substr(0, end == std::string::npos ? buffer_.size() : end);
      const auto text = padding.find_first_not_of(" \t");
      const bool may_close = end == std::string::npos && (padding == "-" || padding == "\r");
      const bool may_end = end == std::string::npos && text != std::string_view::npos && padding.substr(text) == "\r";
      if (padding.size() > limits_.part_header_bytes || (text != std::string_view::npos && !may_close && !may_end)) {
        return fail(ErrorCode::invalid, "unexpected bytes after a multipart boundary");
      }
      if (end == std::string::npos) return {};
      if (++parts_ > limits_.parts) return fail(ErrorCode::too_large, "the body has more than " + std::to_string(limits_.parts) + " parts");
      buffer_.erase(0, end);  // the line break stays: it may be the first half of an empty header block's end
      state_ = State::headers;
      progressed = true;
      return {};
    }
    case State::headers: {
      const auto end = buffer_.find("\r\n\r\n");
      if ((end == std::string::npos ? buffer_.size() : end) > limits_.part_header_bytes) {
        return fail(ErrorCode::too_large, "a part's headers are larger than " + std::to_string(limits_.part_header_bytes) + " bytes");
      }
      if (end == std::string::npos) return {};
      // RFC 2046: a part without bytes may leave out the empty line, then the delimiter stands right here.
      const auto rest = std::string_view(buffer_).substr(end + 2);
      if (rest.size() < delimiter_.size() && std::string_view(delimiter_).starts_with(rest)) return {};
      KINORA_TRY(const MultipartPart part, parse_headers(std::string_view(buffer_).substr(0, end)));
      KINORA_OK(sink_.begin(part));
      buffer_.erase(0, rest.starts_with(delimiter_) ? end + 2 : end + 4);
      state_ = State::body;
      progressed = true;
      return {};
    }
    case State::epilogue: buffer_.clear(); return {};
  }
  return {};
}

base::Result<MultipartPart> MultipartParser::parse_headers(std::string_view text) const {
  MultipartPart part;
  bool named = false;
  while (!text.empty()) {
    text.remove_prefix(2);
    const auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return fail(ErrorCode::invalid, "a part's header has no colon");
    const auto name = lowered(trimmed(line.substr(0, colon)));
    const auto value = trimmed(line.substr(colon + 1));
    if (name == "content-type") part.content_type = value;
    if (name != "content-disposition") continue;
    const auto semicolon = value.find(';');
    if (lowered(trimmed(value.substr(0, semicolon))) != "form-data") return fail(ErrorCode::invalid, "a part is not form-data");
    KINORA_TRY(auto parameters, parse_parameters(semicolon == std::string_view::npos ? std::string_view() : value.substr(semicolon)));
    for (auto& [key, content] : parameters) {
      if (key == "name") {
        part.name = std::move(content);
        named = true;
      } else if (key == "filename") {
        part.filename = std::move(content);
      }
    }
  }
  if (!named) return fail(ErrorCode::invalid, "a part has no name");
  return part;
}

}  // namespace kinora::net

#pragma once
// Header values of content answers: entity tags (RFC 9110 8.8.3, 13.1), Content-Disposition (RFC 6266). Pure.
#include <optional>
#include <string>
#include <string_view>

namespace kinora::gateway {

// True when If-None-Match's list holds the tag (weak comparison) or is "*".
bool etag_listed(std::string_view if_none_match, std::string_view etag);
// True when If-Range allows a range: absent, or exactly this strong tag (a date never matches: we send none).
bool range_allowed(std::optional<std::string_view> if_range, std::string_view etag);

// `attachment; filename="clip.mp4"; filename*=UTF-8''clip.mp4`; `kind` is inline or attachment. Control characters and
// quotes never reach the header.
std::string content_disposition(std::string_view kind, std::string_view filename);

// A file name that is safe to show and to store: the last path segment, without control characters, at most 200 bytes on a
// character boundary; "file" when nothing is left.
std::string safe_filename(std::string_view text);

}  // namespace kinora::gateway

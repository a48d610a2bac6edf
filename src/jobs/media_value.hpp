#pragma once
// Media values of a job's input (developer-api 5.3.5), checked but not yet looked up. Pure. A slot takes
//   "https://..." | {"url", "headers"?, "sha256"?} | "data:..." | {"artifact"} | {"upload"} | {"job", "path": "output.video"}
// and with each object a part of it: "start_s", "end_s", or for a picture "frame": "first" | "last" | index | {"time_s"}.
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/validation.hpp"

namespace kinora::jobs {

namespace json = base::json;

inline constexpr std::size_t kMaxInlineBytes = 256 * 1024;  // of a data: URI, decoded
inline constexpr std::size_t kMaxMediaUrlBytes = 2048;
inline constexpr std::size_t kMaxFetchHeaders = 16;
inline constexpr std::size_t kMaxFetchHeaderBytes = 4096;  // name and value
inline constexpr double kMaxMediaSeconds = 86'400;
inline constexpr std::int64_t kMaxFrame = 1'000'000;

// "output.video", "output.images[2]".
struct OutputPath {
  std::string slot;
  std::optional<std::size_t> index;
};
std::optional<OutputPath> parse_output_path(std::string_view text);
// The artifact that a job's public output names there; of several files without an index, the only one. nullopt: none.
std::optional<std::string> artifact_at(const json::value& output, const OutputPath& path);

namespace media_ref {
struct ArtifactRef {
  std::string id;
};
struct UploadRef {
  std::string id;
};
struct Inline {
  std::string mime;
  std::string bytes;
};
struct Url {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> sha256;
};
struct ResultOf {
  std::string job;
  OutputPath path;
};
}  // namespace media_ref

// What is made of a media value before the job begins: a job of its own.
struct Part {
  std::string task, slot;  // "clip", its slot for the source
  json::object params;
  std::string output;  // its output slot
};

struct MediaRef {
  std::string slot;
  int ordinal = 0;
  std::string pointer;
  tasks::MediaKind kind = tasks::MediaKind::media;
  std::variant<media_ref::ArtifactRef, media_ref::UploadRef, media_ref::Inline, media_ref::Url, media_ref::ResultOf> value;
  std::optional<Part> part;
};

// What is wrong is added to `errors`.
std::vector<MediaRef> read_media(const tasks::TaskSpec& task, const std::vector<tasks::SlotValue>& values, base::FieldErrors& errors);

// "data:image/png;base64,..." Errors: invalid, too_large, unsupported (no base64).
base::Result<media_ref::Inline> parse_data_uri(std::string_view uri);

}  // namespace kinora::jobs

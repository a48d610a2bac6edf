#include "jobs/media_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "base/ulid.hpp"
#include "tasks/order.hpp"

namespace kinora::jobs {
namespace {

using base::FieldErrors;
using base::ObjectReader;
using tasks::MediaKind;

constexpr std::string_view kForms = R"(must be an https URL, a data: URI, or an object with one of "artifact", "upload", "url", "job")";

// The connection's, or ours.
constexpr std::string_view kOwnHeaders[] = {
    "host",   "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
    "expect", "range",          "accept-encoding",   "user-agent"};

bool is_url(std::string_view text) { return text.starts_with("https://") || text.starts_with("http://"); }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// RFC 9110 5.1 and 5.5; `name` in lower case.
bool is_header(std::string_view name, std::string_view value) {
  constexpr std::string_view kToken = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return !name.empty() && name.find_first_not_of(kToken) == std::string_view::npos && std::ranges::none_of(value, control);
}

void read_text(std::string_view text, const std::string& pointer, MediaRef& out, FieldErrors& errors) {
  if (!text.starts_with("data:")) {
    if (!is_url(text))
      errors.push_back({pointer, "invalid_field", std::string(kForms)});
    else if (text.size() > kMaxMediaUrlBytes)
      errors.push_back({pointer, "too_high", fmt::format("a URL has at most {} bytes", kMaxMediaUrlBytes)});
    else
      out.value = media_ref::Url{.url = std::string(text), .headers = {}, .sha256 = {}};
    return;
  }
  auto bytes = parse_data_uri(text);
  if (bytes)
    out.value = std::move(*bytes);
  else
    errors.push_back({pointer, bytes.error().code == base::ErrorCode::too_large ? "too_high" : "invalid_field", bytes.error().message});
}

void read_url(ObjectReader& in, std::string url, MediaRef& out, FieldErrors& errors) {
  media_ref::Url value{.url = std::move(url), .headers = {}, .sha256 = in.string("sha256", 64)};
  if (!is_url(value.url)) in.error("url", "invalid_field", "must be an https URL");
  if (value.sha256 && !tasks::is_sha256(*value.sha256)) in.error("sha256", "invalid_field", "must be 64 lower-case hex digits");
  if (const json::object* headers = in.object("headers")) {
    if (headers->size() > kMaxFetchHeaders) in.error("headers", "too_high", fmt::format("at most {} header fields", kMaxFetchHeaders));
    for (const auto& member : *headers) {
      const json::string* text = member.value().if_string();
      const std::string name = lower_case(member.key());
      const std::string at = in.pointer("headers") + "/" + std::string(member.key());
      if (std::ranges::find(kOwnHeaders, name) != std::end(kOwnHeaders))
        errors.push_back({at, "not_allowed", "is set by the gateway"});
      else if (text == nullptr || name.size() + text->size() > kMaxFetchHeaderBytes || !is_header(name, *text))
        errors.push_back(
            {at, "invalid_field", fmt::format("must be a header field with a text, at most {} bytes together", kMaxFetchHeaderBytes)});
      else
        value.headers.emplace_back(name, *text);
    }
  }
  out.value = std::move(value);
}

void read_result(ObjectReader& in, const std::string& job, MediaRef& out) {
  const auto path = parse_output_path(in.required_string("path", 128));
  if (!base::is_id("job", job)) in.error("job", "invalid_field", "must be job_ and a ULID");
  if (!path) in.error("path", "invalid_field", R"(must be like "output.video" or "output.images[0]")");
  if (path) out.value = media_ref::ResultOf{job, *path};
}

std::optional<Part> read_frame(ObjectReader& in, MediaKind kind, FieldErrors& errors) {
  const json::value* frame = in.member("frame");
  if (frame == nullptr) return std::nullopt;
  Part part{"thumbnail", "video", {{"format", "png"}}, "image"};
  if (kind != MediaKind::image) {
    in.error("frame", "not_allowed", "is for slots that take a picture");
  } else if (frame->is_object()) {
    ObjectReader at(*frame, in.pointer("frame"), errors);
    if (at.member("time_s") == nullptr) at.error("time_s", "missing_field", "is required");
    part.params["at_s"] = at.number("time_s", 0, kMaxMediaSeconds).value_or(0);
    at.finish();
  } else if (*frame == json::value("first")) {
    part.params["frame"] = 0;
  } else if (*frame == json::value("last")) {
    part.params["frame"] = -1;
  } else if (frame->is_string()) {
    in.error("frame", "not_allowed", R"(must be "first", "last", an index or {"time_s"})");
  } else {
    part.params["frame"] = in.integer("frame", 0, kMaxFrame).value_or(0);
  }
  return part;
}

// Cut so finely that the cut itself is not seen: what it feeds looks at every pixel.
constexpr int kPartCrf = 8;

std::optional<Part> read_range(ObjectReader& in, MediaKind kind) {
  const auto start = in.number("start_s", 0, kMaxMediaSeconds), end = in.number("end_s", 0, kMaxMediaSeconds);
  if (!start && !end) return std::nullopt;
  if (end && *end <= start.value_or(0)) in.error("end_s", "too_low", "must be after start_s");
  if (kind == MediaKind::image)
    in.error(start ? "start_s" : "end_s", "not_allowed", "is for slots that take video or sound; a picture is chosen by \"frame\"");
  const bool sound = kind == MediaKind::audio || kind == MediaKind::sound;
  Part part = sound ? Part{"extract-audio", "media", {{"format", "flac"}}, "audio"} : Part{"clip", "video", {{"crf", kPartCrf}}, "video"};
  if (start) part.params["start_s"] = *start;
  if (end) part.params["end_s"] = *end;
  return part;
}

void read_object(const json::value& value, const std::string& pointer, MediaRef& out, FieldErrors& errors) {
  ObjectReader in(value, pointer, errors);
  const auto artifact = in.string("artifact", 64), upload = in.string("upload", 64), job = in.string("job", 64);
  const auto url = in.string("url", kMaxMediaUrlBytes);
  if (artifact.has_value() + upload.has_value() + job.has_value() + url.has_value() != 1) {
    errors.push_back({pointer, "invalid_field", std::string(kForms)});
    return;
  }
  if (artifact) {
    if (!base::is_id("art", *artifact)) in.error("artifact", "invalid_field", "must be art_ and a ULID");
    out.value = media_ref::ArtifactRef{*artifact};
  } else if (upload) {
    if (!base::is_id("upl", *upload)) in.error("upload", "invalid_field", "must be upl_ and a ULID");
    out.value = media_ref::UploadRef{*upload};
  } else if (job) {
    read_result(in, *job, out);
  } else {
    read_url(in, *url, out, errors);
  }
  auto range = read_range(in, out.kind);
  out.part = read_frame(in, out.kind, errors);
  if (!out.part) out.part = std::move(range);
  in.finish();
}

}  // namespace

std::optional<OutputPath> parse_output_path(std::string_view text) {
  constexpr std::string_view kRoot = "output.", kName = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (!text.starts_with(kRoot)) return std::nullopt;
  text.remove_prefix(kRoot.size());
  OutputPath out;
  const std::size_t end = std::min(text.find('['), text.size());
  out.slot = text.substr(0, end);
  if (out.slot.empty() || out.slot.find_first_not_of(kName) != std::string::npos) return std::nullopt;
  text.remove_prefix(end);
  if (text.empty()) return out;
  std::size_t index = 0;
  const char* const last = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, last, index);
  if (error != std::errc() || stop + 1 != last || *stop != ']') return std::nullopt;
  out.index = index;
  return out;
}

std::optional<std::string> artifact_at(const json::value& output, const OutputPath& path) {
  const json::object* slots = output.if_object();
  const json::value* found = slots != nullptr ? slots->if_contains(path.slot) : nullptr;
  if (found == nullptr) return std::nullopt;
  if (const json::array* list = found->if_array()) {
    if (path.index ? *path.index >= list->size() : list->size() != 1) return std::nullopt;
    found = &(*list)[path.index.value_or(0)];
  } else if (path.index) {
    return std::nullopt;
  }
  const json::object* file = found->if_object();
  const json::value* id = file != nullptr ? file->if_contains("artifact") : nullptr;
  if (id == nullptr || !id->is_string()) return std::nullopt;
  return std::string(id->get_string());
}

std::vector<MediaRef> read_media(const tasks::TaskSpec& task, const std::vector<tasks::SlotValue>& values, FieldErrors& errors) {
  std::vector<MediaRef> out;
  for (const tasks::SlotValue& value : values) {
    MediaRef ref;
    ref.slot = value.slot;
    ref.pointer = value.pointer;
    ref.kind = task.find_input(value.slot)->kind;
    ref.ordinal = static_cast<int>(std::count_if(out.begin(), out.end(), [&](const MediaRef& other) { return other.slot == value.slot; }));
    if (const json::string* text = value.value.if_string())
      read_text(*text, value.pointer, ref, errors);
    else if (value.value.is_object())
      read_object(value.value, value.pointer, ref, errors);
    else
      errors.push_back({value.pointer, "invalid_field", std::string(kForms)});
    out.push_back(std::move(ref));
  }
  return out;
}

base::Result<media_ref::Inline> parse_data_uri(std::string_view uri) {
  constexpr std::string_view kBase64 = ";base64";
  const std::size_t comma = uri.find(',');
  if (!uri.starts_with("data:") || comma == std::string_view::npos) return base::fail(base::ErrorCode::invalid, "is no data: URI");
  std::string_view type = uri.substr(5, comma - 5);
  if (!type.ends_with(kBase64)) return base::fail(base::ErrorCode::unsupported, "a data: URI must be base64");
  type.remove_suffix(kBase64.size());
  if (type.size() > 200) return base::fail(base::ErrorCode::invalid, "the media type of the data: URI is too long");
  const std::string_view text = uri.substr(comma + 1);
  const auto too_large = [] {
    return base::fail(base::ErrorCode::too_large,
                      fmt::format("a data: URI holds at most {} bytes; upload the file instead", kMaxInlineBytes));
  };
  if (text.size() > kMaxInlineBytes / 3 * 4 + 8) return too_large();
  auto bytes = base::from_base64(text);
  if (!bytes) return base::fail(base::ErrorCode::invalid, "the data: URI is not valid base64");
  if (bytes->size() > kMaxInlineBytes) return too_large();
  media_ref::Inline out;
  out.mime = type.substr(0, type.find(';'));
  if (out.mime.empty()) out.mime = "text/plain";
  out.bytes = base::as_text(*bytes);
  return out;
}

}  // namespace kinora::jobs

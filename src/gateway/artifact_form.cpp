#include "gateway/artifact_form.hpp"

#include <vector>

#include "gateway/content_headers.hpp"
#include "jobs/outcome.hpp"
#include "net/multipart.hpp"

namespace kinora::gateway {
namespace {

constexpr std::uint64_t kMaxFormBytes = kMaxFormFileBytes + (1 << 20);  // the file, and what is around it

// Collects what the parser hands on for one piece of the body; the caller then writes the file's bytes to the disk.
struct FormSink final : net::MultipartParser::Sink {
  base::FieldErrors errors;
  std::optional<net::MultipartPart> file;
  std::string file_bytes;  // of this piece
  bool in_file = false;

  base::Status begin(const net::MultipartPart& part) override {
    in_file = part.name == "file" && part.filename.has_value();
    if (in_file) {
      if (file) errors.push_back({"/file", "invalid_field", "is there twice; one artifact, one file"});
      file = part;
    } else {
      errors.push_back({"/" + part.name, part.name == "file" ? "invalid_field" : "unknown_field",
                        part.name == "file" ? "needs a filename" : "is unknown; the form takes file"});
    }
    return {};
  }
  base::Status data(std::string_view bytes) override {
    if (in_file) file_bytes += bytes;  // another part is an error already
    return {};
  }
  base::Status end() override { return {}; }
};

tl::unexpected<Problem> form_problem(const base::Error& error) {
  if (error.code == base::ErrorCode::too_large)
    return refuse("body_too_large", "a file here holds at most 100 MiB; use POST /v1/media/uploads for more");
  if (error.code == base::ErrorCode::invalid) return refuse("invalid_field", error.message);
  return jobs::refuse(error);
}

}  // namespace

Task<tl::expected<ArtifactForm, Problem>> read_artifact_form(Call& call, store::Blobs& blobs) {
  const auto type = call.request.headers.get("content-type");
  const auto boundary = net::multipart_boundary(type.value_or(""));
  if (!boundary) co_return refuse("unsupported_media", "this route takes multipart/form-data with a part named file");
  FormSink sink;
  net::MultipartParser parser(*boundary, sink);
  auto writer = co_await blobs.create(static_cast<std::int64_t>(kMaxFormFileBytes));
  if (!writer) co_return jobs::refuse(writer.error());
  for (;;) {
    auto piece = co_await call.request.body->read();
    if (!piece) co_return form_problem(piece.error());
    if (piece->empty()) break;
    if (const auto fed = parser.feed(*piece); !fed) co_return form_problem(fed.error());
    if (!sink.errors.empty()) co_return refuse(std::move(sink.errors));
    // Not before a part was seen: one of a wrong name is what is wrong, however long it is.
    if (call.request.content_length.value_or(0) > kMaxFormBytes) co_return form_problem({base::ErrorCode::too_large, {}});
    if (sink.file_bytes.empty()) continue;
    if (const auto done = co_await writer->append(std::exchange(sink.file_bytes, {})); !done) co_return form_problem(done.error());
  }
  if (const auto done = parser.finish(); !done) co_return form_problem(done.error());
  if (!sink.file) co_return refuse({{"/file", "missing_field", "is required"}});
  auto blob = co_await writer->commit();
  if (!blob) co_return jobs::refuse(blob.error());
  ArtifactForm form;
  form.filename = safe_filename(*sink.file->filename);
  form.mime = sink.file->content_type;
  form.fingerprint_body["file"] = json::object{{"$sha256", blob->sha256()}, {"$name", *sink.file->filename}};
  form.blob = std::move(*blob);
  co_return form;
}

}  // namespace kinora::gateway

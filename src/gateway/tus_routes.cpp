// Resumable uploads by tus 1.0 (developer-api 3.7, 5.6) at /v1/media/uploads/tus: each PATCH becomes a part of an upload like any other;
// with its last byte the upload is completed, and its artifact stands at GET /v1/media/uploads/{id}.
//
// Who may: a key with the scope, or the token `t` that stands in the URL of the upload.
#include <set>

#include "gateway/content_headers.hpp"
#include "gateway/services.hpp"
#include "gateway/tus_append.hpp"
#include "gateway/tus_rows.hpp"
#include "gateway/tus_url.hpp"
#include "gateway/upload_completion.hpp"
#include "net/http1_head.hpp"

namespace kinora::gateway {
namespace {

constexpr std::string_view kBytesType = "application/offset+octet-stream";

// An upload as tus sees it.
struct View {
  jobs::Upload upload;
  TusUpload tus;
  std::int64_t offset = 0;
  int parts = 0;
};

bool takes_data(const jobs::Upload& upload) {
  return upload.status == jobs::UploadStatus::pending || upload.status == jobs::UploadStatus::uploading;
}

std::string path_of(std::string_view id) { return std::string(kTusPrefix) + std::string(id); }

class Tus {
 public:
  explicit Tus(SharedServices services) : services_(*services), keep_(std::move(services)) {}

  Task<Answer> options() const {
    co_return Reply::empty(204, {{"tus-resumable", std::string(kTusVersion)},
                                 {"tus-version", std::string(kTusVersion)},
                                 {"tus-extension", std::string(kTusExtensions)},
                                 {"tus-max-size", std::to_string(max_bytes())},
                                 {"tus-checksum-algorithm", std::string(kTusChecksums)}});
  }
  Task<Answer> create(Call& call);
  Task<Answer> head(Call& call);
  Task<Answer> patch(Call& call);
  Task<Answer> remove(Call& call);

 private:
  std::int64_t max_bytes() const { return static_cast<std::int64_t>(services_.max_upload_bytes); }
  Task<tl::expected<View, Problem>> find(Call& call) const;
  Task<tl::expected<View, Problem>> look(std::string id) const;
  Task<tl::expected<View, Problem>> append(Call& call, View view);
  Task<tl::expected<View, Problem>> complete(View view);
  Task<tl::expected<jobs::Upload, Problem>> make(Call& call, const TusCreation& wanted, std::string& concat);
  net::Headers headers_of(const View& view) const;

  const Services& services_;
  SharedServices keep_;
  std::set<std::string> writing_;  // uploads that a PATCH is at work on
};

Task<tl::expected<View, Problem>> Tus::look(std::string id) const {
  auto view = co_await services_.database.read([&id](store::Connection& db) -> base::Result<View> {
    View out;
    KINORA_TRY(out.upload, jobs::find_upload(db, id));
    KINORA_TRY(out.tus, find_tus(db, id));
    KINORA_TRY(const auto parts, jobs::list_upload_parts(db, id));
    for (const jobs::UploadPart& part : parts) out.offset += part.bytes;
    out.parts = static_cast<int>(parts.size());
    if (!takes_data(out.upload)) out.offset = out.upload.bytes.value_or(out.offset);
    return out;
  });
  if (!view) co_return jobs::refuse(view.error());
  co_return std::move(*view);
}

Task<tl::expected<View, Problem>> Tus::find(Call& call) const {
  const std::string id(call.request.param("id"));
  const auto query = net::parse_query(call.request.query);
  const auto token = query ? net::query_value(*query, "t") : std::nullopt;
  if (call.caller.key_id.empty() && !token) co_return refuse("unauthenticated", "an API key or the token of the upload's URL is needed");
  if (call.caller.key_id.empty() && !services_.signer.verify_prefix(path_of(id), *token, services_.clock()))
    co_return refuse("forbidden", "the token of the upload's URL is wrong or has expired");
  auto view = co_await look(id);
  if (!view) co_return tl::unexpected(std::move(view).error());
  if (!call.caller.key_id.empty() && view->upload.project != call.caller.project) co_return refuse("not_found", "no upload of that id");
  const bool over = view->upload.status == jobs::UploadStatus::expired || view->upload.status == jobs::UploadStatus::canceled ||
                    view->upload.status == jobs::UploadStatus::failed ||
                    (takes_data(view->upload) && view->upload.expires_at <= services_.clock());
  if (over) co_return refuse("gone", "the upload has ended; begin a new one");
  co_return std::move(*view);
}

net::Headers Tus::headers_of(const View& view) const {
  net::Headers out{{"upload-offset", std::to_string(view.offset)}, {"cache-control", "no-store"}};
  if (takes_data(view.upload)) out.set("upload-expires", http_date(std::chrono::floor<std::chrono::seconds>(view.upload.expires_at)));
  return out;
}

Task<tl::expected<jobs::Upload, Problem>> Tus::make(Call& call, const TusCreation& wanted, std::string& concat) {
  jobs::Upload upload;
  upload.project = call.caller.project;
  const auto text = [&](std::string_view key, const std::string& otherwise) {
    const auto found = wanted.metadata.find(key);
    return found == wanted.metadata.end() ? otherwise : found->second;
  };
  upload.filename = safe_filename(text("filename", text("name", "file")));
  upload.mime = text("filetype", text("type", "application/octet-stream"));
  if (upload.mime.size() > 127 || !net::is_field_value(upload.mime))
    co_return refuse({{"Upload-Metadata", "invalid_field", "filetype is no media type"}});
  if (text("purpose", "input") != "input")
    co_return refuse({{"Upload-Metadata", "not_allowed", "this node takes uploads for the purpose input only"}});
  upload.bytes = wanted.length;
  if (const std::string sha256 = text("sha256", ""); !sha256.empty()) {
    if (!tasks::is_sha256(sha256)) co_return refuse({{"Upload-Metadata", "invalid_field", "sha256 must be 64 lower-case hex digits"}});
    upload.sha256 = sha256;
  }
  if (!wanted.concat || wanted.concat->partial) {
    concat = wanted.concat ? "partial" : "";
    co_return co_await services_.engine.create_upload(std::move(upload));
  }
  // A final upload: made of the parts of the partial ones, in order.
  std::vector<std::string> blobs;
  std::int64_t bytes = 0;
  concat = "final;";
  for (const std::string& id : wanted.concat->uploads) {
    const auto partial = co_await look(id);
    if (!partial || partial->upload.project != call.caller.project || !partial->tus.partial())
      co_return refuse({{"Upload-Concat", "invalid_field", id + " is no partial upload"}});
    if (!partial->upload.bytes || partial->offset != *partial->upload.bytes)
      co_return refuse({{"Upload-Concat", "invalid_field", id + " is not complete"}});
    const auto parts = co_await services_.database.read([&id](store::Connection& db) { return jobs::list_upload_parts(db, id); });
    if (!parts) co_return jobs::refuse(parts.error());
    for (const jobs::UploadPart& part : *parts) blobs.push_back(part.sha256);
    bytes += partial->offset;
    concat += (concat.size() > 6 ? " " : "") + path_of(id);
  }
  if (bytes > max_bytes()) co_return refuse("media_too_large", "an upload has at most " + std::to_string(max_bytes()) + " bytes");
  upload.bytes = bytes;
  auto made = co_await services_.engine.create_upload(std::move(upload));
  if (!made || !takes_data(*made)) co_return made;
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    auto pinned = services_.blobs.pin(blobs[i]);
    if (!pinned) co_return jobs::refuse(pinned.error());
    if (auto put = co_await services_.engine.put_part(made->id, static_cast<int>(i) + 1, std::move(*pinned)); !put)
      co_return tl::unexpected(std::move(put).error());
  }
  co_return made;
}

Task<Answer> Tus::create(Call& call) {
  const auto wanted = parse_tus_creation(call.request.headers, max_bytes(), kTusPrefix);
  if (!wanted && wanted.error().code == base::ErrorCode::too_large) co_return refuse("media_too_large", wanted.error().message);
  if (!wanted) co_return refuse("invalid_field", wanted.error().message);
  std::string concat;
  auto made = co_await make(call, *wanted, concat);
  if (!made) co_return tl::unexpected(std::move(made).error());
  const TusUpload tus{made->id, wanted->metadata_text, concat};
  const auto stored = co_await services_.database.write([&](store::Connection& db) { return insert_tus(db, tus); });
  if (!stored) co_return jobs::refuse(stored.error());
  auto view = co_await look(made->id);
  const bool with_bytes = call.request.headers.get("content-type").value_or("") == kBytesType;
  if (view && with_bytes && !view->tus.final()) view = co_await append(call, std::move(*view));
  if (view) view = co_await complete(std::move(*view));
  if (!view) co_return tl::unexpected(std::move(view).error());
  net::Headers headers = headers_of(*view);
  headers.set("location", tus_url(services_, *made));
  co_return Reply::empty(201, std::move(headers));
}

Task<Answer> Tus::head(Call& call) {
  const auto view = co_await find(call);
  if (!view) co_return tl::unexpected(view.error());
  net::Headers headers = headers_of(*view);
  if (view->upload.bytes)
    headers.set("upload-length", std::to_string(*view->upload.bytes));
  else
    headers.set("upload-defer-length", "1");
  if (!view->tus.metadata.empty()) headers.set("upload-metadata", view->tus.metadata);
  if (!view->tus.concat.empty()) headers.set("upload-concat", view->tus.concat);
  co_return Reply::empty(200, std::move(headers));
}

Task<tl::expected<View, Problem>> Tus::append(Call& call, View view) {
  const std::string id = view.upload.id;
  if (!writing_.insert(id).second) {
    Problem busy;
    busy.code = "version_conflict";
    busy.detail = "another request is writing to this upload";
    co_return tl::unexpected(std::move(busy));
  }
  struct Done {
    ~Done() { writing.erase(id); }
    std::set<std::string>& writing;
    const std::string& id;
  } const done{writing_, id};
  std::optional<TusChecksum> checksum;
  if (const auto text = call.request.headers.get("upload-checksum")) {
    auto parsed = parse_tus_checksum(*text);
    if (!parsed) co_return refuse("invalid_field", parsed.error().message);
    checksum = std::move(*parsed);
  }
  const std::int64_t room = view.upload.bytes.value_or(max_bytes()) - view.offset;
  auto appended = co_await append_body(call, services_.blobs, room, std::move(checksum));
  if (!appended) co_return tl::unexpected(std::move(appended).error());
  if (appended->mismatch) co_return refuse("checksum_mismatch", "the bytes are not those of Upload-Checksum; nothing was kept");
  if (appended->blob) {
    const auto bytes = appended->blob->bytes();
    if (auto put = co_await services_.engine.put_part(id, view.parts + 1, std::move(*appended->blob)); !put)
      co_return tl::unexpected(std::move(put).error());
    view.upload.status = jobs::UploadStatus::uploading;
    view.offset += bytes;
    ++view.parts;
  }
  if (appended->broken_off) co_return refuse("invalid_field", "the body ended early; what has arrived is kept");
  co_return view;
}

Task<tl::expected<View, Problem>> Tus::complete(View view) {
  const bool whole = view.upload.bytes && view.offset == *view.upload.bytes;
  if (!whole || view.tus.partial() || !takes_data(view.upload)) co_return view;
  if (view.parts == 0) co_return refuse("input_invalid", "an empty file is no media");
  auto upload = co_await complete_upload(services_, view.upload.project, view.upload.id, std::nullopt);
  if (!upload) co_return tl::unexpected(std::move(upload).error());
  view.upload = std::move(*upload);
  co_return view;
}

Task<Answer> Tus::patch(Call& call) {
  if (call.request.headers.get("content-type").value_or("") != kBytesType)
    co_return refuse("unsupported_media", "a PATCH carries " + std::string(kBytesType));
  const auto offset = parse_tus_number(call.request.headers.get("upload-offset").value_or(""));
  if (!offset) co_return refuse("invalid_field", "Upload-Offset is needed: the number of bytes that are there");
  auto view = co_await find(call);
  if (!view) co_return tl::unexpected(std::move(view).error());
  if (view->tus.final()) co_return refuse("forbidden", "a final upload takes no bytes");
  if (*offset != view->offset || !takes_data(view->upload))
    co_return refuse("version_conflict", "the upload is at offset " + std::to_string(view->offset));
  if (const auto text = call.request.headers.get("upload-length")) {
    const auto length = parse_tus_number(*text);
    if (!length || *length < view->offset || (view->upload.bytes && *view->upload.bytes != *length))
      co_return refuse("invalid_field", "Upload-Length is said once, and not below what is there");
    if (*length > max_bytes()) co_return refuse("media_too_large", "an upload has at most " + std::to_string(max_bytes()) + " bytes");
    view->upload.bytes = length;
    const auto stored = co_await services_.database.write([&](store::Connection& db) { return jobs::update_upload(db, view->upload); });
    if (!stored) co_return jobs::refuse(stored.error());
  }
  view = co_await append(call, std::move(*view));
  if (view) view = co_await complete(std::move(*view));
  if (!view) co_return tl::unexpected(std::move(view).error());
  co_return Reply::empty(204, headers_of(*view));
}

Task<Answer> Tus::remove(Call& call) {
  const auto view = co_await find(call);
  if (!view) co_return tl::unexpected(view.error());
  auto gone = co_await services_.engine.cancel_upload(view->upload.project, view->upload.id);
  if (!gone) co_return tl::unexpected(std::move(gone).error());
  co_return Reply::empty(204);
}

// Every answer names the version, also a refusal; a request of another version is refused.
Endpoint spoken(Endpoint endpoint) {
  return [endpoint = std::move(endpoint)](Call& call) -> Task<Answer> {
    Answer answer = Reply();
    if (call.request.headers.get("tus-resumable").value_or("") == kTusVersion) {
      answer = co_await endpoint(call);
    } else {
      answer = refuse("version_conflict", "this server speaks tus 1.0.0: send Tus-Resumable: 1.0.0");
    }
    if (!answer) {
      Problem problem = std::move(answer).error();
      problem.request_id = call.request_id;
      const bool version = call.request.headers.get("tus-resumable").value_or("") != kTusVersion;
      const int status = version                               ? 412
                         : problem.code == "checksum_mismatch" ? kTusChecksumMismatch
                         : problem.code == "version_conflict"  ? 409
                                                               : 0;
      answer = to_reply(problem, status);
      if (version) answer->headers.set("tus-version", std::string(kTusVersion));
    }
    answer->headers.set("tus-resumable", std::string(kTusVersion));
    co_return answer;
  };
}

}  // namespace

void add_tus_routes(Surface& surface, SharedServices services) {
  const auto tus = std::make_shared<Tus>(std::move(services));
  const std::string all = "/v1/media/uploads/tus", one = std::string(kTusPrefix) + "{id}";
  const Endpoint head = spoken([tus](Call& call) { return tus->head(call); });
  const Endpoint patch = spoken([tus](Call& call) { return tus->patch(call); });
  const Endpoint remove = spoken([tus](Call& call) { return tus->remove(call); });
  surface.add("OPTIONS", all, Access::open, "", [tus](Call&) { return tus->options(); });
  surface.add("OPTIONS", one, Access::open, "", [tus](Call&) { return tus->options(); });
  surface.add("POST", all, "media:write", spoken([tus](Call& call) { return tus->create(call); }));
  surface.add("HEAD", one, Access::either, "media:write", head);
  surface.add("PATCH", one, Access::either, "media:write", patch);
  surface.add("DELETE", one, Access::either, "media:write", remove);
  // For clients that can send neither PATCH nor DELETE.
  surface.add("POST", one, Access::either, "media:write", [head, patch, remove](Call& call) -> Task<Answer> {
    const auto method = call.request.headers.get("x-http-method-override").value_or("");
    if (method == "PATCH") return patch(call);
    if (method == "DELETE") return remove(call);
    if (method == "HEAD") return head(call);
    return
        [](Call&) -> Task<Answer> { co_return refuse("invalid_field", "X-HTTP-Method-Override: PATCH, HEAD or DELETE is needed"); }(call);
  });
}

}  // namespace kinora::gateway

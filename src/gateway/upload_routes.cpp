// Uploads (developer-api 5.6): POST /v1/media/uploads, PUT data and parts at signed URLs, complete, GET, DELETE.
#include <algorithm>

#include "base/time.hpp"
#include "gateway/body_to_blob.hpp"
#include "gateway/content_headers.hpp"
#include "gateway/services.hpp"
#include "gateway/tus_rows.hpp"
#include "gateway/tus_url.hpp"
#include "gateway/upload_completion.hpp"
#include "jobs/uploads.hpp"

namespace kinora::gateway {
namespace {

constexpr std::int64_t kMaxPartsPerAnswer = 1000;
constexpr std::int64_t kTusChunkBytes = 8'388'608;

std::string part_url(const Services& services, const jobs::Upload& upload, std::string_view tail) {
  const std::string path = "/v1/media/uploads/" + upload.id + std::string(tail);
  const SignedQuery what{std::chrono::floor<std::chrono::seconds>(upload.expires_at), {}, {}};
  return services.address.absolute(path) + "?" + services.signer.sign("PUT", path, what);
}

json::array part_urls(const Services& services, const jobs::Upload& upload, std::int64_t from, std::int64_t count) {
  json::array parts;
  for (std::int64_t n = from; n < from + count; ++n)
    parts.push_back(json::object{{"n", n}, {"url", part_url(services, upload, "/parts/" + std::to_string(n))}});
  return parts;
}

std::int64_t parts_needed(const jobs::Upload& upload) {
  return upload.bytes ? std::clamp<std::int64_t>((*upload.bytes + jobs::kPartBytes - 1) / jobs::kPartBytes, 1, jobs::kMaxParts) : 1;
}

bool open_for_data(const jobs::Upload& upload) {
  return upload.status == jobs::UploadStatus::pending || upload.status == jobs::UploadStatus::uploading;
}

json::object to_json(const Services& services, const jobs::Upload& upload, std::string_view method) {
  json::object out{{"id", upload.id},
                   {"object", "upload"},
                   {"status", jobs::name(upload.status)},
                   {"filename", upload.filename},
                   {"mime", upload.mime},
                   {"purpose", upload.purpose},
                   {"bytes", upload.bytes ? json::value(*upload.bytes) : json::value()},
                   {"sha256", upload.sha256 ? json::value(*upload.sha256) : json::value()},
                   {"created_at", base::to_rfc3339(upload.created_at)},
                   {"expires_at", base::to_rfc3339(upload.expires_at)},
                   {"artifact", upload.artifact ? json::value(*upload.artifact) : json::value()},
                   {"dedup", nullptr},
                   {"error", upload.error}};
  if (upload.deduplicated && upload.artifact) out["dedup"] = json::object{{"artifact", *upload.artifact}};
  if (!open_for_data(upload)) return out;
  const auto max = std::min<std::uint64_t>(services.max_upload_bytes, static_cast<std::uint64_t>(jobs::kMaxUploadBytes));
  if (method == "auto" || method == "single")
    out["single"] = json::object{{"url", part_url(services, upload, "/data")},
                                 {"method", "PUT"},
                                 {"headers", json::object{{"content-type", upload.mime}}},
                                 {"max_bytes", max}};
  if (method == "auto" || method == "multipart")
    out["multipart"] = json::object{{"part_size", jobs::kPartBytes},
                                    {"parts", part_urls(services, upload, 1, std::min(parts_needed(upload), kMaxPartsPerAnswer))},
                                    {"more", services.address.absolute("/v1/media/uploads/" + upload.id + "/parts")}};
  if (method == "auto" || method == "tus") out["tus"] = json::object{{"url", tus_url(services, upload)}, {"chunk_hint", kTusChunkBytes}};
  return out;
}

Task<Answer> create(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  jobs::Upload wanted;
  wanted.project = call.caller.project;
  wanted.filename = safe_filename(in.required_string("filename", 1024));
  wanted.mime = in.string("mime", 127).value_or("application/octet-stream");
  wanted.bytes = in.integer("bytes", 0, static_cast<std::int64_t>(services.max_upload_bytes));
  wanted.sha256 = in.string("sha256", 64);
  if (wanted.sha256 && !tasks::is_sha256(*wanted.sha256)) in.error("sha256", "invalid_field", "must be 64 lower-case hex digits");
  wanted.purpose = in.string("purpose", 16).value_or("input");
  if (wanted.purpose != "input") in.error("purpose", "not_allowed", "this node takes uploads for the purpose input only");
  const std::string method = in.string("method", 16).value_or("auto");
  if (method != "auto" && method != "single" && method != "multipart" && method != "tus")
    in.error("method", "invalid_field", "one of auto single multipart tus");
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto make = [&]() -> Task<tl::expected<Created, Problem>> {
    auto made = co_await services.engine.create_upload(wanted);
    if (!made) co_return tl::unexpected(std::move(made).error());
    const auto stored = co_await services.database.write([&](store::Connection& db) { return insert_tus(db, {made->id, "", ""}); });
    if (!stored) co_return jobs::refuse(stored.error());
    Created out;
    out.reply = Reply::of(201, to_json(services, *made, method), {{"location", "/v1/media/uploads/" + made->id}});
    co_return out;
  };
  co_return co_await services.once.run(call, *body, make);
}

// The upload that a PUT goes to: by the caller's project, or by the signature of its URL.
Task<tl::expected<jobs::Upload, Problem>> target_of(Call& call, const Services& services) {
  const std::string id(call.request.param("id"));
  if (!call.caller.key_id.empty()) co_return co_await services.engine.upload(call.caller.project, id);
  if (const auto ok = services.signer.verify("PUT", call.request.path, call.request.query, services.clock()); !ok) {
    if (call.request.query.empty()) co_return refuse("unauthenticated", "an API key or a signed URL is needed");
    co_return refuse("forbidden", ok.error().message);
  }
  co_return co_await services.engine.upload(id);
}

Task<Answer> put_part(Call& call, const Services& services, int number, std::uint64_t max_bytes) {
  auto upload = co_await target_of(call, services);
  if (!upload) co_return tl::unexpected(std::move(upload).error());
  if (!open_for_data(*upload))
    co_return refuse("not_cancelable", "the upload is " + std::string(jobs::name(upload->status)) + " and takes no more data");
  if (upload->bytes) max_bytes = std::min(max_bytes, static_cast<std::uint64_t>(*upload->bytes));
  auto blob = co_await body_to_blob(call, services.blobs, max_bytes);
  if (!blob) co_return tl::unexpected(std::move(blob).error());
  const json::object answer{{"n", number}, {"bytes", blob->bytes()}, {"sha256", blob->sha256()}, {"etag", blob->sha256()}};
  net::Headers headers{{"etag", "\"" + blob->sha256() + "\""}};
  if (auto put = co_await services.engine.put_part(upload->id, number, std::move(*blob)); !put)
    co_return tl::unexpected(std::move(put).error());
  co_return Reply::of(200, answer, std::move(headers));
}

Task<Answer> put_numbered_part(Call& call, const Services& services) {
  base::FieldErrors errors;
  const std::string text(call.request.param("n"));
  QueryReader number_reader("n=" + text, errors);
  const auto number = number_reader.integer("n", 1, jobs::kMaxParts);
  if (!number) co_return refuse({{"n", "invalid_field", "part numbers go from 1 to " + std::to_string(jobs::kMaxParts)}});
  co_return co_await put_part(call, services, static_cast<int>(*number), static_cast<std::uint64_t>(jobs::kPartBytes));
}

Task<Answer> more_parts(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  const auto from = in.integer("from", 1, jobs::kMaxParts).value_or(1);
  const auto count = in.integer("count", 1, kMaxPartsPerAnswer).value_or(1);
  if (from + count - 1 > jobs::kMaxParts)
    in.error("count", "too_high", "an upload has at most " + std::to_string(jobs::kMaxParts) + " parts");
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  auto upload = co_await services.engine.upload(call.caller.project, std::string(call.request.param("id")));
  if (!upload) co_return tl::unexpected(std::move(upload).error());
  if (!open_for_data(*upload)) co_return refuse("not_cancelable", "the upload takes no more data");
  co_return Reply::of(200, json::object{{"part_size", jobs::kPartBytes}, {"parts", part_urls(services, *upload, from, count)}});
}

tl::expected<std::optional<std::vector<jobs::UploadPart>>, Problem> declared_parts(const json::value& body) {
  base::FieldErrors errors;
  base::ObjectReader in(body, "", errors);
  const json::array* items = in.array("parts", jobs::kMaxParts);
  in.finish();
  std::optional<std::vector<jobs::UploadPart>> parts;
  if (items != nullptr) {
    parts.emplace();
    for (std::size_t i = 0; i < items->size(); ++i) {
      base::ObjectReader item((*items)[i], "/parts/" + std::to_string(i), errors);
      jobs::UploadPart part;
      if (item.required("n") != nullptr) part.number = static_cast<int>(item.integer("n", 1, jobs::kMaxParts).value_or(0));
      part.sha256 = item.required_string("etag", 80);
      if (part.sha256.size() > 1 && part.sha256.front() == '"') part.sha256 = part.sha256.substr(1, part.sha256.size() - 2);
      if (!part.sha256.empty() && !tasks::is_sha256(part.sha256)) item.error("etag", "invalid_field", "is not the etag of a part");
      item.finish();
      parts->push_back(std::move(part));
    }
  }
  if (!errors.empty()) return refuse(std::move(errors));
  return parts;
}

Task<Answer> complete(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  auto declared = declared_parts(*body);
  if (!declared) co_return tl::unexpected(std::move(declared).error());
  const std::string project = call.caller.project;
  const std::string id(call.request.param("id"));
  auto upload = co_await services.engine.upload(project, id);
  if (!upload) co_return tl::unexpected(std::move(upload).error());
  if (upload->status == jobs::UploadStatus::complete) co_return Reply::of(200, to_json(services, *upload, "auto"));
  if (upload->status == jobs::UploadStatus::processing) co_return Reply::of(202, to_json(services, *upload, "auto"));

  upload = co_await complete_upload(services, project, id, std::move(*declared));
  if (!upload) co_return tl::unexpected(std::move(upload).error());
  co_return Reply::of(200, to_json(services, *upload, "auto"));
}

}  // namespace

void add_upload_routes(Surface& surface, SharedServices services) {
  surface.add("POST", "/v1/media/uploads", "media:write", [services](Call& call) { return create(call, *services); });
  surface.add("GET", "/v1/media/uploads/{id}", "media:read", [services](Call& call) -> Task<Answer> {
    auto upload = co_await services->engine.upload(call.caller.project, std::string(call.request.param("id")));
    if (!upload) co_return tl::unexpected(std::move(upload).error());
    co_return Reply::of(200, to_json(*services, *upload, "auto"));
  });
  surface.add("PUT", "/v1/media/uploads/{id}/data", Access::either, "media:write",
              [services](Call& call) { return put_part(call, *services, 1, services->max_upload_bytes); });
  surface.add("PUT", "/v1/media/uploads/{id}/parts/{n}", Access::either, "media:write",
              [services](Call& call) { return put_numbered_part(call, *services); });
  surface.add("POST", "/v1/media/uploads/{id}/parts", "media:write", [services](Call& call) { return more_parts(call, *services); });
  surface.add("POST", "/v1/media/uploads/{id}/complete", "media:write", [services](Call& call) { return complete(call, *services); });
  surface.add("DELETE", "/v1/media/uploads/{id}", "media:write", [services](Call& call) -> Task<Answer> {
    auto done = co_await services->engine.cancel_upload(call.caller.project, std::string(call.request.param("id")));
    if (!done) co_return tl::unexpected(std::move(done).error());
    co_return Reply::empty(204);
  });
}

}  // namespace kinora::gateway

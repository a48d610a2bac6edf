// Artifacts (developer-api 5.6): POST /v1/artifacts, lists, content, files of a multi-file artifact, fresh URLs, DELETE.
#include "base/time.hpp"
#include "gateway/artifact_form.hpp"
#include "gateway/content.hpp"
#include "gateway/content_headers.hpp"
#include "gateway/list_query.hpp"
#include "gateway/services.hpp"

namespace kinora::gateway {
namespace {

std::string files_prefix(std::string_view id) { return "/v1/artifacts/" + std::string(id) + "/files/"; }

Task<Answer> create(Call& call, const Services& services) {
  if (auto room = services.engine.check_disk(); !room) co_return tl::unexpected(std::move(room).error());
  auto form = co_await read_artifact_form(call, services.blobs);
  if (!form) co_return tl::unexpected(std::move(form).error());
  const auto make = [&]() -> Task<tl::expected<Created, Problem>> {
    auto probed = co_await services.media.probe(services.blobs.path(form->blob->sha256()).string(), form->mime);
    if (!probed) co_return tl::unexpected(std::move(probed).error());
    jobs::Engine::NewArtifact wanted{call.caller.project,      form->filename,        probed->mime,
                                     std::move(probed->media), {{"upload", nullptr}}, {}};
    auto artifact = co_await services.engine.create_artifact(std::move(wanted), *form->blob);
    if (!artifact) co_return tl::unexpected(std::move(artifact).error());
    Created out;
    out.reply = Reply::of(201, jobs::to_json(*artifact, services.links), {{"location", "/v1/artifacts/" + artifact->id}});
    co_return out;
  };
  co_return co_await services.once.run(call, form->fingerprint_body, make);
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  const auto kind = query.choice("kind", {"image", "video", "audio", "text", "json", "model", "archive", "hls"});
  json::object filters;
  if (kind) filters["kind"] = *kind;
  auto page = read_list_query(query, services.cursor_key, "art", filters);
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!page) co_return tl::unexpected(std::move(page).error());
  for (auto [id, key] : {std::pair(&page->after_id, &page->page.after), std::pair(&page->before_id, &page->page.before)}) {
    if (!*id) continue;
    const auto at = co_await services.engine.artifact(call.caller.project, **id);
    if (!at) co_return tl::unexpected(at.error());
    *key = jobs::PageKey{at->created_at.time_since_epoch().count(), at->id};
  }
  auto found = co_await services.engine.artifacts(call.caller.project, page->page, kind);
  if (!found) co_return tl::unexpected(std::move(found).error());
  json::array data;
  for (const auto& artifact : found->data) data.push_back(jobs::to_json(artifact, services.links));
  std::optional<ListEdge> first, last;
  if (!found->data.empty()) {
    first = ListEdge{found->data.front().id, found->data.front().created_at};
    last = ListEdge{found->data.back().id, found->data.back().created_at};
  }
  co_return Reply::of(200, list_object(std::move(data), found->has_more, first, last, *page, services.cursor_key));
}

// The artifact of a content request: the caller's own, or the one whose URL is signed.
Task<tl::expected<jobs::Artifact, Problem>> admitted(Call& call, const Services& services, SignedQuery& what) {
  const std::string id(call.request.param("id"));
  if (!call.caller.key_id.empty()) co_return co_await services.engine.artifact(call.caller.project, id);
  if (call.request.query.empty()) co_return refuse("unauthenticated", "an API key or a signed URL is needed");
  auto verified = services.signer.verify("GET", call.request.path, call.request.query, services.clock());
  if (!verified) co_return refuse("forbidden", verified.error().message + "; ask for the job or artifact again to get a fresh URL");
  if (!verified->ip.empty() && verified->ip != call.request.peer.address) co_return refuse("forbidden", "this URL is for another address");
  what = std::move(*verified);
  co_return co_await services.engine.artifact(id);
}

Task<Answer> send_file(Call& call, const Services& services, const jobs::Artifact& artifact, std::string name,
                       std::string_view disposition) {
  auto file = co_await services.engine.artifact_file(artifact.id, name);
  if (!file) co_return tl::unexpected(std::move(file).error());
  const std::string shown = name.empty() ? artifact.filename : safe_filename(name);
  bool whole = false;
  Content what{file->sha256, file->mime, content_disposition(disposition, shown)};
  Answer sent = co_await send_blob(call, services.blobs, std::move(what), &whole);
  if (whole && name.empty()) (void)co_await services.engine.fetched(artifact);
  co_return sent;
}

Task<Answer> content(Call& call, const Services& services) {
  SignedQuery what;
  auto artifact = co_await admitted(call, services, what);
  if (!artifact) co_return tl::unexpected(std::move(artifact).error());
  if (artifact->multi)  // its files refer to each other by relative names, which only their own paths resolve
    co_return Reply::empty(307, {{"location", services.links.content(artifact->id, artifact->main_file).url}});
  co_return co_await send_file(call, services, *artifact, "", what.disposition.empty() ? "inline" : what.disposition);
}

Task<Answer> list_files(Call& call, const Services& services) {
  auto artifact = co_await services.engine.artifact(call.caller.project, std::string(call.request.param("id")));
  if (!artifact) co_return tl::unexpected(std::move(artifact).error());
  auto files = co_await services.engine.artifact_files(artifact->id);
  if (!files) co_return tl::unexpected(std::move(files).error());
  json::array data;
  for (const auto& file : *files) {
    const auto link = services.links.content(artifact->id, file.name);
    data.push_back(json::object{{"name", file.name},
                                {"bytes", file.bytes},
                                {"sha256", file.sha256},
                                {"mime", file.mime},
                                {"url", link.url},
                                {"url_expires_at", link.expires_at}});
  }
  co_return Reply::of(200, json::object{{"object", "list"}, {"data", std::move(data)}, {"has_more", false}});
}

Task<Answer> get_file(Call& call, const Services& services) {
  auto artifact = co_await services.engine.artifact(call.caller.project, std::string(call.request.param("id")));
  if (!artifact) co_return tl::unexpected(std::move(artifact).error());
  co_return co_await send_file(call, services, *artifact, std::string(call.request.param("name")), "inline");
}

Task<Answer> get_signed_file(Call& call, const Services& services) {
  const std::string id(call.request.param("id"));
  if (const auto ok = services.signer.verify_prefix(files_prefix(id), call.request.param("token"), services.clock()); !ok)
    co_return refuse("forbidden", ok.error().message + "; ask for the job or artifact again to get a fresh URL");
  auto artifact = co_await services.engine.artifact(id);
  if (!artifact) co_return tl::unexpected(std::move(artifact).error());
  co_return co_await send_file(call, services, *artifact, std::string(call.request.param("name")), "inline");
}

Task<Answer> fresh_url(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  const auto ttl = in.integer("ttl_s", 1, kMaxSignedUrlLife.count()).value_or(kUrlLife.count());
  SignedQuery what;
  what.disposition = in.string("disposition", 16).value_or("");
  if (!what.disposition.empty() && what.disposition != "inline" && what.disposition != "attachment")
    in.error("disposition", "invalid_field", "one of inline attachment");
  what.ip = in.string("ip", 45).value_or("");
  if (what.ip.find_first_not_of("0123456789abcdefABCDEF.:") != std::string::npos) in.error("ip", "invalid_field", "is not an address");
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  auto artifact = co_await services.engine.artifact(call.caller.project, std::string(call.request.param("id")));
  if (!artifact) co_return tl::unexpected(std::move(artifact).error());
  if (artifact->multi && !(what.disposition.empty() && what.ip.empty()))
    co_return refuse({{"/disposition", "not_allowed", "an artifact of several files has a path of its own, without disposition or ip"}});
  what.expires = std::chrono::floor<std::chrono::seconds>(services.clock()) + std::chrono::seconds{ttl};
  std::string path = "/v1/artifacts/" + artifact->id + "/content";
  std::string url = artifact->multi ? services.address.absolute("/v1/artifacts/" + artifact->id + "/s/" +
                                                                services.signer.sign_prefix(files_prefix(artifact->id), what.expires) +
                                                                "/" + artifact->main_file)
                                    : services.address.absolute(path) + "?" + services.signer.sign("GET", path, what);
  co_return Reply::of(200, json::object{{"url", std::move(url)}, {"url_expires_at", base::to_rfc3339(what.expires)}});
}

}  // namespace

jobs::Links make_links(const Address& address, const UrlSigner& signer, Clock clock) {
  jobs::Links links;
  links.absolute = [&address](std::string_view path) { return address.absolute(path); };
  links.content = [&address, &signer, clock](std::string_view artifact, std::string_view file) {
    const auto expires = std::chrono::floor<std::chrono::seconds>(clock()) + kUrlLife;
    const std::string base_path = "/v1/artifacts/" + std::string(artifact);
    std::string url = file.empty() ? base_path + "/content?" + signer.sign("GET", base_path + "/content", {expires, {}, {}})
                                   : base_path + "/s/" + signer.sign_prefix(files_prefix(artifact), expires) + "/" + std::string(file);
    return jobs::SignedUrl{address.absolute(url), base::to_rfc3339(expires)};
  };
  return links;
}

void add_artifact_routes(Surface& surface, SharedServices services) {
  surface.add("POST", "/v1/artifacts", "media:write", [services](Call& call) { return create(call, *services); });
  surface.add("GET", "/v1/artifacts", "media:read", [services](Call& call) { return list(call, *services); });
  surface.add("GET", "/v1/artifacts/{id}", "media:read", [services](Call& call) -> Task<Answer> {
    auto artifact = co_await services->engine.artifact(call.caller.project, std::string(call.request.param("id")));
    if (!artifact) co_return tl::unexpected(std::move(artifact).error());
    co_return Reply::of(200, jobs::to_json(*artifact, services->links));
  });
  surface.add("DELETE", "/v1/artifacts/{id}", "media:write", [services](Call& call) -> Task<Answer> {
    auto done = co_await services->engine.remove_artifact(call.caller.project, std::string(call.request.param("id")));
    if (!done) co_return tl::unexpected(std::move(done).error());
    co_return Reply::empty(204);
  });
  surface.add("GET", "/v1/artifacts/{id}/content", Access::either, "media:read",
              [services](Call& call) { return content(call, *services); });
  surface.add("GET", "/v1/artifacts/{id}/files", "media:read", [services](Call& call) { return list_files(call, *services); });
  surface.add("GET", "/v1/artifacts/{id}/files/{name...}", "media:read", [services](Call& call) { return get_file(call, *services); });
  surface.add("GET", "/v1/artifacts/{id}/s/{token}/{name...}", Access::own, "",
              [services](Call& call) { return get_signed_file(call, *services); });
  surface.add("POST", "/v1/artifacts/{id}/url", "media:read", [services](Call& call) { return fresh_url(call, *services); });
}

}  // namespace kinora::gateway

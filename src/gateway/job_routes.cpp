// Jobs (developer-api 5.3): submit, list, get with long-poll, cancel, delete, attempts.
#include <chrono>

#include "base/time.hpp"
#include "gateway/body_to_blob.hpp"
#include "gateway/content_headers.hpp"
#include "gateway/job_body.hpp"
#include "gateway/list_query.hpp"
#include "gateway/offers.hpp"
#include "gateway/services.hpp"
#include "jobs/planner.hpp"
#include "jobs/submission.hpp"

namespace kinora::gateway {
namespace {

using std::chrono::steady_clock;

std::string id_of(const Call& call) { return std::string(call.request.param("id")); }

std::string etag_of(const jobs::Job& job) { return "\"" + std::to_string(job.version) + "\""; }

json::object public_job(const Services& services, const jobs::Job& job) {
  return jobs::to_json(job, services.links, services.clock(), services.engine.queue_position(job.id), services.engine.queue_eta_s(job.id));
}

net::Headers headers_of(const Services& services, const jobs::Job& job) {
  net::Headers headers{{"etag", etag_of(job)}};
  if (const auto hint = jobs::poll_after_ms(job, services.engine.queue_eta_s(job.id)); hint > 0) {
    headers.set("retry-after", std::to_string((hint + 999) / 1000));
    headers.set("openai-poll-after-ms", std::to_string(hint));
  }
  return headers;
}

// Waits until the job fulfils `enough`, or the time is over; the job as it is then.
Task<jobs::Outcome<jobs::Job>> wait_for(const Services& services, std::string project, std::string id, std::chrono::seconds time,
                                        std::function<bool(const jobs::Job&)> enough) {
  const auto end = steady_clock::now() + time;
  for (;;) {
    // The offset is read first: whatever happens after that wakes the wait.
    const auto offset = co_await services.engine.newest_event_offset();
    if (!offset) co_return tl::unexpected(offset.error());
    auto job = co_await services.engine.get(project, id);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now());
    if (!job || left.count() <= 0 || enough(*job)) co_return job;
    co_await services.engine.feed().wait(id, *offset, left);
  }
}

// Media given inline becomes artifacts, looked at like every other input. A body that is wrong is left to the engine, which says all that
// is wrong with it.
Task<tl::expected<void, Problem>> store_inline_media(const Services& services, const std::string& project, json::value& body) {
  const auto submission = jobs::parse_submission(body);
  if (!submission) co_return tl::expected<void, Problem>{};
  for (const auto& media : submission->media) {
    const auto* data = std::get_if<jobs::media_ref::Inline>(&media.value);
    if (data == nullptr) continue;
    auto blob = co_await bytes_to_blob(services.blobs, data->bytes);
    if (!blob) co_return tl::unexpected(std::move(blob).error());
    auto probed = co_await services.media.probe(services.blobs.path(blob->sha256()).string(), data->mime);
    if (!probed) {
      Problem problem = std::move(probed).error();
      problem.errors.push_back({media.pointer, problem.code, problem.detail});
      co_return tl::unexpected(std::move(problem));
    }
    jobs::Engine::NewArtifact wanted{project, "inline", probed->mime, std::move(probed->media), {{"inline", true}}, {}};
    auto artifact = co_await services.engine.create_artifact(std::move(wanted), std::move(*blob));
    if (!artifact) co_return tl::unexpected(std::move(artifact).error());
    replace_media(body, media.pointer, artifact->id);
  }
  co_return tl::expected<void, Problem>{};
}

// What an SDK that sends no idempotency key says of itself (developer-api 5.4.3).
std::optional<jobs::SdkTry> sdk_try(const Call& call, const json::value& body) {
  const auto header = call.request.headers.get("x-stainless-retry-count");
  const auto count = header ? jobs::parse_sdk_retry_count(*header) : std::nullopt;
  if (!count) return std::nullopt;
  return jobs::SdkTry{call.caller.key_id, jobs::fingerprint("POST", call.request.path, call.caller.project, body), *count};
}

// A job may leave out the task when its model has exactly one.
Task<void> fill_in_task(const Services& services, json::value& body) {
  if (!body.is_object() || body.get_object().contains("task")) co_return;
  const json::value* model = body.get_object().if_contains("model");
  if (model == nullptr || !model->is_string()) co_return;
  if (auto task = only_task(co_await services.nodes(), std::string(model->get_string()))) body.get_object()["task"] = *std::move(task);
}

Task<Answer> submit(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  const json::value as_sent = *body;
  co_await fill_in_task(services, *body);
  if (auto allowed = check_key_limits(*body, call.caller); !allowed) co_return tl::unexpected(std::move(allowed).error());
  if (auto allowed = co_await check_subject_webhook(services, call.caller.project, *body); !allowed)
    co_return tl::unexpected(std::move(allowed).error());
  auto scope = idempotency_scope(call, as_sent);
  auto sdk = sdk_try(call, as_sent);
  if (!scope) co_return tl::unexpected(std::move(scope).error());
  if (auto stored = co_await store_inline_media(services, call.caller.project, *body); !stored)
    co_return tl::unexpected(std::move(stored).error());

  const auto wait = wanted_wait(*body, call.request.headers.get("prefer"));
  if (body->is_object() && !body->get_object().contains("wait_s") && wait.count() > 0) body->get_object()["wait_s"] = wait.count();
  jobs::SubmitRequest request{call.caller.project, call.caller.key_id,           std::move(*body),
                              std::move(*scope),   std::string(call.trace_id()), std::move(sdk)};
  // A long video is cut for as many workers as are free: that has to be known now.
  if (const auto* task = request.body.is_object() ? request.body.get_object().if_contains("task") : nullptr;
      task != nullptr && task->is_string() && jobs::may_be_cut(task->get_string()))
    (void)co_await services.nodes();
  if (const auto [task, model] = named_model(request.body); !task.empty()) request.no_model = co_await services.missing_model(task, model);
  auto submitted = co_await services.engine.submit(std::move(request));
  if (!submitted) co_return tl::unexpected(std::move(submitted).error());
  jobs::Job job = std::move(submitted->job);
  if (wait.count() > 0 && !jobs::terminal(job.status)) {
    auto waited =
        co_await wait_for(services, call.caller.project, job.id, wait, [](const jobs::Job& now) { return jobs::terminal(now.status); });
    if (waited) job = std::move(*waited);
  }
  net::Headers headers = headers_of(services, job);
  headers.set("location", "/v1/jobs/" + job.id);
  if (submitted->replayed) headers.set("idempotency-replayed", submitted->implicit ? "implicit" : "true");
  if (wait.count() > 0 && call.request.headers.contains("prefer"))
    headers.set("preference-applied", "wait=" + std::to_string(wait.count()));
  co_return Reply::of(jobs::terminal(job.status) ? 200 : 202, public_job(services, job), std::move(headers));
}

Task<Answer> get(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  const auto wait = std::chrono::seconds{query.integer("wait_s", 0, kMaxWait.count()).value_or(0)};
  const auto since = query.integer("since_version", 0, std::numeric_limits<std::int64_t>::max());
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  auto job = co_await wait_for(services, call.caller.project, id_of(call), wait,
                               [&](const jobs::Job& now) { return jobs::terminal(now.status) || (since && now.version > *since); });
  if (!job) co_return tl::unexpected(std::move(job).error());
  net::Headers headers = headers_of(services, *job);
  if (const auto known = call.request.headers.get("if-none-match"); known && etag_listed(*known, etag_of(*job)))
    co_return Reply::empty(304, std::move(headers));
  co_return Reply::of(200, public_job(services, *job), std::move(headers));
}

std::optional<base::UnixMillis> time_of(QueryReader& query, std::string_view name, base::FieldErrors& errors) {
  const auto text = query.text(name, 40);
  if (!text) return std::nullopt;
  const auto time = base::from_rfc3339(*text);
  if (time) return *time;
  errors.push_back({"?" + std::string(name), "invalid_field", time.error().message});
  return std::nullopt;
}

struct Filters {
  jobs::JobFilter filter;
  json::object canonical;
};

Filters read_filters(QueryReader& query, base::FieldErrors& errors) {
  Filters out;
  if (const auto status = query.choice("status", {"queued", "running", "succeeded", "failed", "canceled", "expired"})) {
    out.filter.status = jobs::parse_status(*status);
    out.canonical["status"] = *status;
  }
  const auto text = [&](std::string_view name, std::optional<std::string>& into) {
    into = query.text(name, 200);
    if (into) out.canonical[name] = *into;
  };
  text("task", out.filter.task);
  text("model", out.filter.model);
  text("tag", out.filter.tag);
  text("end_user", out.filter.end_user);
  text("client_ref", out.filter.client_ref);
  text("run_id", out.filter.run);
  out.filter.created_after = time_of(query, "created_after", errors);
  out.filter.created_before = time_of(query, "created_before", errors);
  if (out.filter.created_after) out.canonical["created_after"] = out.filter.created_after->time_since_epoch().count();
  if (out.filter.created_before) out.canonical["created_before"] = out.filter.created_before->time_since_epoch().count();
  return out;
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  Filters filters = read_filters(query, errors);
  auto page = read_list_query(query, services.cursor_key, "job", filters.canonical);
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!page) co_return tl::unexpected(std::move(page).error());
  for (auto [id, key] : {std::pair(&page->after_id, &page->page.after), std::pair(&page->before_id, &page->page.before)}) {
    if (!*id) continue;
    const auto at = co_await services.engine.get(call.caller.project, **id);
    if (!at) co_return tl::unexpected(at.error());
    *key = jobs::PageKey{at->created_at.time_since_epoch().count(), at->id};
  }
  auto found = co_await services.engine.list(call.caller.project, std::move(filters.filter), page->page);
  if (!found) co_return tl::unexpected(std::move(found).error());
  json::array data;
  for (const auto& job : found->data) data.push_back(public_job(services, job));
  std::optional<ListEdge> first, last;
  if (!found->data.empty()) {
    first = ListEdge{found->data.front().id, found->data.front().created_at};
    last = ListEdge{found->data.back().id, found->data.back().created_at};
  }
  co_return Reply::of(200, list_object(std::move(data), found->has_more, first, last, *page, services.cursor_key));
}

std::string_view name(jobs::CancelResult result) {
  switch (result) {
    case jobs::CancelResult::canceled: return "canceled";
    case jobs::CancelResult::canceling: return "canceling";
    case jobs::CancelResult::too_late: break;
  }
  return "too_late";
}

Task<Answer> cancel(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  auto reason = in.string("reason", 500);
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  auto done = co_await services.engine.cancel(call.caller.project, id_of(call), std::move(reason));
  if (!done) co_return tl::unexpected(std::move(done).error());
  json::object answer = public_job(services, done->job);
  answer["cancel"] = json::object{{"result", name(done->result)}};
  co_return Reply::of(done->result == jobs::CancelResult::canceling ? 202 : 200, answer, headers_of(services, done->job));
}

Task<Answer> patch(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  jobs::JobPatch wanted = read_job_patch(*body, errors);
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (const auto match = call.request.headers.get("if-match"); match && *match != "*") {
    wanted.if_version = version_of_etag(*match);
    if (!wanted.if_version) co_return refuse("version_conflict", "If-Match names no version of a job");
  }
  auto changed = co_await services.engine.patch(call.caller.project, id_of(call), std::move(wanted));
  if (!changed) co_return tl::unexpected(std::move(changed).error());
  co_return Reply::of(200, public_job(services, *changed), headers_of(services, *changed));
}

Task<Answer> retry(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader(*body, "", errors).finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  auto scope = idempotency_scope(call, *body);
  if (!scope) co_return tl::unexpected(std::move(scope).error());
  jobs::SubmitRequest request{call.caller.project, call.caller.key_id, {}, std::move(*scope), std::string(call.trace_id())};
  auto made = co_await services.engine.retry(id_of(call), std::move(request));
  if (!made) co_return tl::unexpected(std::move(made).error());
  net::Headers headers = headers_of(services, made->job);
  headers.set("location", "/v1/jobs/" + made->job.id);
  if (made->replayed) headers.set("idempotency-replayed", "true");
  co_return Reply::of(202, public_job(services, made->job), std::move(headers));
}

Task<Answer> erase_end_user(Call& call, const Services& services) {
  // Runs first: they would make further jobs.
  const auto runs = co_await services.runs.erase_end_user(call.caller.project, id_of(call));
  if (!runs) co_return tl::unexpected(runs.error());
  const auto jobs = co_await services.engine.erase_end_user(call.caller.project, id_of(call));
  if (!jobs) co_return tl::unexpected(jobs.error());
  const std::int64_t pending = jobs->pending + runs->pending;
  co_return Reply::of(
      pending > 0 ? 202 : 200,
      json::object{{"object", "erasure"}, {"end_user", id_of(call)}, {"jobs", jobs->jobs}, {"runs", runs->runs}, {"pending", pending}});
}

Task<Answer> attempts(Call& call, const Services& services) {
  auto found = co_await services.engine.attempts(call.caller.project, id_of(call));
  if (!found) co_return tl::unexpected(std::move(found).error());
  json::array data;
  for (const auto& attempt : *found) data.push_back(jobs::to_json(attempt));
  co_return Reply::of(200, json::object{{"object", "list"}, {"data", std::move(data)}, {"has_more", false}});
}

}  // namespace

void add_job_routes(Surface& surface, SharedServices services) {
  surface.add("POST", "/v1/jobs", "jobs:write", [services](Call& call) { return submit(call, *services); });
  surface.add("GET", "/v1/jobs", "jobs:read", [services](Call& call) { return list(call, *services); });
  surface.add("GET", "/v1/jobs/{id}", "jobs:read", [services](Call& call) { return get(call, *services); });
  surface.add("PATCH", "/v1/jobs/{id}", "jobs:write", [services](Call& call) { return patch(call, *services); });
  surface.add("POST", "/v1/jobs/{id}/retry", "jobs:write", [services](Call& call) { return retry(call, *services); });
  surface.add("DELETE", "/v1/end-users/{id}", "jobs:write", [services](Call& call) { return erase_end_user(call, *services); });
  surface.add("POST", "/v1/jobs/{id}/cancel", "jobs:write", [services](Call& call) { return cancel(call, *services); });
  surface.add("GET", "/v1/jobs/{id}/attempts", "jobs:read", [services](Call& call) { return attempts(call, *services); });
  surface.add("DELETE", "/v1/jobs/{id}", "jobs:write", [services](Call& call) -> Task<Answer> {
    auto done = co_await services->engine.remove(call.caller.project, id_of(call));
    if (!done) co_return tl::unexpected(std::move(done).error());
    co_return Reply::empty(204);
  });
}

}  // namespace kinora::gateway

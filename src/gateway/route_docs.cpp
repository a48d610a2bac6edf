#include "gateway/route_docs.hpp"

#include <algorithm>

namespace kinora::gateway {
namespace {

constexpr std::string_view kPage = "limit order after before";
constexpr std::string_view kJobPage =
    "limit order after before status task model tag end_user run_id client_ref created_after created_before";
constexpr std::string_view kRunPage = "limit order after before status workflow tag end_user client_ref";

constexpr RouteDoc kDocs[] = {
    {"GET", "/healthz", "Health", "The process answers", "", "", 200, "Status"},
    {"GET", "/readyz", "Health", "Jobs are accepted and scheduled", "", "", 200, "Status"},
    {"GET", "/openapi.json", "Health", "This description", "", "", 200, "Any"},
    {"GET", "/docs", "Health", "This description for people", "", "", 200, "html"},

    {"POST", "/v1/keys", "Keys", "Make an API key; its secret is shown this once", "", "KeyRequest", 201, "Key", "409 422"},
    {"GET", "/v1/keys", "Keys", "List keys", "limit after", "", 200, "List"},
    {"GET", "/v1/keys/{id}", "Keys", "One key, without its secret", "", "", 200, "Key"},
    {"DELETE", "/v1/keys/{id}", "Keys", "End a key at once", "", "", 204, ""},

    {"POST", "/v1/media/uploads", "Uploads", "Begin an upload", "", "UploadRequest", 201, "Upload", "409 422"},
    {"GET", "/v1/media/uploads/{id}", "Uploads", "State of an upload", "", "", 200, "Upload"},
    {"PUT", "/v1/media/uploads/{id}/data", "Uploads", "The whole file", "*", "bytes", 200, "Part", "409 422"},
    {"PUT", "/v1/media/uploads/{id}/parts/{n}", "Uploads", "One part of the file", "*", "bytes", 200, "Part", "409 422"},
    {"POST", "/v1/media/uploads/{id}/parts", "Uploads", "URLs of more parts", "", "PartsRequest", 200, "Any", "409"},
    {"POST", "/v1/media/uploads/{id}/complete", "Uploads", "Join, check and look at what was uploaded", "", "CompleteRequest", 200,
     "Upload", "202:Upload 409 415 422"},
    {"DELETE", "/v1/media/uploads/{id}", "Uploads", "Cancel an upload", "", "", 204, "", "409"},
    {"OPTIONS", "/v1/media/uploads/tus", "Uploads", "What of tus 1.0 is spoken", "", "", 204, ""},
    {"OPTIONS", "/v1/media/uploads/tus/{id}", "Uploads", "What of tus 1.0 is spoken", "", "", 204, ""},
    {"POST", "/v1/media/uploads/tus", "Uploads", "tus: create an upload", "", "tus", 201, "", "409 412 415 422 460"},
    {"HEAD", "/v1/media/uploads/tus/{id}", "Uploads", "tus: how much has arrived", "*", "", 200, "", "409 410 412"},
    {"PATCH", "/v1/media/uploads/tus/{id}", "Uploads", "tus: append bytes", "*", "tus", 204, "", "409 410 412 415 422 460"},
    {"DELETE", "/v1/media/uploads/tus/{id}", "Uploads", "tus: give an upload up", "*", "", 204, "", "409 410 412"},
    {"POST", "/v1/media/uploads/tus/{id}", "Uploads", "tus: X-HTTP-Method-Override", "*", "tus", 204, "", "200 409 410 412 415 422 460"},

    {"POST", "/v1/artifacts", "Artifacts", "A small file in one request", "", "form", 201, "Artifact", "409 415 422"},
    {"GET", "/v1/artifacts", "Artifacts", "List artifacts", "limit order after before kind", "", 200, "List", "404"},
    {"GET", "/v1/artifacts/{id}", "Artifacts", "One artifact", "", "", 200, "Artifact", "410"},
    {"DELETE", "/v1/artifacts/{id}", "Artifacts", "Delete an artifact", "", "", 204, "", "409"},
    {"GET", "/v1/artifacts/{id}/content", "Artifacts", "Its bytes", "*", "", 200, "bytes", "206:bytes 304 307 410 416"},
    {"GET", "/v1/artifacts/{id}/files", "Artifacts", "The files of an artifact of several", "", "", 200, "Any"},
    {"GET", "/v1/artifacts/{id}/files/{name...}", "Artifacts", "One file's bytes", "", "", 200, "bytes", "206:bytes 304 410 416"},
    {"GET", "/v1/artifacts/{id}/s/{token}/{name...}", "Artifacts", "One file's bytes, signed in the path", "", "", 200, "bytes",
     "206:bytes 304 410 416"},
    {"POST", "/v1/artifacts/{id}/url", "Artifacts", "A fresh signed URL", "", "UrlRequest", 200, "Any", "410"},

    {"POST", "/v1/jobs", "Jobs", "Submit a job", "", "JobRequest", 202, "Job", "200:Job 404 409 410 422"},
    {"GET", "/v1/jobs", "Jobs", "List jobs", kJobPage, "", 200, "List", "404"},
    {"GET", "/v1/jobs/{id}", "Jobs", "A job as it is, or as it becomes within wait_s", "wait_s since_version", "", 200, "Job", "304"},
    {"POST", "/v1/jobs/{id}/cancel", "Jobs", "Cancel a job", "", "CancelRequest", 200, "Job", "202:Job"},
    {"PATCH", "/v1/jobs/{id}", "Jobs", "Labels at any time, priority while it waits", "", "JobChange", 200, "Job", "409 412"},
    {"POST", "/v1/jobs/{id}/retry", "Jobs", "The same once more, as a new job", "", "Empty", 202, "Job", "409 410"},
    {"DELETE", "/v1/end-users/{id}", "Jobs", "Erase all that an end user has given and got", "", "", 200, "Any", "202:Any"},
    {"GET", "/v1/jobs/{id}/attempts", "Jobs", "What was tried where", "", "", 200, "List"},
    {"GET", "/v1/jobs/{id}/logs", "Jobs", "What happened", "log_after level log_limit", "", 200, "events or Any", "204"},
    {"DELETE", "/v1/jobs/{id}", "Jobs", "Delete a finished job with its data", "", "", 204, "", "409"},

    {"GET", "/v1/jobs/{id}/events", "Events", "A job's events, resumable", "event_after types progress", "", 200, "events", "204 410"},
    {"GET", "/v1/events/stream", "Events", "All events of the project, resumable", "event_after types progress", "", 200, "events", "410"},
    {"GET", "/v1/events", "Events", "List events", "limit order after before subject types", "", 200, "List", "410"},
    {"GET", "/v1/ws", "Events", "Events of many subjects over a WebSocket", "", "", 101, "", "426"},

    {"POST", "/v1/runs", "Runs", "Run a workflow: its definition, or a saved one with args", "", "Any", 202, "Any",
     "200:Any 404 409 410 422"},
    {"GET", "/v1/runs", "Runs", "List runs", kRunPage, "", 200, "List", "404"},
    {"GET", "/v1/runs/{id}", "Runs", "A run as it is, or as it becomes within wait_s", "wait_s since_version", "", 200, "Any", "304"},
    {"POST", "/v1/runs/{id}/cancel", "Runs", "Cancel a run", "", "CancelRequest", 202, "Any", "200:Any 409"},
    {"POST", "/v1/runs/{id}/pause", "Runs", "Start no further step", "", "", 200, "Any", "409"},
    {"POST", "/v1/runs/{id}/resume", "Runs", "Go on after a pause", "", "", 200, "Any", "409"},
    {"POST", "/v1/runs/{id}/retry", "Runs", "A new generation, from what failed or from named steps", "", "Any", 202, "Any", "409 410 422"},
    {"GET", "/v1/runs/{id}/steps", "Runs", "The steps of a run", "", "", 200, "List"},
    {"GET", "/v1/runs/{id}/steps/{step}", "Runs", "One step with its instances", "", "", 200, "Any"},
    {"GET", "/v1/runs/{id}/steps/{step}/{index}", "Runs", "One instance of a step", "", "", 200, "Any"},
    {"POST", "/v1/runs/{id}/steps/{step}/approve", "Runs", "Open a manual gate", "", "Any", 200, "Any", "409 422"},
    {"POST", "/v1/runs/{id}/steps/{step}/reject", "Runs", "Refuse a manual gate", "", "Any", 200, "Any", "409 422"},
    {"POST", "/v1/runs/{id}/signals/{name}", "Runs", "Send what an event gate waits for", "", "Any", 200, "Any", "409 422"},
    {"GET", "/v1/runs/{id}/graph", "Runs", "The steps and what they wait for", "", "", 200, "Any"},
    {"GET", "/v1/runs/{id}/events", "Runs", "A run's events, resumable", "event_after types progress", "", 200, "events", "204 410"},

    {"POST", "/v1/workflows", "Workflows", "Save a workflow", "", "Any", 201, "Any", "404 409 422"},
    {"GET", "/v1/workflows", "Workflows", "List saved workflows", kPage, "", 200, "List", "404"},
    {"POST", "/v1/workflows/validate", "Workflows", "Check a definition without running it", "", "Any", 200, "Any", "404 422"},
    {"GET", "/v1/workflows/{id}", "Workflows", "One workflow, newest version", "", "", 200, "Any", "304"},
    {"PATCH", "/v1/workflows/{id}", "Workflows", "Change name, description or visibility", "", "Any", 200, "Any", "409 412 422"},
    {"DELETE", "/v1/workflows/{id}", "Workflows", "Remove a workflow", "", "", 204, "", "409"},
    {"POST", "/v1/workflows/{id}/versions", "Workflows", "Save a new version", "", "Any", 201, "Any", "409 422"},
    {"GET", "/v1/workflows/{id}/versions", "Workflows", "Its versions", "", "", 200, "List"},
    {"GET", "/v1/workflows/{id}/versions/{n}", "Workflows", "One version", "", "", 200, "Any"},

    {"POST", "/v1/webhooks", "Webhooks", "Register an endpoint; its secret is shown this once", "", "WebhookRequest", 201, "Webhook",
     "409 422"},
    {"GET", "/v1/webhooks", "Webhooks", "List endpoints", "", "", 200, "List"},
    {"GET", "/v1/webhooks/{id}", "Webhooks", "One endpoint", "", "", 200, "Webhook", "304"},
    {"PATCH", "/v1/webhooks/{id}", "Webhooks", "Change an endpoint", "", "WebhookChange", 200, "Webhook", "412"},
    {"DELETE", "/v1/webhooks/{id}", "Webhooks", "Remove an endpoint", "", "", 204, ""},
    {"GET", "/v1/webhooks/{id}/secret", "Webhooks", "The project's default secret (id: default)", "", "", 200, "Any"},
    {"POST", "/v1/webhooks/{id}/rotate-secret", "Webhooks", "A new secret; the old one signs for 24 hours more", "", "", 200, "Any"},
    {"GET", "/v1/webhooks/{id}/deliveries", "Webhooks", "What was delivered", kPage, "", 200, "List"},
    {"POST", "/v1/webhooks/{id}/recover", "Webhooks", "Deliver what was missed since a time", "", "RecoverRequest", 202, "Any"},
    {"POST", "/v1/webhooks/{id}/test", "Webhooks", "Send webhook.test and wait for the answer", "", "Empty", 200, "Delivery",
     "202:Delivery"},
    {"GET", "/v1/webhook-deliveries/{id}", "Webhooks", "One delivery", "", "", 200, "Delivery"},
    {"POST", "/v1/webhook-deliveries/{id}/replay", "Webhooks", "Deliver once more", "", "", 202, "Delivery"},
    {"GET", "/.well-known/webhook-keys.json", "Webhooks", "Ed25519 keys (JWKS)", "", "", 200, "Any"},

    {"GET", "/v1/tasks", "Catalogue", "Tasks, their slots and parameters", "", "", 200, "List"},
    {"GET", "/v1/models", "Catalogue", "Models that nodes offer now", "", "", 200, "List"},
    {"GET", "/v1/models/{id...}", "Catalogue", "One model", "", "", 200, "Any"},
    {"GET", "/v1/models/{id...}/schema", "Catalogue", "JSON Schema of its input and output", "task", "", 200, "Any"},
    {"GET", "/v1/capabilities", "Catalogue", "Places by task, features, limits", "", "", 200, "Any"},

    {"GET", "/v1/attempts/{attempt}/inputs/{sha256}", "Workers", "An input of an attempt (signed)", "*", "", 200, "bytes",
     "206:bytes 304 410 416"},
    {"PUT", "/v1/attempts/{attempt}/files/{name...}", "Workers", "A result file of an attempt (its token)", "", "bytes", 200, "Any",
     "409 422"},
};

}  // namespace

std::span<const RouteDoc> route_docs() { return kDocs; }

const RouteDoc* find_route_doc(std::string_view method, std::string_view pattern) {
  const auto found = std::ranges::find_if(kDocs, [&](const RouteDoc& doc) { return doc.method == method && doc.pattern == pattern; });
  return found == std::end(kDocs) ? nullptr : found;
}

}  // namespace kinora::gateway

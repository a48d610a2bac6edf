#include "gateway/openapi_schemas.hpp"

namespace kinora::gateway {

// Requests are closed (an unknown member is refused), answers are open (members may be added within a version).
const std::string_view kOpenApiSchemas = R"json({
"Any": {"type": "object"},
"Empty": {"type": "object", "additionalProperties": false},
"Status": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
"Time": {"type": "string", "format": "date-time"},
"List": {"type": "object", "required": ["object", "data", "has_more"], "properties": {"object": {"const": "list"},
  "data": {"type": "array", "items": {"type": "object"}}, "has_more": {"type": "boolean"}, "first_id": {"type": ["string", "null"]},
  "last_id": {"type": ["string", "null"]}, "next_cursor": {"type": ["string", "null"]}}},
"Problem": {"type": "object", "required": ["type", "title", "detail", "code", "fault", "retryable"], "properties": {"type": {"type": "string"},
  "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}, "code": {"type": "string"},
  "fault": {"enum": ["client", "platform", "worker", "network", "policy"]}, "retryable": {"type": "boolean"},
  "retry_after_ms": {"type": ["integer", "null"]}, "request_id": {"type": ["string", "null"]},
  "errors": {"type": "array", "items": {"type": "object", "required": ["pointer", "code", "detail"]}}}},
"Events": {"type": "array", "maxItems": 32, "items": {"type": "string", "pattern": "^(\\*|[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)*(\\.\\*)?)$", "maxLength": 64},
  "description": "types of events: job.succeeded, job.* or *"},
"KeyRequest": {"type": "object", "required": ["name", "scopes"], "additionalProperties": false, "properties": {
  "name": {"type": "string", "minLength": 1, "maxLength": 200},
  "scopes": {"type": "array", "maxItems": 100, "items": {"enum": ["jobs:read", "jobs:write", "runs:read", "runs:write", "media:read", "media:write",
    "models:read", "webhooks:read", "webhooks:write", "keys:admin", "jobs:*", "runs:*", "media:*", "webhooks:*"]}},
  "models": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 200}},
  "tasks": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 200}},
  "ips": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 45}},
  "expires_at": {"$ref": "#/components/schemas/Time"}, "api_version": {"const": "2026-11-01"}}},
"Key": {"type": "object", "required": ["id", "object", "name", "scopes"], "properties": {"id": {"type": "string"}, "object": {"const": "key"},
  "name": {"type": "string"}, "prefix": {"type": "string"}, "key": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}}}},
"UploadRequest": {"type": "object", "required": ["filename"], "additionalProperties": false, "properties": {
  "filename": {"type": "string", "minLength": 1, "maxLength": 1024}, "mime": {"type": "string", "maxLength": 127},
  "bytes": {"type": "integer", "minimum": 0, "maximum": 5368709120}, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
  "purpose": {"const": "input"}, "method": {"enum": ["auto", "single", "multipart", "tus"]}}},
"Upload": {"type": "object", "required": ["id", "object", "status", "expires_at"], "properties": {"id": {"type": "string"},
  "object": {"const": "upload"}, "status": {"enum": ["pending", "uploading", "processing", "complete", "failed", "expired", "canceled"]},
  "expires_at": {"$ref": "#/components/schemas/Time"}, "artifact": {"type": ["string", "null"]}}},
"Part": {"type": "object", "required": ["n", "bytes", "sha256", "etag"]},
"PartsRequest": {"type": "object", "additionalProperties": false, "properties": {"from": {"type": "integer", "minimum": 1, "maximum": 10000},
  "count": {"type": "integer", "minimum": 1, "maximum": 1000}}},
"CompleteRequest": {"type": "object", "additionalProperties": false, "properties": {"parts": {"type": "array", "maxItems": 10000, "items":
  {"type": "object", "required": ["n", "etag"], "additionalProperties": false, "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 10000},
  "etag": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}}}}},
"Artifact": {"type": "object", "required": ["id", "object", "kind", "mime", "bytes", "sha256", "created_at", "url"], "properties": {
  "id": {"type": "string"}, "object": {"const": "artifact"}, "kind": {"type": "string"}, "mime": {"type": "string"},
  "bytes": {"type": "integer"}, "sha256": {"type": "string"}, "url": {"type": "string"}}},
"UrlRequest": {"type": "object", "additionalProperties": false, "properties": {"ttl_s": {"type": "integer", "minimum": 1, "maximum": 604800},
  "disposition": {"enum": ["inline", "attachment"]}, "ip": {"type": "string", "maxLength": 45}}},
"Requirements": {"type": "object", "additionalProperties": true, "properties": {"deadline_s": {"type": "integer", "minimum": 1, "maximum": 86400},
  "start_timeout_s": {"type": "integer", "minimum": 1, "maximum": 86400}, "priority": {"enum": ["low", "normal", "high", "realtime"]}}},
"SubjectWebhook": {"type": "object", "additionalProperties": false, "properties": {"url": {"type": "string", "maxLength": 2048},
  "endpoint": {"type": "string"}, "events": {"$ref": "#/components/schemas/Events"}}},
"Job": {"type": "object", "required": ["id", "object", "version", "task", "status", "phase", "input", "timing"], "properties": {
  "id": {"type": "string"}, "object": {"const": "job"}, "version": {"type": "integer"}, "task": {"type": "string"},
  "status": {"enum": ["queued", "running", "succeeded", "failed", "canceled", "expired"]}, "phase": {"type": "string"},
  "previews": {"type": "array", "items": {"type": "object", "required": ["artifact", "at"], "properties": {"artifact": {"type": "string"},
    "at": {"type": "number", "minimum": 0, "maximum": 1}}}},
  "output": {"type": ["object", "null"]}, "error": {"type": ["object", "null"]}, "tags": {"type": "array", "items": {"type": "string"}}}},
"Adapters": {"type": "array", "maxItems": 8, "items": {"type": "object", "required": ["adapter"], "additionalProperties": false, "properties": {
  "adapter": {"type": "string", "minLength": 1, "maxLength": 200}, "scale": {"type": "number", "minimum": -100, "maximum": 100, "default": 1},
  "component": {"type": "string", "minLength": 1, "maxLength": 32}}}},
"CancelRequest": {"type": "object", "additionalProperties": false, "properties": {"reason": {"type": "string", "maxLength": 500}}},
"JobChange": {"type": "object", "properties": {"tags": {"type": "array", "maxItems": 32, "items": {"type": "string", "minLength": 1, "maxLength": 64}},
  "metadata": {"type": "object", "maxProperties": 32, "additionalProperties": {"type": "string"}},
  "priority": {"enum": ["low", "normal", "high", "realtime"]}}},
"WebhookRequest": {"type": "object", "required": ["url"], "additionalProperties": false, "properties": {
  "url": {"type": "string", "format": "uri", "maxLength": 2048}, "events": {"$ref": "#/components/schemas/Events"},
  "detailed": {"type": "boolean"}, "ordered": {"type": "boolean"}, "algorithms": {"enum": [["v1"], ["v1", "v1a"]]},
  "headers": {"type": "object", "maxProperties": 16, "additionalProperties": {"type": "string", "maxLength": 900}}}},
"WebhookChange": {"type": "object", "additionalProperties": false, "properties": {
  "url": {"type": "string", "format": "uri", "maxLength": 2048}, "events": {"$ref": "#/components/schemas/Events"},
  "detailed": {"type": "boolean"}, "ordered": {"type": "boolean"}, "algorithms": {"enum": [["v1"], ["v1", "v1a"]]},
  "headers": {"type": "object", "maxProperties": 16, "additionalProperties": {"type": "string", "maxLength": 900}},
  "status": {"enum": ["enabled", "disabled"]}}},
"Webhook": {"type": "object", "required": ["id", "object", "version", "url", "events", "status", "created_at"], "properties": {
  "id": {"type": "string"}, "object": {"const": "webhook"}, "version": {"type": "integer"}, "url": {"type": "string"},
  "status": {"enum": ["enabled", "failing", "disabled"]}, "secret": {"type": "string"}}},
"Delivery": {"type": "object", "required": ["id", "object", "endpoint", "event", "type", "subject", "state", "attempt"], "properties": {
  "id": {"type": "string"}, "object": {"const": "webhook_delivery"}, "state": {"enum": ["pending", "delivered", "failed", "skipped"]},
  "attempt": {"type": "integer"}, "status_code": {"type": ["integer", "null"]}}},
"RecoverRequest": {"type": "object", "required": ["since"], "additionalProperties": false, "properties": {"since": {"$ref": "#/components/schemas/Time"}}}
})json";

const std::string_view kOpenApiParameters = R"json({
"limit": {"name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
"order": {"name": "order", "schema": {"enum": ["asc", "desc"]}},
"after": {"name": "after", "schema": {"type": "string", "maxLength": 512}, "description": "a next_cursor or an id"},
"before": {"name": "before", "schema": {"type": "string", "maxLength": 512}, "description": "a cursor or an id"},
"kind": {"name": "kind", "schema": {"enum": ["image", "video", "audio", "text", "json", "model", "archive", "hls"]}},
"status": {"name": "status", "schema": {"enum": ["queued", "running", "succeeded", "failed", "canceled", "expired"]}},
"task": {"name": "task", "schema": {"type": "string", "maxLength": 64}},
"model": {"name": "model", "schema": {"type": "string", "maxLength": 200}},
"tag": {"name": "tag", "schema": {"type": "string", "maxLength": 64}},
"end_user": {"name": "end_user", "schema": {"type": "string", "maxLength": 255}},
"workflow": {"name": "workflow", "schema": {"type": "string", "maxLength": 200}},
"run_id": {"name": "run_id", "schema": {"type": "string", "maxLength": 200}},
"client_ref": {"name": "client_ref", "schema": {"type": "string", "maxLength": 255}},
"created_after": {"name": "created_after", "schema": {"type": "string", "format": "date-time"}},
"created_before": {"name": "created_before", "schema": {"type": "string", "format": "date-time"}},
"wait_s": {"name": "wait_s", "schema": {"type": "integer", "minimum": 0, "maximum": 60}},
"since_version": {"name": "since_version", "schema": {"type": "integer", "minimum": 0}},
"log_after": {"name": "after", "schema": {"type": "integer", "minimum": 0}},
"level": {"name": "level", "schema": {"enum": ["debug", "info", "warn", "error"]}},
"log_limit": {"name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
"event_after": {"name": "after", "schema": {"type": "integer", "minimum": 0}, "description": "resume after this offset, as Last-Event-ID does"},
"types": {"name": "types", "schema": {"type": "string", "maxLength": 1024}, "description": "job.*,webhook.disabled"},
"progress": {"name": "progress", "schema": {"enum": [0, 1]}, "description": "0 leaves job.progress out"},
"subject": {"name": "subject", "schema": {"type": "string", "maxLength": 64}}
})json";

}  // namespace kinora::gateway

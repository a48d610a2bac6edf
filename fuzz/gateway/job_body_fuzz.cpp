// The body of POST /v1/jobs through the whole translation: JSON, the key's limits, the wait, submission, media put in its place.
#include <cstdlib>

#include "gateway/job_body.hpp"
#include "jobs/idempotency.hpp"
#include "jobs/submission.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto body = base::parse_json(text);
  if (!body) return 0;
  gateway::Caller caller;
  caller.tasks = {"ping", "probe"};
  caller.models = {"kinora-sr2x"};
  (void)gateway::check_key_limits(*body, caller);
  const auto wait = gateway::wanted_wait(*body, text.substr(0, 64));
  if (wait.count() < 0 || wait > gateway::kMaxWait) std::abort();
  (void)jobs::fingerprint("POST", "/v1/jobs", "proj_1", *body);
  const auto submission = jobs::parse_submission(*body);
  if (!submission) return 0;
  for (const auto& media : submission->media) gateway::replace_media(*body, media.pointer, "art_01KE0000000000000000000001");
  const auto again = jobs::parse_submission(*body);
  if (!again || again->media.size() != submission->media.size()) std::abort();  // artifacts are media, where data: URIs were
  return 0;
}

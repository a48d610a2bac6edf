#pragma once
// What an event stream is about: a subject that exists and may end, with a picture of it to begin with. The one place that knows the kinds
// of subjects that can be followed.
#include <optional>
#include <string>

#include "gateway/services.hpp"

namespace kinora::gateway {

struct SubjectView {
  json::object snapshot;
  bool ended = false;  // no event will follow
};
// job_..., run_...; not_found: no such subject in the project, or of a kind that cannot be followed.
Task<tl::expected<SubjectView, Problem>> view_subject(const Services& services, std::string project, std::string subject);

// The public object of a run.
tl::expected<json::object, Problem> public_run(const Services& services, const runs::Run& run);

}  // namespace kinora::gateway

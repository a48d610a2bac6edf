#pragma once
// From a media value to the artifact behind it, inside the transaction that accepts a job.
#include <optional>
#include <string>

#include "jobs/admission.hpp"
#include "jobs/artifacts.hpp"
#include "jobs/uploads.hpp"

namespace kinora::jobs {

struct ResolvedMedia {
  std::optional<Artifact> artifact;   // absent: it is still on its way, as `upload`
  std::optional<std::string> upload;  // that it comes or came by
  std::optional<Upload> awaited;      // a new one, written here: somebody has to bring it
};

// The outer error is the database's; the inner one says what is wrong with the value. Not for Inline, whose bytes are there.
base::Result<tl::expected<ResolvedMedia, tasks::Problem>> resolve_media(store::Connection& connection, const MediaRef& ref,
                                                                        const Admission& admission);

tasks::Problem unresolved(const MediaRef& ref, std::string code, std::string detail);
std::string wrong_kind(const MediaRef& ref, std::string_view offered);

}  // namespace kinora::jobs

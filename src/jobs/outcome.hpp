#pragma once
#include <tl/expected.hpp>

#include "tasks/error_codes.hpp"

namespace kinora::jobs {

// A value, or what to answer the client.
template <class T>
using Outcome = tl::expected<T, tasks::Problem>;

inline tl::unexpected<tasks::Problem> refuse(std::string_view code, std::string detail) {
  tasks::Problem problem;
  problem.code = std::string(code);
  problem.detail = std::move(detail);
  return tl::unexpected<tasks::Problem>(std::move(problem));
}
// A library error as a problem: io and internal become `internal`, exhausted (disk full) `internal` with its text.
tl::unexpected<tasks::Problem> refuse(const base::Error& error);

}  // namespace kinora::jobs

#pragma once
// A value, or why the attempt failed in the protocol's words (code, fault, retryable, detail).
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/result.hpp"
#include "tasks/event.hpp"

namespace kinora::worker {

template <class T>
using Outcome = tl::expected<T, tasks::TaskFailure>;

inline tl::unexpected<tasks::TaskFailure> failed(std::string_view code, std::string detail) {
  return tl::unexpected<tasks::TaskFailure>(tasks::failure(code, std::move(detail)));
}
inline tl::unexpected<tasks::TaskFailure> failed(tasks::TaskFailure failure) {
  return tl::unexpected<tasks::TaskFailure>(std::move(failure));
}
// Disk trouble of this machine: another worker may do better.
tasks::TaskFailure disk_failure(const base::Error& error);

}  // namespace kinora::worker

// KINORA_CO_HAVE(auto value, co_await make()); as KINORA_CO_TRY, for Outcome.
#define KINORA_CO_HAVE_(result, declaration, expression)                      \
  auto&& result = (expression);                                               \
  if (!result) co_return ::kinora::worker::failed(std::move(result).error()); \
  declaration = *std::move(result)
#define KINORA_CO_HAVE(declaration, expression) KINORA_CO_HAVE_(KINORA_CONCAT(outcome_, __LINE__), declaration, expression)

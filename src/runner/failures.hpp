#pragma once
// Everything that can go wrong while a task runs, as the stable codes of docs/protocol.md. Errors leave this room as data only.
#include <exception>

#include "base/result.hpp"
#include "tasks/event.hpp"

namespace kinora::runner {

// invalid, not_found -> input_invalid; conflict -> schema_invalid; unsupported -> unsupported_media; too_large -> media_too_large; canceled
// -> canceled; exhausted -> worker_oom; everything else -> worker_error.
tasks::TaskFailure to_failure(const base::Error& error);

// What a task threw: LibTorch's errors (out of memory -> worker_oom), models::InvalidRequest (schema_invalid), models::NotFinite,
// nn::LoadError, std::bad_alloc.
// *device_lost becomes true when the device itself cannot be used any more (a CUDA error other than memory).
tasks::TaskFailure to_failure(const std::exception_ptr& thrown, bool* device_lost = nullptr);

}  // namespace kinora::runner

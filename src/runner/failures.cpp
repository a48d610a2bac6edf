#include "runner/failures.hpp"

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <string_view>

#include "models/pipeline.hpp"
#include "nn/load_error.hpp"
#include "runner/residency.hpp"

namespace kinora::runner {
namespace {

bool tells_of_memory(std::string_view text) {
  return text.find("out of memory") != std::string_view::npos || text.find("can't allocate memory") != std::string_view::npos;
}

// LibTorch's messages end in a stack trace and name source files; the first line says what happened.
std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

tasks::TaskFailure to_failure(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::invalid:
    case base::ErrorCode::not_found: return tasks::failure("input_invalid", error.message);
    case base::ErrorCode::conflict: return tasks::failure("schema_invalid", error.message);
    case base::ErrorCode::unsupported: return tasks::failure("unsupported_media", error.message);
    case base::ErrorCode::too_large: return tasks::failure("media_too_large", error.message);
    case base::ErrorCode::canceled: return tasks::failure("canceled", error.message);
    case base::ErrorCode::exhausted: return tasks::failure("worker_oom", error.message);
    default: return tasks::failure("worker_error", error.message);
  }
}

tasks::TaskFailure to_failure(const std::exception_ptr& thrown, bool* device_lost) {
  try {
    std::rethrow_exception(thrown);
  } catch (const nn::LoadError& error) {
    return tasks::failure("model_invalid", std::string("model cannot be loaded: ") + error.what());
  } catch (const models::InvalidRequest& error) {
    return tasks::failure("schema_invalid", error.what());
  } catch (const models::AdapterRefused& error) {
    return tasks::failure(error.broken ? "model_invalid" : "adapter_incompatible", error.what());
  } catch (const models::Stopped&) {
    return tasks::failure("canceled", "canceled");
  } catch (const models::OutOfMemory& error) {
    return tasks::failure("worker_oom", error.what());
  } catch (const DoesNotFit& error) {
    return tasks::failure("worker_oom", error.what());
  } catch (const models::NotFinite& error) {
    return tasks::failure("not_finite", error.what());
  } catch (const models::NotFiniteAtStep& error) {
    return tasks::failure("not_finite", error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return tasks::failure("worker_oom", first_line(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    const std::string text = first_line(error.what_without_backtrace());
    if (tells_of_memory(text)) return tasks::failure("worker_oom", text);
    if (device_lost != nullptr && text.find("CUDA") != std::string::npos) *device_lost = true;
    return tasks::failure("worker_error", text);
  } catch (const std::bad_alloc&) {
    return tasks::failure("worker_oom", "out of memory");
  } catch (const std::exception& error) {
    return tasks::failure("worker_error", error.what());
  } catch (...) {
    return tasks::failure("worker_error", "unknown error");
  }
}

}  // namespace kinora::runner

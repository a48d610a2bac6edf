#pragma once
// Result<T>: a value or an Error, for everything that a stranger, a file or a network can cause. No exceptions there.
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace kinora::base {

// What kind of failure: enough to decide what to do next. The text says what happened and what to do about it.
enum class ErrorCode {
  invalid,          // the input breaks a rule; the same input will fail again
  not_found,        // the named thing does not exist
  conflict,         // the state does not allow it (exists already, version changed)
  unauthenticated,  // no or wrong credentials
  forbidden,        // known caller, not allowed
  too_large,        // a stated limit is passed
  unsupported,      // valid, but not something we do
  exhausted,        // no capacity now; may work later
  unavailable,      // the peer or a resource cannot be reached; may work later
  timeout,          // the deadline passed
  canceled,         // somebody asked to stop
  io,               // the operating system refused (disk, pipe, socket)
  internal          // our own fault
};

std::string_view name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // for a person; never holds secrets

  // The same error with "context: " in front.
  Error within(std::string_view context) const;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) { return tl::unexpected<Error>(Error{code, std::move(message)}); }
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace kinora::base

#define KINORA_CONCAT_(a, b) a##b
#define KINORA_CONCAT(a, b) KINORA_CONCAT_(a, b)
#define KINORA_TRY_(result, declaration, expression)                   \
  auto&& result = (expression);                                        \
  if (!result) return ::kinora::base::fail(std::move(result).error()); \
  declaration = *std::move(result)
#define KINORA_CO_TRY_(result, declaration, expression)                   \
  auto&& result = (expression);                                           \
  if (!result) co_return ::kinora::base::fail(std::move(result).error()); \
  declaration = *std::move(result)
// KINORA_TRY(auto value, make());  returns the error from the enclosing function, or goes on with the value.
#define KINORA_TRY(declaration, expression) KINORA_TRY_(KINORA_CONCAT(try_result_, __LINE__), declaration, expression)
// The same inside a coroutine.
#define KINORA_CO_TRY(declaration, expression) KINORA_CO_TRY_(KINORA_CONCAT(try_result_, __LINE__), declaration, expression)
// KINORA_OK(status) / KINORA_CO_OK(status): for a Status (no value).
#define KINORA_OK(expression)                                                                                               \
  do {                                                                                                                      \
    if (auto&& status_result = (expression); !status_result) return ::kinora::base::fail(std::move(status_result).error()); \
  } while (false)
#define KINORA_CO_OK(expression)                                                                                               \
  do {                                                                                                                         \
    if (auto&& status_result = (expression); !status_result) co_return ::kinora::base::fail(std::move(status_result).error()); \
  } while (false)

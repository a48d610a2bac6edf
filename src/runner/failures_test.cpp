#include "runner/failures.hpp"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "models/pipeline.hpp"
#include "models/upscaler.hpp"
#include "nn/load_error.hpp"

namespace kinora::runner {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

TEST(ToFailure, gives_every_library_error_its_stable_code) {
  const auto code = [](ErrorCode from) { return to_failure(base::Error{from, "why"}).code; };
  EXPECT_EQ(code(ErrorCode::invalid), "input_invalid");
  EXPECT_EQ(code(ErrorCode::not_found), "input_invalid");
  EXPECT_EQ(code(ErrorCode::conflict), "schema_invalid");
  EXPECT_EQ(code(ErrorCode::unsupported), "unsupported_media");
  EXPECT_EQ(code(ErrorCode::too_large), "media_too_large");
  EXPECT_EQ(code(ErrorCode::canceled), "canceled");
  EXPECT_EQ(code(ErrorCode::exhausted), "worker_oom");
  EXPECT_EQ(code(ErrorCode::io), "worker_error");
  EXPECT_EQ(code(ErrorCode::internal), "worker_error");
}

TEST(ToFailure, blames_the_client_for_its_media_and_the_worker_for_the_rest) {
  const auto media = to_failure(base::Error{ErrorCode::invalid, "no media"});
  EXPECT_EQ(media.fault, tasks::Fault::client);
  EXPECT_FALSE(media.retryable);
  EXPECT_EQ(media.detail, "no media");
  const auto disk = to_failure(base::Error{ErrorCode::io, "disk full"});
  EXPECT_EQ(disk.fault, tasks::Fault::worker);
  EXPECT_TRUE(disk.retryable);
}

template <class Thrown>
tasks::TaskFailure caught(Thrown thrown, bool* lost = nullptr) {
  return to_failure(std::make_exception_ptr(std::move(thrown)), lost);
}

TEST(ToFailure, tells_memory_from_other_errors) {
  EXPECT_EQ(caught(std::bad_alloc()).code, "worker_oom");
  try {
    TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.");
  } catch (...) {
    EXPECT_EQ(to_failure(std::current_exception()).code, "worker_oom");
  }
  try {
    TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate 1 GiB");
  } catch (...) {
    EXPECT_EQ(to_failure(std::current_exception()).code, "worker_oom");
  }
}

TEST(ToFailure, notices_that_the_device_is_lost) {
  bool lost = false;
  try {
    TORCH_CHECK(false, "CUDA error: an illegal memory access was encountered\nmore lines");
  } catch (...) {
    const auto failure = to_failure(std::current_exception(), &lost);
    EXPECT_EQ(failure.code, "worker_error");
    EXPECT_EQ(failure.detail, "CUDA error: an illegal memory access was encountered");
  }
  EXPECT_TRUE(lost);
}

TEST(ToFailure, keeps_the_reason_of_models_and_unknown_throws) {
  EXPECT_THAT(caught(nn::LoadError("m.safetensors", "w", "is NaN")).detail, HasSubstr("m.safetensors: w: is NaN"));
  EXPECT_EQ(caught(nn::LoadError("m.safetensors", "w", "is NaN")).code, "model_invalid");
  EXPECT_EQ(caught(models::NotFinite()).code, "not_finite");
  const auto faults = caught(models::InvalidRequest({"guidance_start must not exceed guidance_end", "fps must be 1 to 120"}));
  EXPECT_EQ(faults.code, "schema_invalid");
  EXPECT_EQ(faults.fault, tasks::Fault::client);
  EXPECT_EQ(faults.detail, "guidance_start must not exceed guidance_end; fps must be 1 to 120");
  EXPECT_EQ(caught(models::NotFiniteAtStep(3, 20)).detail, "the latents are not finite after step 3 of 20");
  EXPECT_FALSE(caught(models::NotFiniteAtStep(3, 20)).retryable);
  EXPECT_FALSE(caught(nn::LoadError("m.safetensors", "w", "is NaN")).retryable);
  EXPECT_EQ(caught(models::AdapterRefused("style", false, "3 modules do not fit")).code, "adapter_incompatible");
  EXPECT_EQ(caught(models::AdapterRefused("style", true, "header too long")).detail, "adapter style: header too long");
  EXPECT_EQ(caught(models::AdapterRefused("style", true, "header too long")).code, "model_invalid");
  EXPECT_EQ(caught(std::runtime_error("x")).detail, "x");
  EXPECT_EQ(caught(7).code, "worker_error");
}

}  // namespace
}  // namespace kinora::runner

#include "gateway/body_to_blob.hpp"

#include "jobs/outcome.hpp"

namespace kinora::gateway {
namespace {

tl::unexpected<Problem> too_large(std::uint64_t max_bytes) {
  return refuse("body_too_large", "at most " + std::to_string(max_bytes) + " bytes here");
}

}  // namespace

Task<tl::expected<store::Blob, Problem>> body_to_blob(Call& call, store::Blobs& blobs, std::uint64_t max_bytes,
                                                      std::optional<std::string> expected_sha256) {
  if (call.request.content_length.value_or(0) > max_bytes) co_return too_large(max_bytes);
  auto writer = co_await blobs.create(static_cast<std::int64_t>(max_bytes));
  if (!writer) co_return jobs::refuse(writer.error());
  for (;;) {
    auto piece = co_await call.request.body->read();
    if (!piece) {
      if (piece.error().code == base::ErrorCode::too_large) co_return too_large(max_bytes);
      co_return refuse("invalid_field", "the body ended early: " + piece.error().message);
    }
    if (piece->empty()) break;
    if (auto done = co_await writer->append(std::move(*piece)); !done) {
      if (done.error().code == base::ErrorCode::too_large) co_return too_large(max_bytes);
      co_return jobs::refuse(done.error());
    }
  }
  const auto length = call.request.content_length;
  if (length && static_cast<std::uint64_t>(writer->bytes()) != *length)
    co_return refuse("invalid_field", "the body has another length than Content-Length says");
  auto blob = co_await writer->commit(std::move(expected_sha256));
  if (!blob) {
    if (blob.error().code == base::ErrorCode::conflict) co_return refuse("input_invalid", blob.error().message);
    co_return jobs::refuse(blob.error());
  }
  co_return std::move(*blob);
}

Task<tl::expected<store::Blob, Problem>> bytes_to_blob(store::Blobs& blobs, std::string bytes) {
  auto writer = co_await blobs.create(static_cast<std::int64_t>(bytes.size()));
  if (!writer) co_return jobs::refuse(writer.error());
  if (auto done = co_await writer->append(std::move(bytes)); !done) co_return jobs::refuse(done.error());
  auto blob = co_await writer->commit();
  if (!blob) co_return jobs::refuse(blob.error());
  co_return std::move(*blob);
}

}  // namespace kinora::gateway

#include "gateway/upload_completion.hpp"

namespace kinora::gateway {
namespace {

base::Status reopen(store::Connection& db, std::string_view upload) {
  KINORA_TRY(
      [[maybe_unused]] const auto changed,
      db.run("UPDATE uploads SET status = 'uploading' WHERE status = 'processing' AND source IS NULL AND (?1 = '' OR id = ?1)", upload));
  return {};
}

}  // namespace

UploadCompletion::~UploadCompletion() {
  // Runs after what finish_upload() or fail_upload() wrote; not awaited, as a destructor of a cancelled coroutine cannot wait.
  database_.post_write([upload = upload_](store::Connection& db) { return reopen(db, upload); }, [](const base::Status&) {});
}

net::Task<tl::expected<jobs::Upload, Problem>> complete_upload(const Services& services, std::string project, std::string id,
                                                               std::optional<std::vector<jobs::UploadPart>> declared) {
  const auto upload = co_await services.engine.upload(project, id);
  if (!upload) co_return tl::unexpected(upload.error());
  const UploadCompletion completion(services.database, id);
  auto blob = co_await services.engine.assemble_upload(project, id, std::move(declared));
  if (!blob) co_return tl::unexpected(std::move(blob).error());
  auto probed = co_await services.media.probe(services.blobs.path(blob->sha256()).string(), upload->mime);
  if (!probed) {
    (void)co_await services.engine.fail_upload(project, id, probed.error());
    co_return tl::unexpected(std::move(probed).error());
  }
  auto artifact = co_await services.engine.finish_upload(project, id, std::move(*blob), probed->mime, std::move(probed->media));
  if (!artifact) co_return tl::unexpected(std::move(artifact).error());
  co_return co_await services.engine.upload(project, id);
}

store::Task<base::Status> reopen_uploads(store::Database& database) {
  co_return co_await database.write([](store::Connection& db) { return reopen(db, ""); });
}

}  // namespace kinora::gateway

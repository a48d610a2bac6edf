#include "gateway/upload_completion.hpp"

namespace kinora::gateway {
namespace {

base::Status reopen(store::Connection& db, std::string_view upload) {
  KINORA_TRY([[maybe_unused]] const auto changed,
             db.run("UPDATE uploads SET status = 'uploading' WHERE status = 'processing' AND (?1 = '' OR id = ?1)", upload));
  return {};
}

}  // namespace

UploadCompletion::~UploadCompletion() {
  // Runs after what finish_upload() or fail_upload() wrote; not awaited, as a destructor of a cancelled coroutine cannot wait.
  database_.post_write([upload = upload_](store::Connection& db) { return reopen(db, upload); }, [](const base::Status&) {});
}

store::Task<base::Status> reopen_uploads(store::Database& database) {
  co_return co_await database.write([](store::Connection& db) { return reopen(db, ""); });
}

}  // namespace kinora::gateway

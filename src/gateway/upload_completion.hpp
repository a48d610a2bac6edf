#pragma once
// An upload is `processing` while the gateway joins and probes it. When that ends without a verdict (the client has gone, the process has
// died), the upload goes back to `uploading`: its parts are still there, and completing it may be asked for again.
#include <string>

#include "gateway/services.hpp"
#include "store/database.hpp"

namespace kinora::gateway {

// At its end puts the upload back if it is still processing; does nothing to one that is complete or failed.
class UploadCompletion {
 public:
  UploadCompletion(store::Database& database, std::string upload) : database_(database), upload_(std::move(upload)) {}
  ~UploadCompletion();
  UploadCompletion(const UploadCompletion&) = delete;
  UploadCompletion& operator=(const UploadCompletion&) = delete;

 private:
  store::Database& database_;
  std::string upload_;
};

// Joins the parts, checks what was promised, looks at the media: the upload with its artifact. When it cannot be read the upload fails.
net::Task<tl::expected<jobs::Upload, Problem>> complete_upload(const Services& services, std::string project, std::string id,
                                                               std::optional<std::vector<jobs::UploadPart>> declared);

// All of them, at start.
store::Task<base::Status> reopen_uploads(store::Database& database);

}  // namespace kinora::gateway

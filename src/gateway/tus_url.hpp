#pragma once
// Where tus goes on with an upload: signed, so that a browser needs no key.
#include <string>

#include "gateway/services.hpp"
#include "jobs/uploads.hpp"

namespace kinora::gateway {

inline constexpr std::string_view kTusPrefix = "/v1/media/uploads/tus/";

inline std::string tus_url(const Services& services, const jobs::Upload& upload) {
  const std::string path = std::string(kTusPrefix) + upload.id;
  return services.address.absolute(path) +
         "?t=" + services.signer.sign_prefix(path, std::chrono::floor<std::chrono::seconds>(upload.expires_at));
}

}  // namespace kinora::gateway

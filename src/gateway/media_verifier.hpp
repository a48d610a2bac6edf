#pragma once
// Judges delivered results with kinora-media: playlists complete, files decode to their end, sizes, duration and rate as asked, not blank
// (developer-api 5.3.1 "structural"). An error's text says what is wrong; the engine runs the task elsewhere then.
#include <map>

#include "gateway/media_check.hpp"
#include "gateway/verdict.hpp"
#include "jobs/executor.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kMaxPlaylistBytes = 4 << 20;
inline constexpr std::size_t kMaxRememberedSources = 256;

class MediaVerifier final : public jobs::Verifier {
 public:
  // Both outlive this. With `enabled` false everything passes: hashes have been compared by the engine.
  MediaVerifier(store::Blobs& blobs, MediaCheck& media, bool enabled) : blobs_(blobs), media_(media), enabled_(enabled) {}
  jobs::Task<base::Status> verify(const tasks::TaskOrder& order, const tasks::TaskResult& result,
                                  const std::vector<jobs::DeliveredFile>& files) override;

 private:
  jobs::Task<base::Result<std::vector<std::pair<std::string, std::string>>>> playlists(const std::vector<jobs::DeliveredFile>& files);
  jobs::Task<MediaFacts> source_facts(const tasks::TaskOrder& order);
  jobs::Task<base::Status> verify_file(const tasks::TaskOrder& order, const jobs::DeliveredFile& file);
  store::Blobs& blobs_;
  MediaCheck& media_;
  bool enabled_;
  std::map<std::string, MediaFacts> sources_;  // by sha256: chunks of one video share their source
};

}  // namespace kinora::gateway

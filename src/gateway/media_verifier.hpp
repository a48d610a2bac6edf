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
// Two encodes of one picture by different machines are nearer than this; two takes of one prompt are not.
inline constexpr double kSamePsnr = 32, kSameSsim = 0.95;
// Level "perceptual": a transcode or an enlargement, brought to the smaller size, must be at least this near its source.
inline constexpr double kLeastPsnr = 22, kLeastSsim = 0.70;
// A result that moves less (docs/media.md, movement) than the first, of a source that moves more than the second, stands still. Between
// them lies what an encoder may rightly leave out.
inline constexpr double kStandsStill = 0.5, kMoves = 2;

class MediaVerifier final : public jobs::Verifier {
 public:
  // Both outlive this. With `enabled` false everything passes: hashes have been compared by the engine.
  MediaVerifier(store::Blobs& blobs, MediaCheck& media, bool enabled) : blobs_(blobs), media_(media), enabled_(enabled) {}
  jobs::Task<base::Status> verify(const tasks::TaskOrder& order, const tasks::TaskResult& result,
                                  const std::vector<jobs::DeliveredFile>& files, jobs::Strictness strictness) override;
  // Files of the same bytes, or alike as kSamePsnr and kSameSsim say; results without files by their outputs.
  jobs::Task<base::Result<bool>> same(const tasks::TaskOrder& order, const tasks::TaskResult& a, const tasks::TaskResult& b) override;
  // Where the result shows what its source shows: mean SSIM of the first film or picture against it. Else (takes of one prompt) the clarity
  // of docs/media.md, mean over its films and pictures; 0 of one that is blank or stands still. Without a picture 0.
  jobs::Task<base::Result<double>> score(const tasks::TaskOrder& order, const tasks::TaskResult& result) override;

 private:
  jobs::Task<base::Result<std::vector<std::pair<std::string, std::string>>>> playlists(const std::vector<jobs::DeliveredFile>& files);
  jobs::Task<MediaFacts> source_facts(const tasks::TaskOrder& order);
  jobs::Task<base::Status> verify_file(const tasks::TaskOrder& order, const jobs::DeliveredFile& file);
  jobs::Task<base::Status> verify_likeness(const tasks::TaskOrder& order, const jobs::DeliveredFile& file);
  jobs::Task<base::Result<bool>> same_file(const tasks::ResultFile& a, const tasks::ResultFile& b);
  store::Blobs& blobs_;
  MediaCheck& media_;
  bool enabled_;
  std::map<std::string, MediaFacts> sources_;  // by sha256: chunks of one video share their source
};

}  // namespace kinora::gateway

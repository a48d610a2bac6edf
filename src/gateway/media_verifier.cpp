#include "gateway/media_verifier.hpp"

#include <fmt/format.h>

namespace kinora::gateway {
namespace {

tl::unexpected<base::Error> wrong(std::string what) { return base::fail(base::ErrorCode::invalid, std::move(what)); }

bool is_playlist(const jobs::DeliveredFile& file) { return file.name.ends_with(".m3u8"); }

// What kinora-media says of the file is the result's fault; that it failed itself is not.
tl::unexpected<base::Error> wrong(const jobs::DeliveredFile& file, const Problem& problem) {
  const auto code = problem.code == "internal" ? base::ErrorCode::internal : base::ErrorCode::invalid;
  return base::fail(code, file.name + ": " + problem.detail);
}

bool is_seen(const std::string& mime) { return mime.starts_with("video/") || mime.starts_with("image/"); }

// Tasks whose result shows what their source shows, at the same times.
bool has_likeness(const tasks::TaskOrder& order) {
  return (order.task == "transcode" || order.task == "video-upscale" || order.task == "frame-interpolation" ||
          order.task == "video-enhance" || order.task == "image-upscale" || order.task == "join") &&
         !order.params.contains("range");
}

// A part of a moving film may stand still; the whole may not.
bool keeps_moving(const tasks::TaskOrder& order) { return has_likeness(order) || order.task == "overlay" || order.task == "mux"; }

// Which files are decoded to their end. A chunk's and a ladder's pictures are decoded once: in the joined file, in the MP4 of the
// same encode.
bool is_decoded(const tasks::TaskOrder& order, const jobs::DeliveredFile& file) {
  return order.task != "cut" && file.slot != "hls" && !order.params.contains("range");
}

}  // namespace

jobs::Task<base::Result<std::vector<std::pair<std::string, std::string>>>> MediaVerifier::playlists(
    const std::vector<jobs::DeliveredFile>& files) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& file : files) {
    if (!is_playlist(file)) continue;
    if (file.bytes > static_cast<std::int64_t>(kMaxPlaylistBytes)) co_return wrong(file.name + " is too long for a playlist");
    KINORA_CO_TRY(auto reader, co_await blobs_.open_blob(file.sha256));
    std::string text;
    for (;;) {
      KINORA_CO_TRY(std::string piece, co_await reader.read(static_cast<std::int64_t>(text.size()), kMaxPlaylistBytes));
      if (piece.empty()) break;
      text += piece;
    }
    if (!text.starts_with("#EXTM3U")) co_return wrong(file.name + " is not a playlist");
    texts.emplace_back(file.name, std::move(text));
  }
  co_return texts;
}

jobs::Task<MediaFacts> MediaVerifier::source_facts(const tasks::TaskOrder& order) {
  if (order.inputs.empty() || !order.inputs.front().sha256) co_return MediaFacts{};
  const std::string sha256 = *order.inputs.front().sha256;
  if (const auto found = sources_.find(sha256); found != sources_.end()) co_return found->second;
  const auto probed = co_await media_.probe(blobs_.path(sha256).string(), "");
  // A source that cannot be described sets no expectations; the result is still decoded.
  const MediaFacts facts = probed ? facts_of(probed->media) : MediaFacts{};
  if (sources_.size() >= kMaxRememberedSources) sources_.clear();
  sources_[sha256] = facts;
  co_return facts;
}

jobs::Task<base::Status> MediaVerifier::verify_file(const tasks::TaskOrder& order, const jobs::DeliveredFile& file) {
  const std::string path = blobs_.path(file.sha256).string();
  const MediaFacts source = co_await source_facts(order);
  MediaFacts result;
  if (is_decoded(order, file)) {
    const auto decoded = co_await media_.decode(path);
    if (!decoded) co_return wrong(file, decoded.error());
    result = decoded->facts;
    if (decoded->corrupt_frames > 0) co_return wrong(file.name + " has frames that do not decode");
    const bool still = decoded->facts.frames > 1 && decoded->movement < kStandsStill && keeps_moving(order);
    if (decoded->blank || still) {
      // A source may be so itself, or be a single picture: only a result that lost its picture, or its movement, is wrong.
      const auto original = order.inputs.empty() ? jobs::Outcome<Decoded>(jobs::refuse("internal", "no source"))
                                                 : co_await media_.decode(blobs_.path(order.inputs.front().sha256.value_or("")).string());
      if (decoded->blank && (!original || !original->blank)) co_return wrong(file.name + " is blank");
      if (still && original && original->movement > kMoves) co_return wrong(file.name + " stands still where its source moves");
    }
  } else {
    const auto probed = co_await media_.probe(path, file.mime);
    if (!probed) co_return wrong(file, probed.error());
    result = facts_of(probed->media);
  }
  auto bad = judge_file(order, source, file, result);
  if (bad && is_decoded(order, file) && !order.inputs.empty()) {
    // What a container says of itself may be a guess, or true only before it was cut off: look at the frames before blaming the worker.
    const auto original = co_await media_.decode(blobs_.path(order.inputs.front().sha256.value_or("")).string());
    if (original) bad = judge_file(order, original->facts, file, result);
  }
  if (bad) co_return wrong(*bad);
  co_return base::Status{};
}

jobs::Task<base::Status> MediaVerifier::verify(const tasks::TaskOrder& order, const tasks::TaskResult& result,
                                               const std::vector<jobs::DeliveredFile>& files, jobs::Strictness strictness) {
  (void)result;
  if (!enabled_) co_return base::Status{};
  KINORA_CO_TRY(const auto texts, co_await playlists(files));
  if (const auto bad = judge_set(order, files, texts)) co_return wrong(*bad);
  for (const auto& file : files) {
    if (file.slot == "hls" || order.task == "cut") continue;  // the same packets as the MP4; chunks are judged when they are joined
    KINORA_CO_OK(co_await verify_file(order, file));
    if (strictness == jobs::Strictness::perceptual) KINORA_CO_OK(co_await verify_likeness(order, file));
  }
  co_return base::Status{};
}

jobs::Task<base::Status> MediaVerifier::verify_likeness(const tasks::TaskOrder& order, const jobs::DeliveredFile& file) {
  if (!has_likeness(order) || order.inputs.empty() || !order.inputs.front().sha256 || !is_seen(file.mime)) co_return base::Status{};
  const std::string source = blobs_.path(*order.inputs.front().sha256).string();
  const auto found = co_await media_.compare(blobs_.path(file.sha256).string(), source);
  if (!found) co_return wrong(file, found.error());
  if (found->psnr_y >= kLeastPsnr && found->ssim >= kLeastSsim) co_return base::Status{};
  co_return wrong(fmt::format("{} is unlike its source: PSNR {:.1f} dB, SSIM {:.3f} where {:g} dB and {:g} are the least", file.name,
                              found->psnr_y, found->ssim, kLeastPsnr, kLeastSsim));
}

jobs::Task<base::Result<bool>> MediaVerifier::same_file(const tasks::ResultFile& a, const tasks::ResultFile& b) {
  if (a.slot != b.slot || a.mime != b.mime) co_return false;
  if (a.sha256 == b.sha256) co_return true;
  if (!is_seen(a.mime)) co_return false;
  const auto found = co_await media_.compare(blobs_.path(a.sha256).string(), blobs_.path(b.sha256).string());
  if (!found) co_return base::fail(base::ErrorCode::invalid, found.error().detail);
  co_return found->psnr_y >= kSamePsnr && found->ssim >= kSameSsim;
}

jobs::Task<base::Result<bool>> MediaVerifier::same(const tasks::TaskOrder& order, const tasks::TaskResult& a, const tasks::TaskResult& b) {
  if (order.task == "ping") co_return true;  // it says who answered: two are never the same
  if (a.files.empty() && b.files.empty()) co_return a.outputs == b.outputs;
  if (a.files.size() != b.files.size()) co_return false;
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    if (a.files[i].slot == "hls" && b.files[i].slot == "hls") continue;  // the renditions hold the same pictures
    KINORA_CO_TRY(const bool equal, co_await same_file(a.files[i], b.files[i]));
    if (!equal) co_return false;
  }
  co_return true;
}

jobs::Task<base::Result<double>> MediaVerifier::score(const tasks::TaskOrder& order, const tasks::TaskResult& result) {
  const bool against_source = has_likeness(order) && !order.inputs.empty() && order.inputs.front().sha256;
  double sum = 0;
  int seen = 0;
  for (const auto& file : result.files) {
    if (file.slot == "hls" || !is_seen(file.mime)) continue;
    const std::string path = blobs_.path(file.sha256).string();
    if (against_source) {
      const auto found = co_await media_.compare(path, blobs_.path(*order.inputs.front().sha256).string());
      if (!found) co_return base::fail(base::ErrorCode::invalid, found.error().detail);
      co_return found->ssim;
    }
    const auto decoded = co_await media_.decode(path);
    if (!decoded) co_return base::fail(base::ErrorCode::invalid, decoded.error().detail);
    const bool stands_still = decoded->facts.frames > 1 && decoded->movement < kStandsStill;
    sum += decoded->blank || stands_still ? 0 : decoded->clarity;
    ++seen;
  }
  co_return seen > 0 ? sum / seen : 0.0;
}

}  // namespace kinora::gateway

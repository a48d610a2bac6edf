#pragma once
// Asks kinora-media what a stored blob is, in its own process, a bounded number at once.
#include <string>
#include <vector>

#include "base/json.hpp"
#include "gateway/slots.hpp"
#include "gateway/verdict.hpp"
#include "jobs/outcome.hpp"
#include "proc/media_tool.hpp"

namespace kinora::gateway {

namespace json = base::json;
using tasks::Problem;

struct Probed {
  json::value media;  // the media object of docs/media.md
  std::string mime;   // what the bytes are, whatever the client called them
};

struct Decoded {
  MediaFacts facts;  // with frames and duration as decoded, not as the container says
  std::int64_t corrupt_frames = 0;
  bool blank = false;   // every frame is one colour
  double movement = 0;  // how far the frames go from the first, as docs/media.md says
  double clarity = 0;   // 0..1, how whole it looks by itself, as docs/media.md says
};

struct Likeness {
  double psnr_y = 0;  // dB, mean
  double ssim = 0;    // mean
};

class MediaCheck {
 public:
  MediaCheck(boost::asio::any_io_executor executor, proc::MediaTool tool, unsigned processes);

  // Problems: input_invalid (not media), unsupported_media, media_too_large, internal (kinora-media failed).
  net::Task<jobs::Outcome<Probed>> probe(std::string path, std::string declared_mime);
  // Decodes the whole first video (or picture) of the file.
  net::Task<jobs::Outcome<Decoded>> decode(std::string path);
  // How alike two films or pictures are, sampled, sizes brought together (docs/media.md, compare).
  net::Task<jobs::Outcome<Likeness>> compare(std::string path, std::string reference);

 private:
  // One operation of kinora-media; the answer is its result object. Waits for a free place.
  net::Task<jobs::Outcome<json::object>> ask(std::string operation, json::object request);
  proc::MediaTool tool_;
  Slots slots_;
};

// The MIME type for a media object's format; `declared` is kept when it says nothing else than the bytes do, "" when unknown.
std::string mime_of(const json::value& media, std::string_view declared);

}  // namespace kinora::gateway

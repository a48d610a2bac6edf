#pragma once
// Judges a delivered file against its order (developer-api 5.3.1, level structural): sizes, duration and frames as asked. Pure: takes what
// kinora-media said about source and result.
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "jobs/executor.hpp"

namespace kinora::gateway {

namespace json = base::json;

struct MediaFacts {
  bool video = false, audio = false;
  int width = 0, height = 0;  // as coded
  double duration_s = 0;      // 0: unknown
  double fps = 0;             // 0: unknown
  std::int64_t frames = 0;    // 0: unknown
};
// From a media object (docs/media.md); zeros for what it does not say.
MediaFacts facts_of(const json::value& media);

// Longest tolerated difference of duration: a frame of the source or this, whichever is more.
inline constexpr double kDurationSlackS = 0.1;

// What is wrong with a result file of a task; nullopt: nothing. `result` from decoding when it was decoded.
std::optional<std::string> judge_file(const tasks::TaskOrder& order, const MediaFacts& source, const jobs::DeliveredFile& file,
                                      const MediaFacts& result);

// What is wrong with the set of files: an expected slot without a file, or an HLS playlist that names a file that was not
// delivered. `playlist`: the text of each .m3u8 by name.
std::optional<std::string> judge_set(const tasks::TaskOrder& order, const std::vector<jobs::DeliveredFile>& files,
                                     const std::vector<std::pair<std::string, std::string>>& playlists);
// The relative names that a playlist refers to, resolved against its own name.
std::vector<std::string> playlist_names(std::string_view name, std::string_view text);

}  // namespace kinora::gateway

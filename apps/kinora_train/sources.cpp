#include "kinora_train/sources.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <string_view>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "media/image.hpp"
#include "media/video_reader.hpp"

namespace kinora::train {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 7> kPhotoEndings{".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"};
constexpr std::array<std::string_view, 7> kClipEndings{".mp4", ".mkv", ".webm", ".mov", ".ts", ".y4m", ".avi"};

std::string lower_ending(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

// False: neither picture nor clip by its name.
bool add(const fs::path& path, std::vector<Source>& sources) {
  const std::string ending = lower_ending(path);
  if (std::find(kPhotoEndings.begin(), kPhotoEndings.end(), ending) != kPhotoEndings.end())
    sources.push_back({path, SourceKind::photo});
  else if (std::find(kClipEndings.begin(), kClipEndings.end(), ending) != kClipEndings.end())
    sources.push_back({path, SourceKind::clip});
  else
    return false;
  return true;
}

void add_listed(const std::vector<fs::path>& data, const fs::path& list, SourceList& found) {
  std::ifstream in(list);
  if (!in) throw Failure(list.string() + ": cannot be read");
  for (std::string line; std::getline(in, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    const auto end = line.find_last_not_of(" \t\r");
    if (end == std::string::npos) continue;
    line.resize(end + 1);
    const auto root = std::find_if(data.begin(), data.end(), [&](const fs::path& r) { return fs::is_regular_file(r / line); });
    if (root == data.end())
      found.skipped.push_back(line + ": listed, but in none of the data folders");
    else if (!add(*root / line, found.sources))
      found.skipped.push_back(line + ": neither a picture nor a clip by its name");
  }
}

}  // namespace

SourceList find_sources(const std::vector<fs::path>& data, const fs::path& list) {
  SourceList found;
  for (const fs::path& root : data)
    if (!fs::exists(root)) throw Failure(root.string() + ": does not exist");
  if (!list.empty()) {
    add_listed(data, list, found);
    return found;
  }
  for (const fs::path& root : data) {
    if (fs::is_regular_file(root)) {
      if (!add(root, found.sources)) found.skipped.push_back(root.string() + ": neither a picture nor a clip by its name");
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) add(entry.path(), found.sources);
  }
  std::sort(found.sources.begin(), found.sources.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return found;
}

at::Tensor load_photo(const fs::path& path) { return rgb_of(take(media::read_image(path.string()))); }

void read_clip(const fs::path& path, std::size_t length, std::size_t stride,
               const std::function<void(const std::vector<at::Tensor>&)>& use) {
  media::VideoReaderOptions options;
  options.threads = 1;
  media::VideoReader reader = take(media::VideoReader::open(path.string(), options));
  std::vector<at::Tensor> run;
  for (std::int64_t index = 0; index < kMaxClipFrames; ++index) {
    const auto frame = take(reader.next());
    if (!frame) break;
    if (static_cast<std::size_t>(index) % stride == 0) run.clear();
    if (run.size() >= length) continue;
    run.push_back(rgb_of(*frame));
    if (run.size() == length) use(run);
  }
}

}  // namespace kinora::train

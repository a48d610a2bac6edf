#pragma once
// The photos and clips that training looks at. Files that cannot be used are skipped and counted, never fatal.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace kinora::train {

inline constexpr std::int64_t kMaxClipFrames = 1200;  // of one clip, so that a film does not fill the set

enum class SourceKind { photo, clip };
struct Source {
  std::filesystem::path path;
  SourceKind kind = SourceKind::photo;
};

struct SourceList {
  std::vector<Source> sources;
  std::vector<std::string> skipped;  // "path: why"
};

// Every image and clip (by file name ending) in the files and folders given, sorted by path. With a list file only those of its
// lines (paths relative to any of `data`, '#' starts a comment) that exist; the others are in `skipped`. Throws Failure when a
// path of `data` does not exist or the list cannot be read.
SourceList find_sources(const std::vector<std::filesystem::path>& data, const std::filesystem::path& list);

// uint8 [3, H, W]. Throws Failure with the reason when the file is no picture.
at::Tensor load_photo(const std::filesystem::path& path);
// Calls `use` with runs of `length` consecutive pictures, each run `stride` pictures after the one before; at most kMaxClipFrames
// pictures are read. Throws Failure when not one picture can be decoded.
void read_clip(const std::filesystem::path& path, std::size_t length, std::size_t stride,
               const std::function<void(const std::vector<at::Tensor>&)>& use);

}  // namespace kinora::train

#pragma once
// A model repository of a hub: which one, at which revision, and what files it holds, in the API of huggingface.co. Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::hub {

inline constexpr std::size_t kMaxFiles = 20'000;
inline constexpr std::size_t kMaxPathBytes = 1024;
inline constexpr std::size_t kMaxListingBytes = 16 << 20;  // of one page

struct Repository {
  std::string id;                 // "stabilityai/sdxl-turbo": one or two names of [A-Za-z0-9._-], 96 bytes at most, no ".." and no "--"
  std::string revision = "main";  // branch, tag or commit

  // "org/name" or "org/name@revision"; also the address of its page ("https://host/org/name").
  static base::Result<Repository> parse(std::string_view text);
  // "models--stabilityai--sdxl-turbo": its folder in a hub cache.
  std::string folder() const;
  friend bool operator==(const Repository&, const Repository&) = default;
};
// The id that a cache folder's name stands for; invalid when it is none.
base::Result<std::string> id_of_folder(std::string_view folder);

struct RemoteFile {
  std::string path;  // "unet/config.json": relative, without "..", "." or empty parts
  std::uint64_t bytes = 0;
  std::string git_sha1;  // of "blob <bytes>\0" + content; hex
  std::string sha256;    // of the content, hex; empty when the file is not in large-file storage

  const std::string& blob() const { return sha256.empty() ? git_sha1 : sha256; }  // its name in the cache
};

// One page of GET /api/models/{id}/tree/{revision}?recursive=true: appends its files (folders are left out).
// invalid: not of that form, an unsafe path, a hash that is none; too_large: more than kMaxFiles.
base::Status append_listing(std::string_view body, std::vector<RemoteFile>& files);

// The address of the next page from a Link header (RFC 8288, rel="next"); empty when there is none.
std::string next_page(std::string_view link_header);

// Whether it may be used as a path below a folder.
bool safe_path(std::string_view path);

}  // namespace kinora::hub

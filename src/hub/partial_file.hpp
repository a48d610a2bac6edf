#pragma once
// A file that arrives in parts: <path>.incomplete has its final size from the beginning, <path>.incomplete.parts lists the parts that are
// whole, so that a later process goes on. finish() checks the hash and gives the file its name. Parts may be written by several threads.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "hub/repository.hpp"

namespace kinora::hub {

class PartialFile {
 public:
  struct Part {
    std::size_t index;
    std::uint64_t begin, end;  // bytes, end exclusive
  };

  // Opens or makes it. io, exhausted.
  static base::Result<std::unique_ptr<PartialFile>> open(std::filesystem::path path, RemoteFile file, std::uint64_t part_bytes);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const RemoteFile& file() const { return file_; }
  const std::filesystem::path& path() const { return path_; }  // its final name
  std::vector<Part> missing() const;
  base::Status write(std::uint64_t offset, std::span<const char> bytes);
  // Records the part as whole; true when it was the last one.
  base::Result<bool> complete(const Part& part);
  // Compares the hash and renames. A hash that differs is `conflict`, and all that was fetched is thrown away.
  base::Status finish();

 private:
  PartialFile(std::filesystem::path path, RemoteFile file, std::uint64_t part_bytes)
      : path_(std::move(path)), file_(std::move(file)), part_bytes_(part_bytes) {}
  std::size_t parts() const { return static_cast<std::size_t>((file_.bytes + part_bytes_ - 1) / part_bytes_); }
  std::filesystem::path incomplete() const { return path_.string() + ".incomplete"; }
  std::filesystem::path record() const { return path_.string() + ".incomplete.parts"; }
  base::Result<std::string> hash() const;

  std::filesystem::path path_;
  RemoteFile file_;
  std::uint64_t part_bytes_;
  int descriptor_ = -1;
  int record_ = -1;
  mutable std::mutex mutex_;
  std::set<std::size_t> whole_;
};

}  // namespace kinora::hub

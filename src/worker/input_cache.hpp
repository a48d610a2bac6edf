#pragma once
// Inputs by their SHA-256, so that the chunks of one job fetch their source once. Bounded; the least recently used goes first.
//
// An attempt gets a hard link of the cached file, so removing an entry never takes a file away from who uses it. Two attempts that
// want the same input at once: one fetches, the other waits. Emptied when the worker starts (WorkFolder).
#include <cstdint>
#include <filesystem>
#include <list>
#include <set>
#include <string>
#include <unordered_map>

#include "net/sync.hpp"
#include "worker/transfer.hpp"

namespace kinora::worker {

class InputCache {
 public:
  // `folder` exists and lies on the same file system as the files asked for.
  InputCache(boost::asio::any_io_executor executor, std::filesystem::path folder, std::uint64_t max_bytes);
  // Makes `request.file`: from the cache when the hash is known, else from the network. An input without a hash, or larger than the
  // whole cache, is fetched and not kept. Failures as download().
  net::Task<Outcome<std::uint64_t>> fetch(TransferContext context, DownloadRequest request, ByteProgress on_progress);

  std::uint64_t bytes() const { return bytes_; }
  std::size_t entries() const { return index_.size(); }
  std::uint64_t hits() const { return hits_; }

 private:
  struct Entry {
    std::string sha256;
    std::uint64_t bytes = 0;
  };
  std::filesystem::path path(const std::string& sha256) const { return folder_ / sha256; }
  net::Task<Outcome<std::uint64_t>> load(TransferContext& context, const DownloadRequest& request, const ByteProgress& on_progress);
  void add(const std::string& sha256, std::uint64_t bytes);
  void drop(const std::string& sha256);
  bool shrink_to(std::uint64_t most);  // true when something went

  std::filesystem::path folder_;
  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::uint64_t hits_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
  std::set<std::string> loading_;
  net::Signal changed_;
};

}  // namespace kinora::worker

#pragma once
// Files by the SHA-256 of their content in a directory: <root>/ab/cd/<64 hex digits>, written to <root>/tmp first.
//
// Threading: used from one executor; reading and writing run on the pool handed in (several at once, each Writer or Reader one at a time).
// A blob that has just been written is pinned by its Blob handle: keep the handle until the row that names the blob is committed, and the
// collector will not take it (remove_unpinned, called on the database's writer thread, which is what makes this free of races).
// Errors: exhausted (disk full), io, not_found, too_large, conflict (a hash that was promised differs).
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace kinora::store {

template <class T>
using Task = boost::asio::awaitable<T>;

class Blobs;

// A stored blob; copies share the pin.
class Blob {
 public:
  const std::string& sha256() const { return sha256_; }  // lower-case hex
  std::int64_t bytes() const { return bytes_; }

 private:
  friend class Blobs;
  std::string sha256_;
  std::int64_t bytes_ = 0;
  std::shared_ptr<void> pin_;
};

// A new blob in the making. Goes away without commit(): nothing is left.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&&) noexcept;
  BlobWriter& operator=(BlobWriter&&) noexcept;
  ~BlobWriter();
  // too_large once more than max_bytes were given.
  Task<base::Status> append(std::string chunk);
  std::int64_t bytes() const;
  // Flushes to the disk and gives the file its name. With `expected_sha256`, another content is `conflict` and nothing is kept.
  Task<base::Result<Blob>> commit(std::optional<std::string> expected_sha256 = std::nullopt);

 private:
  friend class Blobs;
  struct State;
  explicit BlobWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// An open blob: stays readable even when it is removed meanwhile.
class BlobReader {
 public:
  BlobReader(BlobReader&&) noexcept;
  BlobReader& operator=(BlobReader&&) noexcept;
  ~BlobReader();
  std::int64_t bytes() const;
  // At most `length` bytes from `offset`; empty at or past the end.
  Task<base::Result<std::string>> read(std::int64_t offset, std::size_t length);

 private:
  friend class Blobs;
  struct State;
  explicit BlobReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Blobs {
 public:
  // Makes the directories and clears <root>/tmp. `executor`: where callers resume; `pool` does the blocking work; both outlive this.
  static base::Result<std::unique_ptr<Blobs>> open(boost::asio::any_io_executor executor, boost::asio::thread_pool& pool,
                                                   std::filesystem::path root);

  Task<base::Result<BlobWriter>> create(std::int64_t max_bytes);
  Task<base::Result<BlobReader>> open_blob(std::string sha256);
  // Puts blobs one after the other into a new one (the parts of a multipart upload).
  Task<base::Result<Blob>> concatenate(std::vector<std::string> sha256s, std::int64_t max_bytes);

  // Where the file is, for a program on this machine that reads it (kinora-media). It may not exist.
  std::filesystem::path path(std::string_view sha256) const;
  bool exists(std::string_view sha256) const;
  // Pins a blob that exists, e.g. one that a new row is about to name.
  base::Result<Blob> pin(std::string_view sha256);
  // Room on the disk for an ordinary program; 0 when it cannot be told.
  std::int64_t free_bytes() const;
  // Deletes the file unless it is pinned; true when it is gone. Blocks; thread-safe.
  bool remove_unpinned(std::string_view sha256);
  // The names of all blobs, at most `limit`.
  Task<std::vector<std::string>> names(std::size_t limit);
  // Calls fn with the name of every blob on the disk until it returns false. Blocks; thread-safe.
  void each(const std::function<bool(const std::string& sha256)>& fn) const;

 private:
  friend class BlobWriter;
  Blobs(boost::asio::any_io_executor executor, boost::asio::thread_pool& pool, std::filesystem::path root);
  base::Result<Blob> adopt(const std::filesystem::path& temporary, std::string sha256, std::int64_t bytes);
  std::shared_ptr<void> make_pin(const std::string& sha256);  // mutex held
  struct Pins;
  boost::asio::any_io_executor executor_;
  boost::asio::thread_pool& pool_;
  std::filesystem::path root_;
  std::shared_ptr<Pins> pins_;
};

}  // namespace kinora::store

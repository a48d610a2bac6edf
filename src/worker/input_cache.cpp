#include "worker/input_cache.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "worker/retry.hpp"

namespace kinora::worker {
namespace fs = std::filesystem;

namespace {

// 0 or errno. Blocks.
int link_to(const fs::path& from, const fs::path& to) {
  ::unlink(to.c_str());
  return ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

InputCache::InputCache(boost::asio::any_io_executor executor, fs::path folder, std::uint64_t max_bytes)
    : folder_(std::move(folder)), max_bytes_(max_bytes), changed_(std::move(executor)) {}

net::Task<Outcome<std::uint64_t>> InputCache::fetch(TransferContext context, DownloadRequest request, ByteProgress on_progress) {
  request.make_room = [this] { return shrink_to(0); };
  if (!request.sha256 || request.bytes.value_or(0) > max_bytes_) {
    co_return co_await download(context, std::move(request), std::move(on_progress));
  }
  const std::string sha256 = *request.sha256;
  for (;;) {
    if (const auto found = index_.find(sha256); found != index_.end()) {
      const std::uint64_t bytes = found->second->bytes;
      if (request.bytes && *request.bytes != bytes) co_return failed("transfer_failed", "an input has another size than promised");
      entries_.splice(entries_.begin(), entries_, found->second);
      const int error = co_await context.disk.run([this, &sha256, &request] { return link_to(path(sha256), request.file); });
      if (error == 0) {
        ++hits_;
        if (on_progress) on_progress(bytes);
        co_return bytes;
      }
      if (error != ENOENT) co_return failed(disk_failure(io_error(error)));
      drop(sha256);  // evicted while the disk was busy, or removed by somebody else
    } else if (loading_.contains(sha256)) {
      co_await changed_.wait();
    } else {
      co_return co_await load(context, request, on_progress);
    }
  }
}

net::Task<Outcome<std::uint64_t>> InputCache::load(TransferContext& context, const DownloadRequest& request,
                                                   const ByteProgress& on_progress) {
  const std::string sha256 = *request.sha256;
  struct Loading {
    InputCache& cache;
    const std::string& sha256;
    ~Loading() {
      cache.loading_.erase(sha256);
      cache.changed_.notify();
    }
  };
  loading_.insert(sha256);
  const Loading loading{*this, sha256};
  DownloadRequest into_cache = request;
  into_cache.file = path(sha256 + ".part");
  KINORA_CO_HAVE(const std::uint64_t bytes, co_await download(context, into_cache, on_progress));
  const int error = co_await context.disk.run([&] {
    // Read-only: whoever gets a link to it shares the bytes.
    if (::chmod(into_cache.file.c_str(), 0400) != 0 || ::rename(into_cache.file.c_str(), path(sha256).c_str()) != 0) return errno;
    return link_to(path(sha256), request.file);
  });
  if (error != 0) co_return failed(disk_failure(io_error(error)));
  add(sha256, bytes);
  co_return bytes;
}

void InputCache::add(const std::string& sha256, std::uint64_t bytes) {
  entries_.push_front({sha256, bytes});
  index_[sha256] = entries_.begin();
  bytes_ += bytes;
  shrink_to(max_bytes_);
}

void InputCache::drop(const std::string& sha256) {
  const auto found = index_.find(sha256);
  if (found == index_.end()) return;
  bytes_ -= found->second->bytes;
  entries_.erase(found->second);
  index_.erase(found);
}

bool InputCache::shrink_to(std::uint64_t most) {
  bool went = false;
  while (bytes_ > most && !entries_.empty()) {
    const std::string sha256 = entries_.back().sha256;
    std::error_code ignored;
    fs::remove(path(sha256), ignored);
    drop(sha256);
    went = true;
  }
  return went;
}

}  // namespace kinora::worker

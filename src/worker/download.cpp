#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/bytes.hpp"
#include "proc/descriptor.hpp"
#include "worker/retry.hpp"
#include "worker/transfer.hpp"

namespace kinora::worker {
namespace {

using base::ErrorCode;

// The file that grows, with the hash of what is in it. Used by one blocking call at a time.
struct Sink {
  proc::Descriptor file;
  base::Sha256 hash;
  std::uint64_t bytes = 0;

  // 0, or errno. A partial write is taken back, so that it can be repeated.
  int append(std::string_view piece) {
    std::size_t done = 0;
    while (done < piece.size()) {
      const ssize_t written = ::pwrite(file.get(), piece.data() + done, piece.size() - done, static_cast<off_t>(bytes + done));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return written == 0 ? EIO : errno;
      done += static_cast<std::size_t>(written);
    }
    hash.update(base::as_bytes(piece));
    bytes += piece.size();
    return 0;
  }
  int restart() {
    hash = base::Sha256();
    bytes = 0;
    return ::ftruncate(file.get(), 0) == 0 ? 0 : errno;
  }
};

// Removes the file unless it was kept.
struct Removal {
  const std::filesystem::path& file;
  bool keep = false;
  ~Removal() {
    std::error_code ignored;
    if (!keep) std::filesystem::remove(file, ignored);
  }
};

// The first byte that a 206 answer carries: "bytes 100-199/200".
std::optional<std::uint64_t> first_of(std::optional<std::string_view> content_range) {
  if (!content_range || !content_range->starts_with("bytes ")) return std::nullopt;
  std::uint64_t first = 0;
  const auto text = content_range->substr(6);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), first);
  if (error != std::errc() || end == text.data() + text.size() || *end != '-') return std::nullopt;
  return first;
}

struct Download {
  TransferContext& context;
  DownloadRequest& request;
  const ByteProgress& on_progress;
  Sink sink;

  std::uint64_t limit() const { return request.bytes ? std::min(*request.bytes, request.max_bytes) : request.max_bytes; }
  tasks::TaskFailure past_limit() const {
    if (request.bytes && *request.bytes < request.max_bytes) return tasks::failure("transfer_failed", "an input is larger than promised");
    return tasks::failure("media_too_large", "an input is larger than this worker takes");
  }
  net::Task<Outcome<void>> once(bool& worth_another_try);
  net::Task<Outcome<void>> write(std::string piece);
  Outcome<void> verify();
};

net::Task<Outcome<void>> Download::once(bool& worth_another_try) {
  worth_another_try = false;
  net::ClientRequest get;
  get.url = request.url;
  get.trust = context.trust;
  get.reach = context.reach;
  if (sink.bytes > 0) get.headers.set("range", "bytes=" + std::to_string(sink.bytes) + "-");
  auto answer = co_await context.client.send(std::move(get));
  if (!answer) {
    worth_another_try = is_passing(answer.error());
    if (answer.error().code == ErrorCode::forbidden)
      co_return failed("input_unavailable", "cannot fetch an input: " + out_of_reach(answer.error()));
    co_return failed("transfer_failed", "cannot fetch an input: " + answer.error().message);
  }
  const int status = answer->status();
  const bool resumed = status == 206 && sink.bytes > 0 && first_of(answer->headers().get("content-range")) == sink.bytes;
  if (status != 200 && !resumed) {
    if (status == 206 || status == 416) {  // not the part that was asked for: once more from the start
      worth_another_try = true;
      if (const int error = co_await context.disk.run([this] { return sink.restart(); })) co_return failed(disk_failure(io_error(error)));
      co_return failed("transfer_failed", "the gateway cannot resume an input");
    }
    worth_another_try = status >= 500 || status == 429 || status == 408;
    co_return failed(worth_another_try ? "transfer_failed" : "input_unavailable",
                     "the gateway answered " + std::to_string(status) + " for an input");
  }
  if (!resumed && sink.bytes > 0) {
    if (const int error = co_await context.disk.run([this] { return sink.restart(); })) co_return failed(disk_failure(io_error(error)));
  }
  for (;;) {
    auto piece = co_await answer->read();
    if (!piece) {
      worth_another_try = is_passing(piece.error());
      co_return failed("transfer_failed", "an input broke off: " + piece.error().message);
    }
    if (piece->empty()) break;
    if (piece->size() > limit() - std::min(limit(), sink.bytes)) co_return failed(past_limit());
    if (auto written = co_await write(std::move(*piece)); !written) co_return written;
    if (on_progress) on_progress(sink.bytes);
  }
  if (request.bytes && sink.bytes < *request.bytes) {
    worth_another_try = true;
    co_return failed("transfer_failed", "an input ended early");
  }
  co_return verify();
}

net::Task<Outcome<void>> Download::write(std::string piece) {
  for (bool again = false;; again = true) {
    const int error = co_await context.disk.run([&] { return sink.append(piece); });
    if (error == 0) co_return Outcome<void>();
    const bool full = error == ENOSPC || error == EDQUOT;
    if (again || !full || !request.make_room || !request.make_room()) co_return failed(disk_failure(io_error(error)));
  }
}

Outcome<void> Download::verify() {
  if (!request.sha256) return {};
  if (base::to_hex(sink.hash.finish()) == *request.sha256) return {};
  return failed("transfer_failed", "an input has another hash than promised");
}

}  // namespace

net::Task<Outcome<std::uint64_t>> download(TransferContext context, DownloadRequest request, ByteProgress on_progress) {
  if (request.bytes && *request.bytes > request.max_bytes) co_return failed("media_too_large", "an input is larger than this worker takes");
  const int fd = co_await context.disk.run([&] {
    const int opened = ::open(request.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return opened >= 0 ? opened : -errno;
  });
  if (fd < 0) co_return failed(disk_failure(io_error(-fd)));
  Removal removal{request.file};
  Download work{context, request, on_progress, Sink{proc::Descriptor(fd), {}, 0}};
  Backoff backoff(context.retry_after);
  for (int tried = 1;; ++tried) {
    bool worth_another_try = false;
    auto done = co_await work.once(worth_another_try);
    if (done) {
      removal.keep = true;
      co_return work.sink.bytes;
    }
    if (!worth_another_try || tried == kTransferTries) co_return failed(std::move(done).error());
    co_await backoff.wait();
  }
}

}  // namespace kinora::worker

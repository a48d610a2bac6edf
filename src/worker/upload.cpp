#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "proc/descriptor.hpp"
#include "worker/retry.hpp"
#include "worker/transfer.hpp"

namespace kinora::worker {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

// A file that is read once from its start, hashed on the way.
struct Source {
  proc::Descriptor file;
  std::uint64_t size = 0;
  base::Sha256 hash{};
  std::uint64_t sent = 0;
  int error = 0;

  std::string next() {
    std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, size - sent)), '\0');
    if (piece.empty()) return piece;
    ssize_t got = 0;
    do got = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(sent));
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
      error = got < 0 ? errno : EIO;  // the file shrank: its writer is not done or broken
      return {};
    }
    piece.resize(static_cast<std::size_t>(got));
    hash.update(base::as_bytes(piece));
    sent += piece.size();
    return piece;
  }
};

base::Result<std::shared_ptr<Source>> open_source(const std::filesystem::path& path) {
  proc::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0) return base::fail(io_error(errno));
  if (!S_ISREG(about.st_mode)) return base::fail(base::ErrorCode::invalid, "an output is no regular file");
  auto source = std::make_shared<Source>();
  source->file = std::move(file);
  source->size = static_cast<std::uint64_t>(about.st_size);
  return source;
}

// What the gateway says it got.
Outcome<void> compare(std::string_view body, const Uploaded& ours) {
  const auto answer = base::parse_json(body);
  const auto* object = answer ? answer->if_object() : nullptr;
  const auto* bytes = object ? object->if_contains("bytes") : nullptr;
  const auto* sha256 = object ? object->if_contains("sha256") : nullptr;
  if (!bytes || !bytes->is_number() || !sha256 || !sha256->is_string())
    return failed("transfer_failed", "the gateway's answer to an upload is not understood");
  if (bytes->to_number<double>() != static_cast<double>(ours.bytes) || sha256->get_string() != ours.sha256) {
    return failed("transfer_failed", "an output arrived changed");
  }
  return {};
}

net::Task<base::Result<std::string>> next_piece(std::shared_ptr<Source> source, Disk& disk, ByteProgress on_progress,
                                                std::shared_ptr<bool> is_open) {
  if (!*is_open || source->sent == source->size) co_return std::string();
  std::string piece = co_await disk.run([source] { return source->next(); });
  if (source->error != 0) co_return base::fail(io_error(source->error));
  if (on_progress && *is_open) on_progress(source->sent);
  co_return piece;
}

net::Task<Outcome<Uploaded>> once(TransferContext& context, const UploadRequest& request, const ByteProgress& on_progress,
                                  bool& worth_another_try) {
  worth_another_try = false;
  auto opened = co_await context.disk.run([&] { return open_source(request.file); });
  if (!opened) co_return failed(disk_failure(opened.error()));
  const std::shared_ptr<Source> source = *opened;
  Disk& disk = context.disk;
  net::ClientRequest put;
  put.method = "PUT";
  put.url = request.url;
  put.trust = context.trust;
  put.reach = context.reach;
  put.headers.set("authorization", "Bearer " + request.token);
  put.headers.set("content-type", request.mime.empty() ? "application/octet-stream" : request.mime);
  put.content_length = source->size;
  // The client may ask once more after the answer has come: then neither the disk nor who listens may be touched.
  struct Open {
    std::shared_ptr<bool> value = std::make_shared<bool>(true);
    ~Open() { *value = false; }
  } const open;
  if (source->size > 0) {
    put.body_source = [source, &disk, on_progress, is_open = open.value] { return next_piece(source, disk, on_progress, is_open); };
  }
  // The headers come when the gateway has the whole body: a bound for a large file on a slow line, not for a small one.
  put.deadline = std::chrono::minutes(1) + std::chrono::seconds(source->size / (128 * 1024));
  auto answer = co_await context.client.send(std::move(put));
  if (source->error != 0) co_return failed(disk_failure(io_error(source->error)));
  if (!answer) {
    worth_another_try = is_passing(answer.error());
    const bool forbidden = answer.error().code == base::ErrorCode::forbidden;
    co_return failed("transfer_failed", "cannot upload an output: " + (forbidden ? out_of_reach(answer.error()) : answer.error().message));
  }
  auto body = co_await answer->read_all(kMaxAnswerBytes);
  if (answer->status() != 200 || !body) {
    worth_another_try = answer->status() >= 500 || answer->status() == 429 || answer->status() == 408 || !body;
    co_return failed("transfer_failed", "the gateway answered " + std::to_string(answer->status()) + " to an upload");
  }
  Uploaded uploaded{.bytes = source->sent, .sha256 = base::to_hex(source->hash.finish())};
  if (auto same = compare(*body, uploaded); !same) {
    worth_another_try = true;
    co_return failed(std::move(same).error());
  }
  co_return uploaded;
}

}  // namespace

net::Task<Outcome<Uploaded>> upload(TransferContext context, UploadRequest request, ByteProgress on_progress) {
  Backoff backoff(context.retry_after);
  for (int tried = 1;; ++tried) {
    bool worth_another_try = false;
    auto done = co_await once(context, request, on_progress, worth_another_try);
    if (done || !worth_another_try || tried == kTransferTries) co_return done;
    co_await backoff.wait();
  }
}

}  // namespace kinora::worker

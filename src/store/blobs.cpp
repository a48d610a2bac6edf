#include "store/blobs.hpp"

#include <algorithm>
#include <limits>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/log.hpp"

namespace kinora::store {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

base::Error os_error(std::string_view what, int error) {
  const auto code = error == ENOSPC || error == EDQUOT ? base::ErrorCode::exhausted
                    : error == ENOENT                  ? base::ErrorCode::not_found
                                                       : base::ErrorCode::io;
  return {code, fmt::format("{}: {}", what, code == base::ErrorCode::exhausted ? "the disk is full" : std::strerror(error))};
}

bool is_blob_name(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

base::Status write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(os_error("cannot write blob", errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

base::Result<std::string> read_at(int file, std::int64_t offset, std::size_t length) {
  std::string out(length, '\0');
  std::size_t have = 0;
  while (have < length) {
    const ssize_t count = ::pread(file, out.data() + have, length - have, offset + static_cast<std::int64_t>(have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(os_error("cannot read blob", errno));
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  out.resize(have);
  return out;
}

base::Status sync_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return base::fail(os_error("cannot open " + folder.string(), errno));
  const int status = ::fsync(file);
  const int error = errno;
  ::close(file);
  if (status != 0) return base::fail(os_error("cannot flush " + folder.string(), error));
  return {};
}

// Runs fn on the pool; the caller resumes on its own executor.
template <class Fn>
Task<std::invoke_result_t<Fn&>> on_pool(asio::any_io_executor executor, asio::thread_pool& pool, Fn fn) {
  using Out = std::invoke_result_t<Fn&>;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Out)>(
      [executor, &pool](auto handler, Fn work) {
        auto guard = asio::make_work_guard(executor);
        asio::post(pool, [handler = std::move(handler), work = std::move(work), executor, guard = std::move(guard)]() mutable {
          // The work's captures go before the caller resumes: whoever was told "failed" finds no file left.
          Out out = [&work] { return Fn(std::move(work))(); }();
          asio::post(executor, [handler = std::move(handler), out = std::move(out)]() mutable { std::move(handler)(std::move(out)); });
        });
      },
      asio::use_awaitable, std::move(fn));
}

}  // namespace

// How many handles hold each blob; outlives the Blobs while handles exist.
struct Blobs::Pins {
  std::mutex mutex;
  std::unordered_map<std::string, int> count;
};

// Shared with the work on the pool, so that a cancelled caller never leaves it with dead memory.
struct BlobWriter::State {
  Blobs* blobs = nullptr;
  struct File {
    ~File() {
      if (descriptor >= 0) ::close(descriptor);
      if (!path.empty()) ::unlink(path.c_str());
    }
    int descriptor = -1;
    fs::path path;  // of the temporary file; empty once it has its name
    base::Sha256 hash;
  };
  std::shared_ptr<File> file = std::make_shared<File>();
  std::int64_t bytes = 0;
  std::int64_t max_bytes = 0;
};

BlobWriter::BlobWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobWriter::BlobWriter(BlobWriter&&) noexcept = default;
BlobWriter& BlobWriter::operator=(BlobWriter&&) noexcept = default;
BlobWriter::~BlobWriter() = default;
std::int64_t BlobWriter::bytes() const { return state_->bytes; }

Task<base::Status> BlobWriter::append(std::string chunk) {
  state_->bytes += static_cast<std::int64_t>(chunk.size());
  if (state_->bytes > state_->max_bytes)
    co_return base::fail(base::ErrorCode::too_large, fmt::format("more than {} bytes", state_->max_bytes));
  co_return co_await on_pool(state_->blobs->executor_, state_->blobs->pool_,
                             [file = state_->file, chunk = std::move(chunk)]() -> base::Status {
                               file->hash.update(base::as_bytes(chunk));
                               return write_all(file->descriptor, chunk);
                             });
}

Task<base::Result<Blob>> BlobWriter::commit(std::optional<std::string> expected_sha256) {
  Blobs* const blobs = state_->blobs;
  auto file = state_->file;
  const std::int64_t bytes = state_->bytes;
  co_return co_await on_pool(
      blobs->executor_, blobs->pool_, [blobs, file, bytes, expected = std::move(expected_sha256)]() -> base::Result<Blob> {
        const std::string sha256 = base::to_hex(file->hash.finish());
        if (expected && *expected != sha256)
          return base::fail(base::ErrorCode::conflict, fmt::format("content has SHA-256 {}, {} was promised", sha256, *expected));
        if (::fsync(file->descriptor) != 0) return base::fail(os_error("cannot flush blob", errno));
        auto blob = blobs->adopt(file->path, sha256, bytes);
        if (blob) file->path.clear();
        return blob;
      });
}

struct BlobReader::State {
  struct File {
    ~File() { ::close(descriptor); }
    int descriptor = -1;
  };
  asio::any_io_executor executor;
  asio::thread_pool* pool = nullptr;
  std::shared_ptr<File> file;
  std::int64_t bytes = 0;
};

BlobReader::BlobReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobReader::BlobReader(BlobReader&&) noexcept = default;
BlobReader& BlobReader::operator=(BlobReader&&) noexcept = default;
BlobReader::~BlobReader() = default;
std::int64_t BlobReader::bytes() const { return state_->bytes; }

Task<base::Result<std::string>> BlobReader::read(std::int64_t offset, std::size_t length) {
  co_return co_await on_pool(state_->executor, *state_->pool,
                             [file = state_->file, offset, length] { return read_at(file->descriptor, offset, length); });
}

Blobs::Blobs(asio::any_io_executor executor, asio::thread_pool& pool, fs::path root)
    : executor_(std::move(executor)), pool_(pool), root_(std::move(root)), pins_(std::make_shared<Pins>()) {}

base::Result<std::unique_ptr<Blobs>> Blobs::open(asio::any_io_executor executor, asio::thread_pool& pool, fs::path root) {
  std::error_code error;
  fs::remove_all(root / "tmp", error);  // what a crash left
  fs::create_directories(root / "tmp", error);
  if (error) return base::fail(base::ErrorCode::io, "cannot make " + (root / "tmp").string() + ": " + error.message());
  return std::unique_ptr<Blobs>(new Blobs(std::move(executor), pool, std::move(root)));
}

Task<base::Result<BlobWriter>> Blobs::create(std::int64_t max_bytes) {
  static std::atomic<std::uint64_t> counter{0};
  auto state = std::make_unique<BlobWriter::State>();
  state->blobs = this;
  state->max_bytes = max_bytes;
  const fs::path path = root_ / "tmp" / fmt::format("{}-{}", ::getpid(), counter++);
  const base::Status opened = co_await on_pool(executor_, pool_, [file = state->file, path]() -> base::Status {
    file->descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file->descriptor < 0) return base::fail(os_error("cannot make a blob in " + path.parent_path().string(), errno));
    file->path = path;
    return {};
  });
  if (!opened) co_return base::fail(opened.error());
  co_return BlobWriter(std::move(state));
}

Task<base::Result<BlobReader>> Blobs::open_blob(std::string sha256) {
  if (!is_blob_name(sha256)) co_return base::fail(base::ErrorCode::not_found, "no blob of that name");
  auto opened = co_await on_pool(executor_, pool_, [path = path(sha256)]() -> base::Result<std::unique_ptr<BlobReader::State>> {
    auto state = std::make_unique<BlobReader::State>();
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return base::fail(os_error("cannot open blob", errno));
    state->file = std::make_shared<BlobReader::State::File>();
    state->file->descriptor = descriptor;
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return base::fail(os_error("cannot open blob", errno));
    state->bytes = status.st_size;
    return state;
  });
  if (!opened) co_return base::fail(opened.error());
  (*opened)->executor = executor_;
  (*opened)->pool = &pool_;
  co_return BlobReader(std::move(*opened));
}

Task<base::Result<Blob>> Blobs::concatenate(std::vector<std::string> sha256s, std::int64_t max_bytes) {
  constexpr std::size_t kPiece = 1 << 20;
  KINORA_CO_TRY(BlobWriter writer, co_await create(max_bytes));
  for (const std::string& sha256 : sha256s) {
    KINORA_CO_TRY(BlobReader reader, co_await open_blob(sha256));
    for (std::int64_t offset = 0; offset < reader.bytes();) {
      KINORA_CO_TRY(std::string piece, co_await reader.read(offset, kPiece));
      if (piece.empty()) co_return base::fail(base::ErrorCode::io, "a blob is shorter than it was");
      offset += static_cast<std::int64_t>(piece.size());
      KINORA_CO_OK(co_await writer.append(std::move(piece)));
    }
  }
  co_return co_await writer.commit();
}

fs::path Blobs::path(std::string_view sha256) const {
  if (!is_blob_name(sha256)) return root_ / "none";
  return root_ / sha256.substr(0, 2) / sha256.substr(2, 2) / sha256;
}

bool Blobs::exists(std::string_view sha256) const {
  std::error_code error;
  return is_blob_name(sha256) && fs::exists(path(sha256), error);
}

std::shared_ptr<void> Blobs::make_pin(const std::string& sha256) {
  ++pins_->count[sha256];
  return std::shared_ptr<void>(nullptr, [pins = pins_, sha256](void*) {
    const std::lock_guard lock(pins->mutex);
    const auto entry = pins->count.find(sha256);
    if (--entry->second == 0) pins->count.erase(entry);
  });
}

base::Result<Blob> Blobs::adopt(const fs::path& temporary, std::string sha256, std::int64_t bytes) {
  const fs::path target = path(sha256);
  std::error_code error;
  const bool new_folder = fs::create_directories(target.parent_path(), error);
  if (error) return base::fail(os_error("cannot make " + target.parent_path().string(), error.value()));
  Blob blob;
  {
    const std::lock_guard lock(pins_->mutex);
    if (::rename(temporary.c_str(), target.c_str()) != 0) return base::fail(os_error("cannot name blob", errno));
    blob.pin_ = make_pin(sha256);
  }
  blob.sha256_ = std::move(sha256);
  blob.bytes_ = bytes;
  // The name must survive a power cut before a row speaks of it.
  KINORA_OK(sync_folder(target.parent_path()));
  if (new_folder) {
    KINORA_OK(sync_folder(target.parent_path().parent_path()));
    KINORA_OK(sync_folder(root_));
  }
  return blob;
}

base::Result<Blob> Blobs::pin(std::string_view sha256) {
  if (!is_blob_name(sha256)) return base::fail(base::ErrorCode::not_found, "no blob of that name");
  const std::lock_guard lock(pins_->mutex);
  struct stat status{};
  if (::stat(path(sha256).c_str(), &status) != 0) return base::fail(os_error("blob", errno));
  Blob blob;
  blob.sha256_ = std::string(sha256);
  blob.bytes_ = status.st_size;
  blob.pin_ = make_pin(blob.sha256_);
  return blob;
}

bool Blobs::remove_unpinned(std::string_view sha256) {
  if (!is_blob_name(sha256)) return false;
  const std::lock_guard lock(pins_->mutex);
  if (pins_->count.contains(std::string(sha256))) return false;
  if (::unlink(path(sha256).c_str()) == 0 || errno == ENOENT) return true;
  base::log::warn("store", "cannot remove a blob", {{"error", std::strerror(errno)}});
  return false;
}

Task<std::vector<std::string>> Blobs::names(std::size_t limit) {
  co_return co_await on_pool(executor_, pool_, [this, limit] {
    std::vector<std::string> out;
    each([&](const std::string& name) {
      out.push_back(name);
      return out.size() < limit;
    });
    return out;
  });
}

void Blobs::each(const std::function<bool(const std::string&)>& fn) const {
  std::error_code error;
  for (fs::recursive_directory_iterator at(root_, fs::directory_options::skip_permission_denied, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (at.depth() == 0 && name == "tmp") {
      at.disable_recursion_pending();
      continue;
    }
    if (at.depth() == 2 && is_blob_name(name) && !fn(name)) return;
  }
}

std::int64_t Blobs::free_bytes() const {
  std::error_code error;
  const auto space = std::filesystem::space(root_, error);
  return error ? 0 : static_cast<std::int64_t>(std::min<std::uintmax_t>(space.available, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace kinora::store

#include "hub/pull.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/json.hpp"
#include "hub/partial_file.hpp"
#include "hub/retry.hpp"

namespace kinora::hub {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr std::chrono::milliseconds kReportEvery{200};
constexpr std::size_t kMaxPages = 1000;

std::string escaped(std::string_view path) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos)
      out += c;
    else
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}
std::string escaped_name(std::string_view name) {  // a revision is one path segment
  std::string out = escaped(name);
  for (auto slash = out.find('/'); slash != std::string::npos; slash = out.find('/', slash)) out.replace(slash, 1, "%2F");
  return out;
}

struct Page {
  std::string body;
  std::string next;
};

base::Result<Page> get_page(Http& http, const PullSettings& settings, const std::string& url, const std::string& what,
                            const std::stop_token& stop) {
  Page page;
  KINORA_OK(with_retries(settings, stop, [&]() -> Attempt {
    page = {};
    bool too_long = false;
    const auto answer = http.get(
        url, std::nullopt,
        [&](const HttpAnswer&, std::span<const char> bytes) {
          too_long = page.body.size() + bytes.size() > kMaxListingBytes;
          if (!too_long) page.body.append(bytes.data(), bytes.size());
          return !too_long;
        },
        stop);
    if (too_long) return {base::fail(ErrorCode::too_large, what + ": the hub's answer is longer than 16 MiB")};
    if (!answer || answer->status / 100 != 2) return failed_attempt(answer, what, false);
    page.next = next_page(answer->header("link"));
    return {};
  }));
  return page;
}

struct Listing {
  std::string commit;
  std::vector<RemoteFile> files;
};

base::Result<Listing> list_repository(const Repository& repository, const PullSettings& settings, const std::stop_token& stop) {
  Http http(settings.http);
  const std::string base = settings.endpoint + "/api/models/" + escaped(repository.id), what = repository.id + "@" + repository.revision;
  Listing listing;
  KINORA_TRY(const Page about, get_page(http, settings, base + "/revision/" + escaped_name(repository.revision), what, stop));
  const auto parsed = base::parse_json(about.body, {.bytes = kMaxListingBytes, .depth = 64});
  if (parsed && parsed->is_object())
    if (const auto* sha = parsed->get_object().if_contains("sha"); sha != nullptr && sha->is_string()) listing.commit = sha->get_string();
  if (!Repository::parse("name@" + listing.commit) || listing.commit.find('/') != std::string::npos)
    return base::fail(ErrorCode::invalid, what + ": the hub does not name the commit");
  std::string url = base + "/tree/" + listing.commit + "?recursive=true";
  for (std::size_t pages = 0; !url.empty(); ++pages) {
    if (pages == kMaxPages) return base::fail(ErrorCode::too_large, what + ": the hub's listing does not end");
    KINORA_TRY(Page page, get_page(http, settings, url, what, stop));
    KINORA_OK(append_listing(page.body, listing.files));
    url = page.next.starts_with('/') ? settings.endpoint + page.next : std::move(page.next);
    if (!url.empty() && !url.starts_with(settings.endpoint + "/"))
      return base::fail(ErrorCode::invalid, what + ": the hub's listing goes on at another host");
  }
  return listing;
}

// Files in parts, taken by several threads. No more files are open than there are threads.
class Fetch {
 public:
  Fetch(const Cache& cache, const Repository& repository, const PullSettings& settings, std::string base_url, std::vector<RemoteFile> files,
        const std::stop_token& stop)
      : cache_(cache),
        repository_(repository),
        settings_(settings),
        base_url_(std::move(base_url)),
        waiting_(std::make_move_iterator(files.begin()), std::make_move_iterator(files.end())),
        outer_(stop, [this] { source_.request_stop(); }) {}

  base::Status run(const std::function<void()>& report) {
    running_ = static_cast<std::size_t>(std::clamp(settings_.connections, 1, kMaxConnections));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0, count = running_; i < count; ++i) threads.emplace_back([this] { work(); });
    std::unique_lock lock(mutex_);
    while (running_ > 0) {
      ended_.wait_for(lock, kReportEvery);
      lock.unlock();
      report();
      lock.lock();
    }
    if (failed_) return base::fail(*failed_);
    return {};
  }

  std::uint64_t bytes_done() const { return bytes_done_; }
  std::uint64_t bytes_fetched() const { return bytes_fetched_; }
  std::size_t files_done() const { return files_done_; }

 private:
  struct Piece {
    std::shared_ptr<PartialFile> file;
    PartialFile::Part part;
    bool second;  // the file's hash has differed once
  };

  void work() {
    Http http(settings_.http);
    for (;;) {
      const auto piece = next();
      if (!piece) break;
      if (!*piece) {
        fail_all(piece->error());
        break;
      }
      if (const base::Status done = fetch(http, **piece); !done) {
        fail_all(done.error());
        break;
      }
    }
    const std::lock_guard lock(mutex_);
    if (source_.stop_requested() && !failed_)
      failed_ = base::Error{ErrorCode::canceled, "stopped; `kinora models pull` goes on where it was"};
    --running_;
    ended_.notify_all();
  }

  void fail_all(const base::Error& error) {
    const std::lock_guard lock(mutex_);
    if (!failed_) failed_ = error;
    source_.request_stop();  // the others stop in mid-part; whole parts are kept
  }

  // nullopt: nothing is left for this thread.
  std::optional<base::Result<Piece>> next() {
    const std::lock_guard lock(mutex_);
    while (!source_.stop_requested()) {
      if (!pieces_.empty()) {
        Piece piece = std::move(pieces_.front());
        pieces_.pop_front();
        return piece;
      }
      if (waiting_.empty()) return std::nullopt;
      const RemoteFile file = std::move(waiting_.front());
      waiting_.pop_front();
      if (const auto opened = open(file, false); !opened) return base::fail(opened.error());
    }
    return std::nullopt;
  }

  // With the lock held: its missing parts are queued.
  base::Status open(const RemoteFile& file, bool second) {
    KINORA_TRY(std::shared_ptr<PartialFile> partial, PartialFile::open(cache_.blob(repository_, file), file, kPartBytes));
    const auto missing = partial->missing();
    std::uint64_t left = 0;
    for (const auto& part : missing) left += part.end - part.begin;
    bytes_done_ += file.bytes - left;
    if (missing.empty()) return close(*partial);  // an empty file, or all was there but its name
    for (const auto& part : missing) pieces_.push_back({partial, part, second});
    return {};
  }

  base::Status close(PartialFile& file) {
    KINORA_OK(file.finish());
    ++files_done_;
    return {};
  }

  base::Status fetch(Http& http, const Piece& piece) {
    KINORA_OK(fetch_part(http, *piece.file, piece.part));
    KINORA_TRY(const bool last, piece.file->complete(piece.part));
    if (!last) return {};
    base::Status closed = close(*piece.file);
    if (closed || closed.error().code != ErrorCode::conflict || piece.second) return closed;
    // The hash differed, perhaps because an earlier, interrupted pull left something broken: all of it once more.
    const std::lock_guard lock(mutex_);
    bytes_done_ -= piece.file->file().bytes;
    return open(piece.file->file(), true);
  }

  base::Status fetch_part(Http& http, PartialFile& file, const PartialFile::Part& part) {
    const std::string& path = file.file().path;
    std::uint64_t at = part.begin;
    return with_retries(settings_, source_.get_token(), [&]() -> Attempt {
      const std::uint64_t before = at;
      base::Status written;
      std::uint64_t skip = 0;
      bool first = true;
      const auto answer = http.get(
          base_url_ + escaped(path), Http::Range{at, part.end},
          [&](const HttpAnswer& now, std::span<const char> bytes) {
            if (std::exchange(first, false) && now.status == 200) skip = at;  // a server without ranges sends all from the beginning
            const auto skipped = std::min<std::uint64_t>(skip, bytes.size());
            skip -= skipped;
            bytes = bytes.subspan(skipped);
            bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), part.end - at));
            written = file.write(at, bytes);
            if (!written) return false;
            at += bytes.size();
            bytes_done_ += bytes.size();
            bytes_fetched_ += bytes.size();
            return at < part.end;
          },
          source_.get_token());
      if (!written) return {std::move(written)};
      if (at == part.end) return {};
      if (answer && answer->status / 100 == 2)
        return {base::fail(ErrorCode::unavailable, path + ": the hub sent less than it promised"), true, at > before};
      return failed_attempt(answer, path, at > before);
    });
  }

  const Cache& cache_;
  const Repository& repository_;
  const PullSettings& settings_;
  const std::string base_url_;
  std::stop_source source_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<RemoteFile> waiting_;
  std::deque<Piece> pieces_;
  std::optional<base::Error> failed_;
  std::size_t running_ = 0;
  std::atomic<std::uint64_t> bytes_done_ = 0, bytes_fetched_ = 0;
  std::atomic<std::size_t> files_done_ = 0;
  std::stop_callback<std::function<void()>> outer_;
};

base::Status check_space(const fs::path& folder, std::uint64_t needed) {
  std::error_code error;
  const auto space = fs::space(folder, error);
  if (error || space.available > needed) return {};
  return base::fail(ErrorCode::exhausted, folder.string() + ": " + std::to_string(needed >> 20) + " MiB are needed, " +
                                              std::to_string(space.available >> 20) + " MiB are free; `kinora models rm` makes room");
}

}  // namespace

base::Result<Pulled> pull(const Cache& cache, const Repository& repository, const Selection& selection, const PullSettings& settings,
                          const std::function<void(const PullProgress&)>& report, std::stop_token stop) {
  KINORA_TRY(const Listing listing, list_repository(repository, settings, stop));
  const auto chosen = select(listing.files, selection);
  if (chosen.empty())
    return base::fail(ErrorCode::not_found, repository.id + " holds no file that the patterns choose; `--all` takes every file");
  KINORA_TRY(const auto lock, RepositoryLock::take(cache.folder(repository)));

  PullProgress progress{.files_total = chosen.size()};
  std::uint64_t had = 0, needed = 0;
  std::size_t files_had = 0;
  std::vector<RemoteFile> missing;
  std::set<std::string> seen;
  for (const RemoteFile& file : chosen) {
    const bool twice = !seen.insert(file.blob()).second;  // two paths with the same content are one blob
    if (twice || cache.have(repository, file)) {
      had += file.bytes;
      ++files_had;
    } else {
      missing.push_back(file);
      needed += file.bytes;
    }
  }
  progress.bytes_total = had + needed;
  KINORA_OK(check_space(cache.folder(repository), needed));
  Fetch fetch(cache, repository, settings, settings.endpoint + "/" + escaped(repository.id) + "/resolve/" + listing.commit + "/",
              std::move(missing), stop);
  const auto tell = [&] {
    progress.bytes_done = had + fetch.bytes_done();
    progress.files_done = files_had + fetch.files_done();
    if (report) report(progress);
  };
  KINORA_OK(fetch.run(tell));
  tell();
  KINORA_OK(cache.finish(repository, listing.commit, chosen));
  const auto model = cache.find_snapshot(repository.id, listing.commit);
  if (!model) return base::fail(ErrorCode::internal, repository.id + ": the snapshot is not there");
  return Pulled{.model = *model, .bytes_fetched = fetch.bytes_fetched()};
}

}  // namespace kinora::hub

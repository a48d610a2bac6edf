#include "hub/cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/hub_folder.hpp"

namespace kinora::hub {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

base::Error system_error(const fs::path& path, const std::error_code& error) {
  const bool full = error == std::errc::no_space_on_device;
  return {full ? ErrorCode::exhausted : ErrorCode::io, path.string() + ": " + error.message()};
}

base::Status write_whole(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const fs::path beside = path.string() + ".new";
  std::ofstream out(beside, std::ios::trunc);
  out << text;
  out.close();
  if (!out) return base::fail(ErrorCode::io, beside.string() + ": cannot be written");
  fs::rename(beside, path, error);
  if (error) return base::fail(system_error(path, error));
  return {};
}

LocalModel describe(std::string id, const fs::path& snapshot) {
  LocalModel model{.id = std::move(id), .commit = snapshot.filename().string(), .snapshot = snapshot};
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(snapshot, error)) {
    if (!entry.is_regular_file(error)) continue;  // follows links: a dangling one is none
    model.bytes += entry.file_size(error);
    ++model.files;
  }
  return model;
}

// Of several snapshots the one that is meant (base/hub_folder.hpp).
std::optional<LocalModel> snapshot_of(const fs::path& folder) {
  const auto id = id_of_folder(folder.filename().string());
  const auto found = base::find_hub_snapshot(folder);
  return id && found ? std::optional(describe(*id, found->path)) : std::nullopt;
}

base::Status link_file(const fs::path& snapshot, const RemoteFile& file) {
  const fs::path link = snapshot / file.path;
  std::error_code error;
  fs::create_directories(link.parent_path(), error);
  if (error) return base::fail(system_error(link.parent_path(), error));
  fs::path up = "../..";
  for (auto part = fs::path(file.path).parent_path(); !part.empty(); part = part.parent_path()) up /= "..";
  fs::remove(link, error);
  fs::create_symlink(up / "blobs" / file.blob(), link, error);
  if (error) return base::fail(system_error(link, error));
  return {};
}

}  // namespace

std::vector<LocalModel> Cache::list() const {
  std::vector<LocalModel> models;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error))
    if (auto model = snapshot_of(entry.path())) models.push_back(*std::move(model));
  std::ranges::sort(models, {}, &LocalModel::id);
  return models;
}

std::optional<LocalModel> Cache::find(const std::string& id) const { return snapshot_of(root_ / Repository{.id = id}.folder()); }

std::optional<LocalModel> Cache::find_snapshot(const std::string& id, const std::string& commit) const {
  const fs::path snapshot = root_ / Repository{.id = id}.folder() / "snapshots" / commit;
  std::error_code error;
  if (!safe_path(commit) || !fs::is_directory(snapshot, error)) return std::nullopt;
  return describe(id, snapshot);
}

base::Result<std::uint64_t> Cache::remove(const std::string& id) const {
  const fs::path folder = root_ / Repository{.id = id}.folder();
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return base::fail(ErrorCode::not_found, id + " was not pulled to this machine; `kinora models list` shows what is there (what was put "
                                                 "into a folder of models is removed by hand)");
  KINORA_TRY(const auto lock, RepositoryLock::take(folder));
  std::uint64_t freed = 0;
  for (const auto& blob : fs::directory_iterator(folder / "blobs", error))
    if (blob.is_regular_file(error) && blob.hard_link_count(error) == 1) freed += blob.file_size(error);
  fs::remove_all(folder, error);
  if (error) return base::fail(system_error(folder, error));
  return freed;
}

fs::path Cache::blob(const Repository& repository, const RemoteFile& file) const { return folder(repository) / "blobs" / file.blob(); }

bool Cache::have(const Repository& repository, const RemoteFile& file) const {
  const fs::path path = blob(repository, file);
  std::error_code error;
  if (fs::is_regular_file(path, error) && fs::file_size(path, error) == file.bytes) return true;
  if (file.sha256.empty()) return false;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    const fs::path other = entry.path() / "blobs" / file.sha256;
    if (!fs::is_regular_file(other, error) || fs::file_size(other, error) != file.bytes) continue;
    fs::create_directories(path.parent_path(), error);
    fs::remove(path, error);
    fs::create_hard_link(other, path, error);
    if (!error) return true;
  }
  return false;
}

base::Result<fs::path> Cache::finish(const Repository& repository, const std::string& commit, const std::vector<RemoteFile>& files) const {
  const fs::path snapshots = folder(repository) / "snapshots";
  fs::path snapshot = snapshots / commit;
  std::error_code error;
  // A snapshot of this commit stays in use while files are added; a new one is built beside and renamed.
  const bool there = fs::is_directory(snapshot, error);
  const fs::path building = there ? snapshot : snapshots / ("." + commit);
  if (!there) fs::remove_all(building, error);
  for (const RemoteFile& file : files) KINORA_OK(link_file(building, file));
  if (!there) fs::rename(building, snapshot, error);
  if (error) return base::fail(system_error(snapshot, error));
  if (repository.revision != commit) KINORA_OK(write_whole(folder(repository) / "refs" / repository.revision, commit));
  return snapshot;
}

base::Result<RepositoryLock> RepositoryLock::take(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path path = folder / ".lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return base::fail(ErrorCode::io, path.string() + ": " + std::strerror(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return base::fail(ErrorCode::conflict, folder.filename().string() + " is being changed by another process; try again when it is done");
  }
  return RepositoryLock(descriptor);
}

RepositoryLock::~RepositoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace kinora::hub

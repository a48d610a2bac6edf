#include "worker/work_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>

namespace kinora::worker {
namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

base::Result<WorkFolder> WorkFolder::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(ErrorCode::io, "cannot make the work folder " + folder.string() + ": " + error.message());
  const fs::path root = fs::canonical(folder, error);
  if (error) return fail(ErrorCode::io, "cannot use the work folder " + folder.string() + ": " + error.message());
  // Media of strangers: nobody else on the machine needs to read it.
  fs::permissions(root, fs::perms::owner_all, error);

  proc::Descriptor lock(::open((root / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return fail(ErrorCode::io, "cannot open the lock in " + root.string() + ": " + std::generic_category().message(errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::conflict, "another worker uses the work folder " + root.string());
  }
  for (const char* part : {"attempts", "cache"}) {
    fs::remove_all(root / part, error);
    if (!error) fs::create_directory(root / part, error);
    if (error) return fail(ErrorCode::io, "cannot empty " + (root / part).string() + ": " + error.message());
  }
  return WorkFolder(root, std::move(lock));
}

base::Status WorkFolder::make_attempt(std::string_view id) const {
  const fs::path folder = attempt(id);
  std::error_code error;
  fs::remove_all(folder, error);
  for (const char* part : {"in", "out"}) {
    if (!error) fs::create_directories(folder / part, error);
  }
  if (error) return fail(ErrorCode::io, "cannot make a folder for the attempt: " + error.message());
  return {};
}

void WorkFolder::remove_attempt(std::string_view id) const {
  std::error_code ignored;  // what cannot be removed now is removed at the next start
  fs::remove_all(attempt(id), ignored);
}

}  // namespace kinora::worker

#pragma once
// Models on this machine in the layout of a Hugging Face hub cache, so that folders downloaded by other tools are used as they are and
// ours are used by them:
//
//   <root>/models--ORG--NAME/blobs/<SHA-256 or git SHA-1>      content
//                           /snapshots/<commit>/unet/config.json -> ../../../blobs/...
//                           /refs/main                         the commit that a branch stood at
//
// A blob of equal SHA-256 in another repository is hard-linked, not fetched again. Files appear complete or not at all: what is being
// fetched is blobs/<hash>.incomplete, and a snapshot's folder gets its name when all its files are there. Several processes may use
// one root; two pulls of the same repository exclude each other by a lock. Blocking; any thread.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hub/repository.hpp"

namespace kinora::hub {

struct LocalModel {
  std::string id;                  // "stabilityai/sdxl-turbo"
  std::string commit;              // of the snapshot
  std::filesystem::path snapshot;  // folder of the model's files
  std::uint64_t bytes = 0;         // of the snapshot's files
  std::size_t files = 0;
};

class Cache {
 public:
  explicit Cache(std::filesystem::path root) : root_(std::move(root)) {}

  // Every repository with a snapshot, by id; of several snapshots the one that refs/main names, else the newest.
  std::vector<LocalModel> list() const;
  std::optional<LocalModel> find(const std::string& id) const;
  std::optional<LocalModel> find_snapshot(const std::string& id, const std::string& commit) const;
  // Deletes the repository's folder. Answers the bytes that became free (blobs shared with another repository do not).
  base::Result<std::uint64_t> remove(const std::string& id) const;

  std::filesystem::path folder(const Repository& repository) const { return root_ / repository.folder(); }
  std::filesystem::path blob(const Repository& repository, const RemoteFile& file) const;
  // Whether the content is there; a blob of the same SHA-256 in another repository of this root is linked.
  bool have(const Repository& repository, const RemoteFile& file) const;
  // Makes snapshots/<commit> with links for these files (added to those of an earlier pull of the same commit) and points refs/<revision>
  // to it.
  base::Result<std::filesystem::path> finish(const Repository& repository, const std::string& commit,
                                             const std::vector<RemoteFile>& files) const;

 private:
  std::filesystem::path root_;
};

// Held while a repository is being changed; conflict when another process does.
class RepositoryLock {
 public:
  static base::Result<RepositoryLock> take(const std::filesystem::path& folder);
  RepositoryLock(RepositoryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RepositoryLock& operator=(RepositoryLock&&) = delete;
  ~RepositoryLock();

 private:
  explicit RepositoryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace kinora::hub

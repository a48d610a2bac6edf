#include "hub/partial_file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/bytes.hpp"

namespace kinora::hub {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

base::Status system_failure(const fs::path& path) {
  return base::fail(errno == ENOSPC || errno == EDQUOT ? ErrorCode::exhausted : ErrorCode::io, path.string() + ": " + std::strerror(errno));
}

}  // namespace

base::Result<std::unique_ptr<PartialFile>> PartialFile::open(fs::path path, RemoteFile file, std::uint64_t part_bytes) {
  std::unique_ptr<PartialFile> made(new PartialFile(std::move(path), std::move(file), part_bytes));
  std::error_code error;
  fs::create_directories(made->path_.parent_path(), error);
  // The record counts only for a file of the right size: it may be the rest of another version of the program.
  const bool resumed = fs::file_size(made->incomplete(), error) == made->file_.bytes && !error;
  if (resumed) {
    std::ifstream in(made->record());
    std::string line, head = "parts of " + std::to_string(part_bytes);
    if (std::getline(in, line) && line == head)
      for (std::size_t index = 0; in >> index;)
        if (index < made->parts()) made->whole_.insert(index);
  }
  made->descriptor_ = ::open(made->incomplete().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (made->descriptor_ < 0 || ::ftruncate(made->descriptor_, static_cast<off_t>(made->file_.bytes)) != 0)
    return base::fail(system_failure(made->incomplete()).error());
  made->record_ = ::open(made->record().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (made->whole_.empty() ? O_TRUNC : 0), 0644);
  if (made->record_ < 0) return base::fail(system_failure(made->record()).error());
  if (made->whole_.empty()) {
    const std::string head = "parts of " + std::to_string(part_bytes) + "\n";
    if (::write(made->record_, head.data(), head.size()) != static_cast<ssize_t>(head.size()))
      return base::fail(system_failure(made->record()).error());
  }
  return made;
}

PartialFile::~PartialFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (record_ >= 0) ::close(record_);
}

std::vector<PartialFile::Part> PartialFile::missing() const {
  const std::lock_guard lock(mutex_);
  std::vector<Part> missing;
  for (std::size_t index = 0; index < parts(); ++index)
    if (!whole_.contains(index)) missing.push_back({index, index * part_bytes_, std::min(file_.bytes, (index + 1) * part_bytes_)});
  return missing;
}

base::Status PartialFile::write(std::uint64_t offset, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_failure(incomplete());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

base::Result<bool> PartialFile::complete(const Part& part) {
  const std::lock_guard lock(mutex_);
  const std::string line = std::to_string(part.index) + "\n";
  if (::write(record_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return base::fail(system_failure(record()).error());
  whole_.insert(part.index);
  return whole_.size() == parts();
}

base::Result<std::string> PartialFile::hash() const {
  const bool lfs = !file_.sha256.empty();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), lfs ? EVP_sha256() : EVP_sha1(), nullptr);
  if (!lfs) {  // git hashes its objects with a head
    const std::string head = "blob " + std::to_string(file_.bytes);
    EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1);
  }
  std::vector<char> buffer(1 << 20);
  for (std::uint64_t offset = 0; offset < file_.bytes;) {
    const auto got = ::pread(descriptor_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return base::fail(system_failure(incomplete()).error());
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  return base::to_hex({digest, length});
}

base::Status PartialFile::finish() {
  KINORA_TRY(const std::string found, hash());
  std::error_code error;
  if (found != file_.blob()) {
    fs::remove(incomplete(), error);
    fs::remove(record(), error);
    return base::fail(ErrorCode::conflict,
                      file_.path + ": the bytes that came have the hash " + found + ", the hub promised " + file_.blob());
  }
  if (::fsync(descriptor_) != 0) return system_failure(incomplete());
  fs::rename(incomplete(), path_, error);
  if (error) return base::fail(ErrorCode::io, path_.string() + ": " + error.message());
  fs::remove(record(), error);
  return {};
}

}  // namespace kinora::hub

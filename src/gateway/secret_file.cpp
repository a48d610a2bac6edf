#include "gateway/secret_file.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace kinora::gateway {
namespace {

base::Result<base::Bytes> read_secret(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  if (!(in >> text)) return base::fail(base::ErrorCode::io, "cannot read " + file.string());
  auto bytes = base::from_hex(text);
  if (!bytes || bytes->size() != kSecretBytes)
    return base::fail(base::ErrorCode::invalid,
                      file.string() + " is damaged; delete it to get a new one (signed URLs given out before stop working)");
  return bytes;
}

bool write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

base::Result<base::Bytes> load_or_create_secret(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) return read_secret(file);
  base::Bytes secret(kSecretBytes);
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
    return base::fail(base::ErrorCode::internal, "the operating system gives no random bytes");
  // Written beside and renamed: a crash leaves no half of a secret.
  const auto temporary = file.string() + ".new";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return base::fail(base::ErrorCode::io, "cannot write " + temporary + ": " + std::strerror(errno));
  const bool written = write_whole(descriptor, base::to_hex(secret) + "\n");
  const bool closed = ::close(descriptor) == 0;
  if (!written || !closed || std::rename(temporary.c_str(), file.c_str()) != 0)
    return base::fail(base::ErrorCode::io, "cannot write " + file.string() + ": " + std::strerror(errno));
  return secret;
}

}  // namespace kinora::gateway

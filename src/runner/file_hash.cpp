#include "runner/file_hash.hpp"

#include <fstream>
#include <vector>

#include "base/bytes.hpp"

namespace kinora::runner {

base::Result<std::string> file_sha256(const std::filesystem::path& file, const std::stop_token& stop) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  base::Sha256 hash;
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "stopped");
    hash.update(base::as_bytes(std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount()))));
  }
  if (!in.eof()) return base::fail(base::ErrorCode::io, "cannot read " + file.string());
  return base::to_hex(hash.finish());
}

}  // namespace kinora::runner

#include "runner/weights_digest.hpp"

#include <algorithm>
#include <fstream>

#include "base/bytes.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

// A hub cache names large files by their SHA-256.
bool names_its_hash(const fs::path& file) {
  const std::string name = file.filename().string();
  return file.parent_path().filename() == "blobs" && name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

base::Result<std::string> read_hash(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  base::Sha256 hash;
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0)
    hash.update(base::as_bytes(std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount()))));
  if (!in.eof()) return base::fail(base::ErrorCode::io, "cannot read " + file.string());
  return base::to_hex(hash.finish());
}

}  // namespace

std::vector<fs::path> weight_files(const ModelEntry& model) {
  std::error_code error;
  std::vector<fs::path> files;
  if (!fs::is_directory(model.path, error)) {
    files.push_back(model.path);
    for (const auto& companion : model.parts.companions) {
      const auto own = fs::is_directory(companion, error) ? component_weights(companion) : std::vector{companion};
      files.insert(files.end(), own.begin(), own.end());
    }
    return files;
  }
  for (const auto& component : fs::directory_iterator(model.path, error)) {
    if (!component.is_directory(error)) continue;
    const bool replaced = model.parts.unet && component.path().filename() == "unet";
    const auto own = replaced ? std::vector{*model.parts.unet} : component_weights(component.path());
    files.insert(files.end(), own.begin(), own.end());
  }
  std::sort(files.begin(), files.end());
  return files;
}

base::Result<std::string> WeightsDigests::hash_of(const fs::path& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  if (names_its_hash(real)) return real.filename().string();
  const auto bytes = fs::file_size(file, error);
  const auto written = fs::last_write_time(file, error);
  if (error) return base::fail(base::ErrorCode::io, "cannot read " + file.string());
  const std::scoped_lock lock(mutex_);
  auto& known = known_[real];
  if (known.hash.empty() || known.bytes != bytes || known.written != written) {
    KINORA_TRY(auto hash, read_hash(file));
    known = {.bytes = bytes, .written = written, .hash = std::move(hash)};
  }
  return known.hash;
}

base::Result<std::string> WeightsDigests::of(const ModelEntry& model) {
  std::string lines;
  for (const auto& file : weight_files(model)) {
    KINORA_TRY(const auto hash, hash_of(file));
    std::error_code error;
    const auto path = fs::is_directory(model.path, error) ? file.lexically_relative(model.path) : file.filename();
    lines += hash + "  " + path.generic_string() + "\n";
  }
  return "sha256:" + base::to_hex(base::sha256(base::as_bytes(lines)));
}

}  // namespace kinora::runner

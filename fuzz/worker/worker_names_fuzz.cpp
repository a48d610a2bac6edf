// Names and texts that strangers chose: whatever comes, an output stays inside its folder and an extension is harmless.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "worker/names.hpp"

namespace fs = std::filesystem;

namespace {

// A folder with a file, a folder below, and a link out of it.
const fs::path& folder() {
  static const fs::path made = [] {
    const fs::path root = fs::temp_directory_path() / ("kinora-names-fuzz-" + std::to_string(::getpid()));
    fs::create_directories(root / "out/sub");
    std::ofstream(root / "out/a") << "x";
    std::ofstream(root / "out/sub/b") << "x";
    std::ofstream(root / "secret") << "x";
    std::error_code exists;
    fs::create_symlink(root / "secret", root / "out/link", exists);
    std::atexit([] { fs::remove_all(fs::temp_directory_path() / ("kinora-names-fuzz-" + std::to_string(::getpid()))); });
    return fs::canonical(root / "out");
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string extension = kinora::worker::safe_extension(text);
  if (!extension.empty() && (extension.size() > kinora::worker::kMaxExtensionBytes + 1 ||
                             extension.find_first_not_of(".abcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos)) {
    std::abort();
  }
  if (const auto path = kinora::worker::output_path(folder(), text)) {
    const fs::path real = fs::canonical(*path);
    if (real != folder() / "a" && real != folder() / "sub/b") std::abort();
  }
  if (kinora::worker::redacted(text, "/srv/kinora").find("/srv/kinora") != std::string::npos) std::abort();
  return 0;
}

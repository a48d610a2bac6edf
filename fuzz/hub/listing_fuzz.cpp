// A hub's listing and Link header from a stranger: every path that comes through is safe to use below a folder.
#include <cstdint>
#include <cstdlib>

#include "hub/repository.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::hub;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<RemoteFile> files;
  if (append_listing(text, files))
    for (const RemoteFile& file : files)
      if (!safe_path(file.path) || !safe_path(file.blob())) std::abort();
  (void)next_page(text);
  if (const auto repository = Repository::parse(text); repository && *id_of_folder(repository->folder()) != repository->id) std::abort();
  return 0;
}

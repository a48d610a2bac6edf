// Names and headers of content requests: files of attempts, file names for Content-Disposition, playlists, entity tags.
#include <cstdlib>

#include "gateway/content_headers.hpp"
#include "gateway/verdict.hpp"
#include "tasks/order.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (tasks::is_file_name(text) && (text.find("..") != std::string_view::npos || text.starts_with('/'))) std::abort();
  const std::string name = gateway::safe_filename(text);
  if (name.empty() || name.size() > 200 || name.find('/') != std::string::npos || name.find('\n') != std::string::npos) std::abort();
  const std::string disposition = gateway::content_disposition("attachment", text);
  for (const char c : disposition)
    if (c < 0x20 || c == 0x7f) std::abort();
  (void)gateway::etag_listed(text, "\"a\"");
  (void)gateway::playlist_names("hls/master.m3u8", text);
  return 0;
}

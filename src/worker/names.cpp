#include "worker/names.hpp"

#include <algorithm>

#include "tasks/order.hpp"

namespace kinora::worker {
namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

std::string safe_extension(std::string_view file_name) {
  const auto dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view extension = file_name.substr(dot + 1);
  if (extension.empty() || extension.size() > kMaxExtensionBytes) return {};
  std::string out = ".";
  for (const char c : extension) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else {
      return {};
    }
  }
  return out;
}

base::Result<fs::path> output_path(const fs::path& folder, std::string_view name) {
  if (!tasks::is_file_name(name)) return fail(ErrorCode::invalid, "an output has a name that is not allowed");
  fs::path path = folder;
  for (const fs::path& part : fs::path(name)) {
    path /= part;
    std::error_code error;
    const auto status = fs::symlink_status(path, error);
    if (status.type() == fs::file_type::not_found)
      return fail(ErrorCode::not_found, "the output " + std::string(name) + " was not written");
    if (error) return fail(ErrorCode::io, "cannot look at the output " + std::string(name) + ": " + error.message());
    if (status.type() != fs::file_type::directory && status.type() != fs::file_type::regular) {
      return fail(ErrorCode::invalid, "the output " + std::string(name) + " is no regular file");
    }
  }
  if (fs::is_directory(path)) return fail(ErrorCode::invalid, "the output " + std::string(name) + " is a folder");
  return path;
}

std::string redacted(std::string_view text, const fs::path& folder) {
  const std::string secret = folder.string();
  std::string out;
  while (!secret.empty()) {
    const auto at = text.find(secret);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += "…";
    text.remove_prefix(at + secret.size());
    text.remove_prefix(std::min(text.size(), text.find_first_of(" \t\n\"'")));
  }
  out += text;
  return out;
}

}  // namespace kinora::worker

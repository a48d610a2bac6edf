#include "hub/repository.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace kinora::hub {
namespace {

constexpr std::size_t kMaxIdBytes = 96;
constexpr std::size_t kMaxRevisionBytes = 200;

bool name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool usable_id(std::string_view id) {
  const auto slash = id.find('/');
  const auto usable_name = [](std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, name_character) && name.front() != '.' && name.front() != '-' && name.back() != '.' &&
           name.back() != '-' && name.find("..") == std::string_view::npos && name.find("--") == std::string_view::npos;
  };
  if (id.size() > kMaxIdBytes) return false;
  return slash == std::string_view::npos ? usable_name(id) : usable_name(id.substr(0, slash)) && usable_name(id.substr(slash + 1));
}

bool usable_revision(std::string_view revision) {
  return !revision.empty() && revision.size() <= kMaxRevisionBytes && safe_path(revision) &&
         std::ranges::all_of(revision, [](char c) { return name_character(c) || c == '/'; });
}

bool hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view text_member(const base::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

base::Result<RemoteFile> read_file(const base::json::object& entry) {
  RemoteFile file;
  file.path = text_member(entry, "path");
  if (!safe_path(file.path))
    return base::fail(base::ErrorCode::invalid, "the hub lists a file with the unsafe path \"" + file.path.substr(0, 200) + "\"");
  const auto within = [&](std::string_view reason) { return base::fail(base::ErrorCode::invalid, file.path + ": " + std::string(reason)); };
  const auto* size = entry.if_contains("size");
  if (size == nullptr || !size->is_int64() || size->get_int64() < 0) return within("the hub does not tell its size");
  file.bytes = static_cast<std::uint64_t>(size->get_int64());
  file.git_sha1 = text_member(entry, "oid");
  if (const auto* lfs = entry.if_contains("lfs"); lfs != nullptr && lfs->is_object()) {
    file.sha256 = text_member(lfs->get_object(), "oid");
    if (file.sha256.starts_with("sha256:")) file.sha256.erase(0, 7);
    if (!hex(file.sha256, 64)) return within("its SHA-256 is not 64 hex digits");
  }
  if (!hex(file.git_sha1, 40) && file.sha256.empty()) return within("its object id is not 40 hex digits");
  return file;
}

}  // namespace

bool safe_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathBytes || path.find('\\') != std::string_view::npos) return false;
  if (std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
    begin = end + 1;
  }
  return true;
}

base::Result<Repository> Repository::parse(std::string_view text) {
  Repository repository;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto path = text.find('/', scheme + 3);
    text = path == std::string_view::npos ? std::string_view() : text.substr(path + 1);
  }
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    repository.revision = text.substr(at + 1);
    text = text.substr(0, at);
    if (!usable_revision(repository.revision))
      return base::fail(base::ErrorCode::invalid, "the revision after @ must be a branch, a tag or a commit, such as main");
  }
  repository.id = text;
  if (!usable_id(repository.id))
    return base::fail(base::ErrorCode::invalid,
                      "\"" + std::string(text.substr(0, 100)) + "\" is no repository; write OWNER/NAME, such as stabilityai/sdxl-turbo");
  return repository;
}

std::string Repository::folder() const {
  std::string name = "models--" + id;
  if (const auto slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  return name;
}

base::Result<std::string> id_of_folder(std::string_view folder) {
  constexpr std::string_view kPrefix = "models--";
  std::string id(folder.starts_with(kPrefix) ? folder.substr(kPrefix.size()) : std::string_view());
  if (const auto dashes = id.find("--"); dashes != std::string::npos) id.replace(dashes, 2, "/");
  if (!usable_id(id)) return base::fail(base::ErrorCode::invalid, std::string(folder) + " is no folder of a model repository");
  return id;
}

base::Status append_listing(std::string_view body, std::vector<RemoteFile>& files) {
  auto parsed = base::parse_json(body, {.bytes = kMaxListingBytes, .depth = 16});
  if (!parsed) return base::fail(parsed.error().within("the hub's listing"));
  if (!parsed->is_array()) return base::fail(base::ErrorCode::invalid, "the hub's listing is not a list");
  for (const auto& entry : parsed->get_array()) {
    if (!entry.is_object()) return base::fail(base::ErrorCode::invalid, "the hub's listing holds something that is no file");
    if (text_member(entry.get_object(), "type") != "file") continue;
    if (files.size() >= kMaxFiles)
      return base::fail(base::ErrorCode::too_large, "the repository has more than " + std::to_string(kMaxFiles) + " files");
    KINORA_TRY(auto file, read_file(entry.get_object()));
    files.push_back(std::move(file));
  }
  return {};
}

std::string next_page(std::string_view link_header) {
  while (!link_header.empty()) {
    const auto open = link_header.find('<');
    const auto close = link_header.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    const auto end = std::min(link_header.find(',', close), link_header.size());
    const auto parameters = link_header.substr(close + 1, end - close - 1);
    if (parameters.find("rel=\"next\"") != std::string_view::npos || parameters.find("rel=next") != std::string_view::npos)
      return std::string(link_header.substr(open + 1, close - open - 1));
    link_header.remove_prefix(std::min(end + 1, link_header.size()));
  }
  return {};
}

}  // namespace kinora::hub

#include "kinora/home.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/json.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

base::Status make_private_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return base::fail(ErrorCode::io, "cannot make " + folder.string() + ": " + error.message());
  fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

std::optional<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

// Whole or not at all: written beside, then renamed.
base::Status write_private_file(const fs::path& file, std::string_view text) {
  KINORA_OK(make_private_folder(file.parent_path()));
  const fs::path beside = file.string() + ".new";
  const int handle = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (handle < 0) return base::fail(ErrorCode::io, "cannot write " + beside.string() + ": " + std::strerror(errno));
  const bool written = ::write(handle, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(handle) == 0;
  ::close(handle);
  if (!written || std::rename(beside.c_str(), file.c_str()) != 0)
    return base::fail(ErrorCode::io, "cannot write " + file.string() + ": " + std::strerror(errno));
  return {};
}

}  // namespace

base::Result<Home> Home::open() {
  const char* chosen = std::getenv("KINORA_HOME");
  const char* user = std::getenv("HOME");
  fs::path root;
  if (chosen != nullptr && *chosen != '\0')
    root = chosen;
  else if (user != nullptr && *user != '\0')
    root = fs::path(user) / ".kinora";
  else
    return base::fail(ErrorCode::invalid, "neither KINORA_HOME nor HOME is set");
  root = fs::absolute(root);
  KINORA_OK(make_private_folder(root));
  return Home(root);
}

base::Result<std::optional<std::string>> Home::secret(std::string_view name) const {
  const fs::path file = root_ / "secrets" / name;
  if (!fs::exists(file)) return std::nullopt;
  auto text = read_file(file);
  if (!text) return base::fail(ErrorCode::io, "cannot read " + file.string());
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return text;
}

base::Status Home::keep_secret(std::string_view name, std::string_view text) const {
  return write_private_file(root_ / "secrets" / name, std::string(text) + "\n");
}

base::Result<std::string> Home::secret_or_new(std::string_view name) const {
  KINORA_TRY(const std::optional<std::string> found, secret(name));
  if (found) return *found;
  base::Digest random;
  KINORA_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1);
  std::string made = base::to_hex(random);
  KINORA_OK(keep_secret(name, made));
  return made;
}

namespace {

std::optional<RunningNode> read_entry(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return std::nullopt;
  const auto value = base::parse_json(*text);
  if (!value || !value->is_object()) return std::nullopt;
  base::FieldErrors errors;
  base::ObjectReader in(*value, "", errors);
  RunningNode node;
  node.api = in.string("api").value_or("");
  node.pin = in.string("pin").value_or("");
  node.pid = static_cast<int>(in.integer("pid", 1, 1 << 30).value_or(0));
  if (const auto* roles = in.array("roles"))
    for (const auto& role : *roles)
      if (role.is_string()) node.roles.emplace_back(role.get_string());
  if (const auto* devices = in.array("devices")) node.devices = *devices;
  if (!errors.empty() || node.pid == 0) return std::nullopt;
  // EPERM: it lives, as another user.
  if (::kill(node.pid, 0) != 0 && errno != EPERM) return std::nullopt;
  return node;
}

fs::path entry_file(const fs::path& root) { return root / "run" / (std::to_string(::getpid()) + ".json"); }

}  // namespace

std::optional<RunningNode> Home::running_node() const {
  std::optional<RunningNode> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ / "run", error)) {
    if (entry.path().extension() != ".json") continue;
    const auto node = read_entry(entry.path());
    if (!node) {
      fs::remove(entry.path(), error);  // of a process that is gone
      continue;
    }
    if (!all) all.emplace();
    if (all->pid == 0 || !node->api.empty()) {
      all->pid = node->pid;
      all->api = node->api;
      all->pin = node->pin;
    }
    all->roles.insert(all->roles.end(), node->roles.begin(), node->roles.end());
    all->devices.insert(all->devices.end(), node->devices.begin(), node->devices.end());
  }
  return all;
}

base::Status Home::announce(const RunningNode& node) const {
  const base::json::object body{
      {"api", node.api}, {"pin", node.pin}, {"pid", ::getpid()}, {"roles", base::json::value_from(node.roles)}, {"devices", node.devices}};
  return write_private_file(entry_file(root_), base::json::serialize(body) + "\n");
}

void Home::withdraw() const {
  std::error_code ignored;
  fs::remove(entry_file(root_), ignored);
}

base::Status Home::lock(std::string_view role) const {
  KINORA_OK(make_private_folder(root_ / "run"));
  const fs::path file = root_ / "run" / (std::string(role) + ".lock");
  const int handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (handle < 0) return base::fail(ErrorCode::io, "cannot open " + file.string() + ": " + std::strerror(errno));
  // A child that a killed process was just starting holds its lock until exec: a moment's patience.
  constexpr std::chrono::milliseconds kPause{20}, kPatience{1000};
  bool taken = ::flock(handle, LOCK_EX | LOCK_NB) == 0;
  for (auto waited = kPause; !taken && waited < kPatience; waited += kPause) {
    std::this_thread::sleep_for(kPause);
    taken = ::flock(handle, LOCK_EX | LOCK_NB) == 0;
  }
  if (!taken) {
    ::close(handle);
    return base::fail(ErrorCode::conflict, "a " + std::string(role) + " runs already in " + root_.string() +
                                               " (see `kinora status`); set KINORA_HOME for another one");
  }
  return {};  // the lock lives as long as the handle, that is the process
}

}  // namespace kinora::cli

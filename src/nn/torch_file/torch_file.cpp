#include "nn/torch_file/torch_file.hpp"

#include <algorithm>
#include <array>

#include "nn/byte_reader.hpp"
#include "nn/torch_file/unpickler.hpp"
#include "nn/torch_file/zip_directory.hpp"

namespace kinora::nn::torch_file {
namespace {

using Bytes = std::span<const std::byte>;

// 0x1950a86a20f9469cfc6c, the first pickle of a legacy file (torch/serialization.py, MAGIC_NUMBER).
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t kLegacyProtocol = 1001;
constexpr std::byte kProtocolOpcode{0x80};
constexpr std::string_view kPickleName = "data.pkl";

const ZipEntry* find(const ZipDirectory& directory, const std::string& name) {
  const auto found = directory.find(name);
  return found == directory.end() ? nullptr : &found->second;
}

// All entries lie in one folder, named after the file when it was written.
std::string find_root(const ZipDirectory& directory, std::string_view file_name) {
  for (const auto& [name, entry] : directory) {
    if (name != kPickleName && !name.ends_with("/data.pkl")) continue;
    const std::string root = name.substr(0, name.size() - kPickleName.size());
    if (directory.contains(root + "constants.pkl"))
      throw LoadError(file_name, "", "is a TorchScript program, not a file of weights; use the model's safetensors or .pth file");
    return root;
  }
  throw LoadError(file_name, "", "is a zip archive that torch.save did not write: it has no data.pkl");
}

std::vector<TensorRecord> read_zip(Bytes file, std::string_view file_name) {
  const ZipDirectory directory = read_zip_directory(file, file_name);
  const std::string root = find_root(directory, file_name);
  if (const auto* order = find(directory, root + "byteorder")) {
    const auto text = checked_contents(file, *order, file_name, "byteorder");
    if (text.empty() || text.front() != std::byte{'l'}) throw LoadError(file_name, "byteorder", "only little-endian files are read");
  }
  const auto& pickled = directory.at(root + std::string(kPickleName));
  if (pickled.bytes > kMaxPickleBytes) throw LoadError(file_name, kPickleName, "larger than the limit of 64 MiB");
  const Pickle pickle = unpickle(checked_contents(file, pickled, file_name, kPickleName), file_name, kPickleName);
  Storages storages;
  for (const auto& [key, storage] : mentioned_storages(pickle, file_name)) {
    const auto* entry = find(directory, root + "data/" + std::string(key));
    if (entry == nullptr) continue;  // refused by the name of the tensor that needs it
    if (entry->bytes < bytes_of(storage, file_name))
      throw LoadError(file_name, "data/" + std::string(key), "is shorter than the storage that it holds");
    storages.emplace(key, Extent{entry->begin, bytes_of(storage, file_name)});
  }
  return state_dict(pickle, storages, file_name);
}

// The legacy stream: pickles of magic, protocol, system, the value, the storages' keys; then each storage as an int64 count and its bytes.
std::vector<TensorRecord> read_legacy(Bytes file, std::string_view file_name) {
  std::size_t position = 0;
  const auto next = [&](std::string_view what) {
    Pickle pickle = unpickle(file.subspan(position), file_name, what);
    position += pickle.bytes;
    return pickle;
  };
  next("magic number");
  const Pickle version = next("protocol");
  if (const auto* number = version.get<std::int64_t>(version.root); number == nullptr || *number != kLegacyProtocol)
    throw LoadError(file_name, "protocol", "is not 1001");
  const Pickle system = next("system");
  const auto* members = system.get<Dict>(system.root);
  const auto* little = members == nullptr ? nullptr : system.find(*members, "little_endian");
  if (little == nullptr || std::get_if<bool>(little) == nullptr || !std::get<bool>(*little))
    throw LoadError(file_name, "system", "only little-endian files are read");
  const Pickle pickle = next("pickle");
  const Pickle keys = next("storage keys");
  const auto* list = keys.get<Sequence>(keys.root);
  if (list == nullptr) throw LoadError(file_name, "storage keys", "must be a list");
  const auto known = mentioned_storages(pickle, file_name);
  Storages storages;
  ByteReader reader(file, file_name, "storages", position);
  for (const Ref item : list->items) {
    const auto* key = keys.get<Text>(item);
    const auto storage = key == nullptr ? known.end() : known.find(key->utf8);
    if (storage == known.end()) reader.refuse("a storage that no tensor mentions");
    if (reader.read<std::uint64_t>() != storage->second.count) reader.refuse("a storage of another size than its tensors say");
    const std::uint64_t begin = reader.position(), bytes = bytes_of(storage->second, file_name);
    reader.take(bytes);
    storages.insert_or_assign(storage->first, Extent{begin, bytes});
  }
  return state_dict(pickle, storages, file_name);
}

bool is_legacy(Bytes file) {
  if (file.size() < 16 || file[0] != kProtocolOpcode) return false;
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 32));
  return head.find(kLegacyMagic) != std::string_view::npos;
}

}  // namespace

bool is_torch_file(Bytes file) { return is_zip(file) || is_legacy(file); }

std::vector<TensorRecord> read_torch_file(Bytes file, std::string_view file_name) {
  if (is_zip(file)) return read_zip(file, file_name);
  if (is_legacy(file)) return read_legacy(file, file_name);
  throw LoadError(file_name, "", "is no file that torch.save writes: neither a zip archive nor the legacy form");
}

}  // namespace kinora::nn::torch_file

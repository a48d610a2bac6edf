#include "nn/torch_file/state_dict.hpp"

#include <algorithm>
#include <array>

#include "nn/load_error.hpp"

namespace kinora::nn::torch_file {
namespace {

constexpr std::array<std::string_view, 6> kWrappers{"params_ema", "params", "state_dict", "model_state_dict", "model", "module"};
constexpr int kMaxWrappers = 4;  // one in another
constexpr std::string_view kParallel = "module.";

bool holds_tensors(const Pickle& pickle, const Dict& dict) {
  return std::any_of(dict.items.begin(), dict.items.end(),
                     [&](const auto& item) { return pickle.get<PickledTensor>(item.second) != nullptr; });
}

const Dict* wrapped(const Pickle& pickle, const Dict& dict) {
  for (const auto name : kWrappers)
    if (const Value* value = pickle.find(dict, name))
      if (const auto* inner = std::get_if<Dict>(value)) return inner;
  if (holds_tensors(pickle, dict)) return nullptr;
  const Dict* only = nullptr;
  for (const auto& [key, value] : dict.items) {
    const auto* inner = pickle.get<Dict>(value);
    if (inner == nullptr || !holds_tensors(pickle, *inner)) continue;
    if (only != nullptr) return nullptr;
    only = inner;
  }
  return only;
}

const Dict& find_state_dict(const Pickle& pickle, std::string_view file) {
  const auto* dict = pickle.get<Dict>(pickle.root);
  for (int i = 0; dict != nullptr && i < kMaxWrappers; ++i) {
    const auto* inner = wrapped(pickle, *dict);
    if (inner == nullptr) break;
    dict = inner;
  }
  if (dict == nullptr || !holds_tensors(pickle, *dict)) throw LoadError(file, "", "holds no dictionary of tensors");
  return *dict;
}

// Index of the last element that the shape and the strides reach, counted from the first; nullopt on overflow.
std::optional<std::uint64_t> reach(const PickledTensor& tensor) {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    std::uint64_t step;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(tensor.shape[i] - 1), static_cast<std::uint64_t>(tensor.strides[i]), &step) ||
        __builtin_add_overflow(last, step, &last))
      return std::nullopt;
  }
  return last;
}

std::optional<std::uint64_t> elements(const PickledTensor& tensor) {
  std::uint64_t count = 1;
  for (const auto side : tensor.shape)
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count)) return std::nullopt;
  return count;
}

TensorRecord place(const Pickle& pickle, const PickledTensor& tensor, std::string name, const Storages& storages, std::string_view file) {
  const auto& storage = std::get<Storage>(pickle.values[tensor.storage]);
  const auto found = storages.find(storage.key);
  if (found == storages.end())
    throw LoadError(file, name, "its storage \"" + std::string(storage.key.substr(0, 80)) + "\" is not in the file");
  const std::uint64_t element = bytes_per_element(tensor.dtype);
  const std::uint64_t room = found->second.bytes / element, offset = static_cast<std::uint64_t>(tensor.offset);
  const auto count = elements(tensor);
  if (!count) throw LoadError(file, name, "the product of its shape overflows 64 bits");
  const auto last = *count == 0 ? 0 : reach(tensor);
  const bool fits = *count == 0 ? offset <= room : last && offset < room && *last < room - offset;
  if (!fits) throw LoadError(file, name, "its shape reaches beyond its storage");
  if (*count > room) throw LoadError(file, name, "repeats elements of its storage; save it contiguous");
  return {.name = std::move(name),
          .dtype = tensor.dtype,
          .shape = tensor.shape,
          .strides = tensor.strides,
          .begin = found->second.begin + offset * element};
}

}  // namespace

std::map<std::string_view, Storage> mentioned_storages(const Pickle& pickle, std::string_view file) {
  std::map<std::string_view, Storage> storages;
  for (const Value& value : pickle.values) {
    const auto* storage = std::get_if<Storage>(&value);
    if (storage == nullptr) continue;
    const auto [known, added] = storages.emplace(storage->key, *storage);
    if (!added && (known->second.count != storage->count || known->second.dtype != storage->dtype))
      throw LoadError(file, "storage " + std::string(storage->key.substr(0, 80)), "is mentioned with two sizes");
  }
  return storages;
}

std::uint64_t bytes_of(const Storage& storage, std::string_view file) {
  std::uint64_t bytes;
  if (__builtin_mul_overflow(storage.count, storage.dtype ? bytes_per_element(*storage.dtype) : 1, &bytes))
    throw LoadError(file, "storage " + std::string(storage.key.substr(0, 80)), "its size overflows 64 bits");
  return bytes;
}

std::vector<TensorRecord> state_dict(const Pickle& pickle, const Storages& storages, std::string_view file) {
  std::map<std::string_view, const PickledTensor*> tensors;
  for (const auto& [key, value] : find_state_dict(pickle, file).items) {
    const auto* name = pickle.get<Text>(key);
    if (name == nullptr) continue;
    const auto* tensor = pickle.get<PickledTensor>(value);
    tensor != nullptr ? void(tensors[name->utf8] = tensor) : void(tensors.erase(name->utf8));
  }
  const bool parallel = std::all_of(tensors.begin(), tensors.end(), [](const auto& entry) { return entry.first.starts_with(kParallel); });
  std::vector<TensorRecord> records;
  records.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors)
    records.push_back(place(pickle, *tensor, std::string(name.substr(parallel ? kParallel.size() : 0)), storages, file));
  return records;
}

}  // namespace kinora::nn::torch_file

#include "nn/torch_file/rebuild.hpp"

#include "nn/safetensors_header.hpp"

namespace kinora::nn::torch_file {
namespace {

std::int64_t whole_number(const Pickle& pickle, Ref ref, std::string_view what, const ByteReader& at) {
  const auto* number = pickle.get<std::int64_t>(ref);
  if (number == nullptr || *number < 0) at.refuse(std::string(what) + " must be a whole number, not negative");
  return *number;
}

std::vector<std::int64_t> whole_numbers(const Pickle& pickle, Ref ref, std::string_view what, const ByteReader& at) {
  const auto* sequence = pickle.get<Sequence>(ref);
  if (sequence == nullptr) at.refuse(std::string(what) + " must be a list of numbers");
  if (sequence->items.size() > kMaxTensorRank) at.refuse("more than 16 dimensions");
  std::vector<std::int64_t> numbers;
  numbers.reserve(sequence->items.size());
  for (const Ref item : sequence->items) numbers.push_back(whole_number(pickle, item, what, at));
  return numbers;
}

template <class T>
const T* global_as(const Pickle& pickle, Ref ref) {
  const auto* global = pickle.get<Global>(ref);
  return global == nullptr ? nullptr : std::get_if<T>(global);
}

PickledTensor rebuild_tensor(const Pickle& pickle, Callable function, const std::vector<Ref>& arguments, const ByteReader& at) {
  const std::size_t needed = function == Callable::rebuild_tensor ? 4 : function == Callable::rebuild_tensor_v2 ? 6 : 7;
  if (arguments.size() < needed) at.refuse("a tensor with too few arguments");
  PickledTensor tensor;
  tensor.storage = arguments[0];
  const auto* storage = pickle.get<Storage>(tensor.storage);
  if (storage == nullptr) at.refuse("a tensor without a storage");
  tensor.offset = whole_number(pickle, arguments[1], "a tensor's offset", at);
  tensor.shape = whole_numbers(pickle, arguments[2], "a tensor's shape", at);
  tensor.strides = whole_numbers(pickle, arguments[3], "a tensor's strides", at);
  if (tensor.shape.size() != tensor.strides.size()) at.refuse("a tensor with more or fewer strides than dimensions");
  const Dtype* dtype = function == Callable::rebuild_tensor_v3 ? global_as<Dtype>(pickle, arguments[6])
                       : storage->dtype                        ? &*storage->dtype
                                                               : nullptr;
  if (dtype == nullptr) at.refuse("a tensor without an element type");
  tensor.dtype = *dtype;
  return tensor;
}

}  // namespace

Storage rebuild_storage(const Pickle& pickle, Ref id, const ByteReader& at) {
  const auto* parts = pickle.get<Sequence>(id);
  if (parts == nullptr || parts->items.size() < 5) at.refuse("a persistent id that is no storage");
  const auto& items = parts->items;
  const auto* kind = pickle.get<Text>(items[0]);
  const auto* type = global_as<StorageType>(pickle, items[1]);
  const auto* key = pickle.get<Text>(items[2]);
  if (kind == nullptr || kind->utf8 != "storage" || type == nullptr || key == nullptr) at.refuse("a persistent id that is no storage");
  if (items.size() > 5 && pickle.get<Plain>(items[5]) == nullptr) at.refuse("a storage that is a view of another; save the file again");
  return {
      .dtype = type->dtype, .key = key->utf8, .count = static_cast<std::uint64_t>(whole_number(pickle, items[4], "a storage's size", at))};
}

Value rebuild(const Pickle& pickle, Callable function, const std::vector<Ref>& arguments, const ByteReader& at) {
  if (function != Callable::ordered_dict) return rebuild_tensor(pickle, function, arguments, at);
  if (!arguments.empty()) at.refuse("an OrderedDict with arguments");
  return Dict{};
}

}  // namespace kinora::nn::torch_file

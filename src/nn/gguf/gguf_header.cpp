#include "nn/gguf/gguf_header.hpp"

#include <set>

#include "nn/byte_reader.hpp"
#include "nn/safetensors_header.hpp"

namespace kinora::nn::gguf {
namespace {

constexpr std::string_view kMagic = "GGUF", kOriginalShape = "comfy.gguf.orig_shape.";
constexpr std::uint64_t kMaxNameBytes = 1024, kMaxKeyBytes = 65535, kMaxTextBytes = 1 << 16;

enum Kind : std::uint32_t { kUint8, kInt8, kUint16, kInt16, kUint32, kInt32, kFloat32, kBool, kText, kArray, kUint64, kInt64, kFloat64 };

std::size_t bytes_of(std::uint32_t kind, const ByteReader& at) {
  switch (kind) {
    case kUint8:
    case kInt8:
    case kBool: return 1;
    case kUint16:
    case kInt16: return 2;
    case kUint32:
    case kInt32:
    case kFloat32: return 4;
    case kUint64:
    case kInt64:
    case kFloat64: return 8;
    default: at.refuse("metadata of unknown kind " + std::to_string(kind));
  }
}

std::string_view text(ByteReader& reader, std::uint64_t limit) {
  const auto length = reader.read<std::uint64_t>();
  if (length > limit) reader.refuse("a text longer than the limit of " + std::to_string(limit) + " bytes");
  return reader.text(length);
}

using Shapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

struct Metadata {
  std::map<std::string, std::string> texts;
  Shapes original_shapes;
  std::uint64_t alignment = 32;
};

void read_array(ByteReader& reader, const std::string& key, Metadata& out) {
  const auto kind = reader.read<std::uint32_t>();
  const auto count = reader.read<std::uint64_t>();
  if (kind == kText) {
    for (std::uint64_t i = 0; i < count; ++i) reader.take(reader.read<std::uint64_t>());  // each takes at least its length's 8 bytes
    return;
  }
  if (kind == kInt32 && key.starts_with(kOriginalShape)) {
    if (count > kMaxTensorRank) reader.refuse("more than 16 dimensions");
    auto& shape = out.original_shapes[key.substr(kOriginalShape.size())];
    shape.clear();
    for (std::uint64_t i = 0; i < count; ++i) shape.push_back(reader.read<std::int32_t>());
    return;
  }
  const auto each = bytes_of(kind, reader);
  if (count > reader.left() / each) reader.refuse("a list that is longer than the file");
  reader.take(count * each);
}

void read_value(ByteReader& reader, const std::string& key, Metadata& out) {
  const auto kind = reader.read<std::uint32_t>();
  if (kind == kArray) return read_array(reader, key, out);
  if (kind == kText) {
    const auto value = text(reader, reader.left());
    if (value.size() <= kMaxTextBytes) out.texts[key] = value;
    return;
  }
  if (key == "general.alignment" && kind == kUint32) {
    out.alignment = reader.read<std::uint32_t>();
    if (out.alignment == 0 || out.alignment % 8 != 0 || out.alignment > (1U << 20))
      reader.refuse("general.alignment must be a multiple of 8 up to 1 MiB");
    return;
  }
  reader.take(bytes_of(kind, reader));
}

std::uint64_t product(const std::vector<std::int64_t>& shape, std::string_view name, std::string_view file) {
  std::uint64_t elements = 1;
  for (const auto side : shape)
    if (side < 0 || __builtin_mul_overflow(elements, static_cast<std::uint64_t>(side), &elements))
      throw LoadError(file, name, "the product of its shape overflows 64 bits");
  return elements;
}

TensorEntry read_entry(ByteReader& reader, const Shapes& original_shapes, std::string_view file) {
  TensorEntry tensor{.name = std::string(text(reader, kMaxNameBytes)), .type = {}, .shape = {}};
  const auto rank = reader.read<std::uint32_t>();
  if (rank > kMaxTensorRank) reader.refuse("more than 16 dimensions");
  std::vector<std::int64_t> fastest_first;
  fastest_first.reserve(rank);
  for (std::uint32_t i = 0; i < rank; ++i) fastest_first.push_back(reader.read<std::int64_t>());
  const auto id = reader.read<std::uint32_t>();
  const auto type = ggml_type(id);
  if (!type)
    throw LoadError(file, tensor.name,
                    "has element type " + std::to_string(id) + ", which is not read; read are F16, BF16, F32, Q2_K to Q8_0");
  tensor.type = *type;
  tensor.begin = reader.read<std::uint64_t>();
  tensor.shape.assign(fastest_first.rbegin(), fastest_first.rend());
  const auto elements = product(tensor.shape, tensor.name, file);
  if (rank > 0 && static_cast<std::uint64_t>(fastest_first.front()) % type->elements != 0)
    throw LoadError(file, tensor.name, "its rows are no whole blocks of " + std::to_string(type->elements));
  if (rank == 0 && type->elements != 1) throw LoadError(file, tensor.name, "is a quantised scalar");
  if (__builtin_mul_overflow(elements / type->elements, type->bytes, &tensor.bytes))
    throw LoadError(file, tensor.name, "its size overflows 64 bits");
  if (const auto original = original_shapes.find(tensor.name); original != original_shapes.end()) {
    if (product(original->second, tensor.name, file) != elements)
      throw LoadError(file, tensor.name, "its original shape has another number of elements");
    tensor.shape = original->second;
  }
  return tensor;
}

}  // namespace

bool is_gguf(std::span<const std::byte> file) {
  return file.size() >= kMagic.size() && std::memcmp(file.data(), kMagic.data(), kMagic.size()) == 0;
}

Header parse_gguf_header(std::span<const std::byte> file, std::string_view file_name) {
  ByteReader reader(file, file_name, "header");
  if (reader.text(kMagic.size()) != kMagic) throw LoadError(file_name, "", "is no GGUF file");
  const auto version = reader.read<std::uint32_t>();
  if (version != 2 && version != 3) throw LoadError(file_name, "", "GGUF version " + std::to_string(version) + "; read are 2 and 3");
  const auto tensors = reader.read<std::uint64_t>(), values = reader.read<std::uint64_t>();
  if (tensors > kMaxTensors) throw LoadError(file_name, "", "more than the limit of 1 000 000 tensors");
  if (values > kMaxMetadata) throw LoadError(file_name, "", "more than the limit of 1 000 000 metadata");
  Metadata metadata;
  for (std::uint64_t i = 0; i < values; ++i) {
    const std::string key(text(reader, kMaxKeyBytes));
    read_value(reader, key, metadata);
  }
  Header header{.texts = std::move(metadata.texts), .tensors = {}};
  std::set<std::string_view> names;
  for (std::uint64_t i = 0; i < tensors; ++i) header.tensors.push_back(read_entry(reader, metadata.original_shapes, file_name));
  const std::uint64_t data = (reader.position() + metadata.alignment - 1) / metadata.alignment * metadata.alignment;
  for (TensorEntry& tensor : header.tensors) {
    if (!names.insert(tensor.name).second) throw LoadError(file_name, tensor.name, "is there twice");
    if (tensor.begin % metadata.alignment != 0) throw LoadError(file_name, tensor.name, "its data are not aligned");
    if (data > file.size() || tensor.begin > file.size() - data || tensor.bytes > file.size() - data - tensor.begin)
      throw LoadError(file_name, tensor.name, "its data leave the file");
    tensor.begin += data;
  }
  return header;
}

}  // namespace kinora::nn::gguf

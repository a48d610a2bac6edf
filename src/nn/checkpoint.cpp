#include "nn/checkpoint.hpp"

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "nn/component_files.hpp"
#include "nn/gguf/gguf_header.hpp"
#include "nn/gguf/packed.hpp"
#include "nn/mapped_tensor.hpp"
#include "nn/safetensors.hpp"
#include "nn/scalar_type.hpp"
#include "nn/scaled_weights.hpp"
#include "nn/shard_index.hpp"
#include "nn/torch_file/torch_file.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;

Checkpoint open_safetensors(const fs::path& path) {
  const auto file = std::make_shared<const SafetensorsFile>(path);
  Checkpoint checkpoint{.file = path.string(), .tensors = {}, .metadata = file->header().metadata};
  for (const TensorEntry& entry : file->header().tensors)
    checkpoint.tensors.emplace(entry.name, StoredTensor{entry.dtype, entry.shape, [file, &entry] { return file->tensor(entry); }});
  return checkpoint;
}

Checkpoint open_pickled(const fs::path& path, const std::shared_ptr<const MappedFile>& file) {
  Checkpoint checkpoint{.file = path.string(), .tensors = {}, .metadata = {}};
  for (auto& record : torch_file::read_torch_file(file->bytes(), checkpoint.file)) {
    auto read = [file, record] { return mapped_tensor(file, record.begin, record.dtype, record.shape, record.strides); };
    checkpoint.tensors.emplace(record.name, StoredTensor{record.dtype, record.shape, std::move(read)});
  }
  return checkpoint;
}

// Blocks of small integers, a matrix of them by its rows.
at::Tensor blocks_of(const std::shared_ptr<const MappedFile>& file, const gguf::TensorEntry& entry, std::int64_t rows) {
  const auto bytes = static_cast<std::int64_t>(entry.type.bytes), all = static_cast<std::int64_t>(entry.bytes);
  return mapped_tensor(file, entry.begin, Dtype::u8, {rows, rows == 0 ? 0 : all / bytes / rows, bytes});
}

// Blocks of small integers become float32 when they are read, or stay as they are.
Checkpoint open_gguf(const fs::path& path, const std::shared_ptr<const MappedFile>& file) {
  auto header = gguf::parse_gguf_header(file->bytes(), path.string());
  Checkpoint checkpoint{.file = path.string(), .tensors = {}, .metadata = std::move(header.texts)};
  for (const auto& entry : header.tensors) {
    StoredTensor stored{entry.type.plain.value_or(Dtype::f32), entry.shape, {}};
    if (entry.type.plain)
      stored.read = [file, entry] { return mapped_tensor(file, entry.begin, *entry.type.plain, entry.shape); };
    else
      stored.read = [file, entry] { return gguf::unpacked(blocks_of(file, entry, 1), at::kFloat).view(entry.shape); };
    const bool matrix = entry.shape.size() == 2 && entry.shape[1] % static_cast<std::int64_t>(entry.type.elements) == 0;
    if (!entry.type.plain && matrix) stored.packed = [file, entry] { return blocks_of(file, entry, entry.shape[0]); };
    checkpoint.tensors.emplace(entry.name, std::move(stored));
  }
  return checkpoint;
}

Checkpoint open_file(const fs::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const auto bytes = file->bytes();
  if (torch_file::is_torch_file(bytes)) return open_pickled(path, file);
  if (gguf::is_gguf(bytes)) return open_gguf(path, file);
  // A safetensors file begins with its header's length, whose high bytes are zero, and a brace.
  if (bytes.size() >= 9 && bytes[8] == std::byte{'{'}) return open_safetensors(path);
  throw LoadError(path.string(), "", "is no checkpoint: neither safetensors nor a file of torch.save nor GGUF");
}

Checkpoint open_shards(const fs::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const auto index = parse_shard_index({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
  Checkpoint whole{.file = path.string(), .tensors = {}, .metadata = {}};
  for (const auto& name : index.files()) {
    const fs::path part = path.parent_path() / name;
    std::error_code failed;
    if (!fs::exists(part, failed)) throw LoadError(part.string(), "", "is missing, and " + path.filename().string() + " names it");
    Checkpoint shard = open_file(part);
    whole.metadata.merge(shard.metadata);
    whole.tensors.merge(shard.tensors);
    if (!shard.tensors.empty())  // what merge() left behind
      throw LoadError(shard.file, shard.tensors.begin()->first, "is also in another file of " + path.filename().string());
  }
  for (const auto& [tensor, shard] : index.weight_map)
    if (!whole.tensors.contains(tensor)) throw LoadError(path.string(), "weight_map." + tensor, "is not in " + shard);
  return whole;
}

// "mid_block.attentions.0.query.weight" -> "mid_block.attentions.0.to_q.weight"
std::string todays_name(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOldAttention{
      {{"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}}};
  const auto last = name.rfind('.');
  const auto before = last == std::string::npos || last == 0 ? std::string::npos : name.rfind('.', last - 1);
  if (before == std::string::npos || before == 0) return name;
  const auto index = name.rfind('.', before - 1);  // of ".0" in "attentions.0"
  if (index == std::string::npos || !std::string_view(name).substr(0, index).ends_with("attentions")) return name;
  const auto module = std::string_view(name).substr(before + 1, last - before - 1);
  for (const auto& [old, now] : kOldAttention)
    if (module == old) return name.substr(0, before + 1) + std::string(now) + name.substr(last);
  return name;
}

bool ignored(std::string_view name) { return name == "position_ids" || name.ends_with(".position_ids"); }

void apply_loader_rules(Checkpoint& checkpoint) {
  std::map<std::string, StoredTensor> kept;
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (ignored(name)) continue;
    auto now = todays_name(name);
    if (now != name && checkpoint.tensors.contains(now)) throw LoadError(checkpoint.file, name, "is there as well as " + now);
    kept.emplace(std::move(now), std::move(tensor));
  }
  checkpoint.tensors = std::move(kept);
}

}  // namespace

std::uint64_t StoredTensor::bytes() const {
  if (packed) return packed().nbytes();
  std::uint64_t count = bytes_per_element(dtype);
  for (const auto side : shape) count *= static_cast<std::uint64_t>(side);
  return count;
}

TensorMap Checkpoint::read() const {
  TensorMap all;
  for (const auto& [name, tensor] : tensors) all.emplace(name, tensor.read());
  return all;
}

WeightShapes Checkpoint::shapes() const {
  WeightShapes all;
  for (const auto& [name, tensor] : tensors) all.emplace(name, tensor.shape);
  return all;
}

Checkpoint open_checkpoint(const fs::path& path, const std::optional<std::string>& variant) {
  std::error_code failed;
  const fs::path file = fs::is_directory(path, failed) ? find_weights(path, variant) : path;
  Checkpoint checkpoint = file.extension() == ".json" ? open_shards(file) : open_file(file);
  apply_loader_rules(checkpoint);
  apply_scales(checkpoint);
  return checkpoint;
}

Checkpoint make_checkpoint(const TensorMap& tensors, std::string file) {
  Checkpoint checkpoint{.file = std::move(file), .tensors = {}, .metadata = {}};
  for (const auto& [name, tensor] : tensors) {
    const auto dtype = stored_dtype(tensor.scalar_type());
    if (!dtype) throw LoadError(checkpoint.file, name, "its element type is not one that model files hold");
    checkpoint.tensors.emplace(name, StoredTensor{*dtype, tensor.sizes().vec(), [tensor] { return tensor; }});
  }
  return checkpoint;
}

}  // namespace kinora::nn

#include "nn/safetensors.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "nn/mapped_tensor.hpp"
#include "nn/scalar_type.hpp"

namespace kinora::nn {
SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(std::make_shared<MappedFile>(path)) {
  header_ = parse_safetensors_header(file_->bytes(), file_->bytes().size(), path.string());
}

std::span<const std::byte> SafetensorsFile::bytes(const TensorEntry& entry) const {
  return file_->bytes().subspan(header_.data_offset + entry.begin, entry.end - entry.begin);
}

at::Tensor SafetensorsFile::tensor(const TensorEntry& entry) const {
  return mapped_tensor(file_, header_.data_offset + entry.begin, entry.dtype, entry.shape);
}

TensorMap SafetensorsFile::tensors() const {
  TensorMap all;
  for (const TensorEntry& entry : header_.tensors) all.emplace(entry.name, tensor(entry));
  return all;
}

void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<at::Tensor> stored;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor flat = tensor.detach().to(at::kCPU).contiguous();
    const auto dtype = stored_dtype(flat.scalar_type());
    if (!dtype) throw LoadError(path.string(), name, "safetensors has no name for its dtype");
    header[name] = {{"dtype", nn::name(*dtype)}, {"shape", flat.sizes().vec()}, {"data_offsets", {position, position + flat.nbytes()}}};
    position += flat.nbytes();
    stored.push_back(flat);
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  std::filesystem::path beside = path;
  beside += ".part";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  const std::uint64_t length = text.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const at::Tensor& flat : stored)
    out.write(static_cast<const char*>(flat.const_data_ptr()), static_cast<std::streamsize>(flat.nbytes()));
  out.close();
  if (!out) throw LoadError(path.string(), "", "could not be written");
  std::filesystem::rename(beside, path);
}

}  // namespace kinora::nn

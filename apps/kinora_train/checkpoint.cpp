#include "kinora_train/checkpoint.hpp"

#include <array>
#include <charconv>
#include <string>

#include "kinora_train/error.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

// Shortest text that reads back as the same number.
template <class Number>
std::string text_of(Number value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

template <class Number>
void read_number(const std::map<std::string, std::string>& metadata, const char* key, Number& value) {
  const auto found = metadata.find(key);
  if (found != metadata.end()) {
    const char* const end = found->second.data() + found->second.size();
    if (const auto [stop, error] = std::from_chars(found->second.data(), end, value); error == std::errc() && stop == end) return;
  }
  throw Failure(std::string("the checkpoint has no number \"") + key + "\"");
}

void add(nn::TensorMap& all, const std::string& prefix, const nn::TensorMap& part) {
  for (const auto& [name, tensor] : part) all[prefix + name] = tensor.detach();
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  nn::TensorMap all;
  add(all, "weights.", checkpoint.weights);
  add(all, "average.", checkpoint.average);
  add(all, "adam.", checkpoint.adam);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  nn::write_safetensors(
      path, all, {{"step", text_of(checkpoint.step)}, {"elapsed_s", text_of(checkpoint.elapsed_s)}, {"seed", text_of(checkpoint.seed)}});
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  const nn::SafetensorsFile file(path);
  Checkpoint checkpoint;
  const auto& metadata = file.header().metadata;
  read_number(metadata, "step", checkpoint.step);
  read_number(metadata, "elapsed_s", checkpoint.elapsed_s);
  read_number(metadata, "seed", checkpoint.seed);
  for (const auto& [name, tensor] : file.tensors()) {
    const auto dot = name.find('.');
    const std::string part = name.substr(0, dot);
    nn::TensorMap* target = nullptr;
    if (part == "weights")
      target = &checkpoint.weights;
    else if (part == "average")
      target = &checkpoint.average;
    else if (part == "adam")
      target = &checkpoint.adam;
    else
      throw Failure("the checkpoint has an unknown tensor " + name);
    (*target)[name.substr(dot + 1)] = tensor.clone();
  }
  return checkpoint;
}

}  // namespace kinora::train

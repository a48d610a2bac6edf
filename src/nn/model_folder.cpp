#include "nn/model_folder.hpp"

#include <algorithm>
#include <fstream>

#include "nn/checkpoint.hpp"
#include "nn/safetensors.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kMaxScale = 8;

nlohmann::json read_json_object(const fs::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > kMaxModelJsonBytes) throw LoadError(path.string(), "", "larger than the limit of 1 MiB");
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  auto value = nlohmann::json::parse(text, text + bytes.size(), nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw LoadError(path.string(), "", "not a JSON object");
  return value;
}

// Takes the member out of the object, so that what is left is the unknown rest.
nlohmann::json take(nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return nullptr;
  nlohmann::json value = std::move(*found);
  object.erase(found);
  return value;
}

std::string take_text(nlohmann::json& object, const char* key, const fs::path& path, bool needed) {
  const auto value = take(object, key);
  if (value.is_null() && !needed) return {};
  if (!value.is_string() || (needed && value.get_ref<const std::string&>().empty())) throw LoadError(path.string(), key, "must be a text");
  return value.get<std::string>();
}

ModelCard read_card(const fs::path& path) {
  auto object = read_json_object(path);
  ModelCard card;
  card.name = take_text(object, "name", path, true);
  card.license = take_text(object, "license", path, true);
  card.description = take_text(object, "description", path, false);
  const auto tasks = take(object, "tasks");
  if (!tasks.is_array() || tasks.empty()) throw LoadError(path.string(), "tasks", "must be a list of at least one task");
  for (const auto& task : tasks) {
    if (!task.is_string()) throw LoadError(path.string(), "tasks", "must be a list of texts");
    card.tasks.push_back(task.get<std::string>());
  }
  const auto scale = take(object, "scale");
  if (!scale.is_null()) {
    if (!scale.is_number_integer() || scale.get<std::int64_t>() < 1 || scale.get<std::int64_t>() > kMaxScale)
      throw LoadError(path.string(), "scale", "must be a whole number from 1 to 8");
    card.scale = scale.get<std::int64_t>();
  }
  card.rest = std::move(object);
  return card;
}

bool usable_id(const std::string& id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= kMaxModelIdBytes && id.front() != '.' && std::all_of(id.begin(), id.end(), allowed);
}

bool floating(Dtype dtype) { return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16 || dtype == Dtype::f64; }

void write_json(const fs::path& path, const nlohmann::json& value) {
  std::ofstream out(path, std::ios::trunc);
  out << value.dump(2) << '\n';
  out.close();
  if (!out) throw LoadError(path.string(), "", "could not be written");
}

}  // namespace

ModelFolder read_model_folder(const fs::path& path) {
  ModelFolder model;
  model.path = fs::absolute(path).lexically_normal();
  if (!model.path.has_filename()) model.path = model.path.parent_path();
  model.id = model.path.filename().string();
  if (!usable_id(model.id)) throw LoadError(path.string(), "", "the folder's name must be 1 to 64 of A-Z a-z 0-9 . _ -");
  model.config = read_json_object(model.path / "config.json");
  auto config = model.config;
  model.architecture = take_text(config, "architecture", model.path / "config.json", true);
  model.card = read_card(model.path / "card.json");
  std::error_code failed;
  model.weights_bytes = fs::file_size(model.weights_path(), failed);
  if (failed) throw LoadError(model.weights_path().string(), "", failed.message());
  open_checkpoint(model.weights_path());  // its header holds together
  return model;
}

TensorMap load_weights(const Checkpoint& checkpoint, const WeightShapes& needed) {
  check_weights(needed, checkpoint.shapes(), checkpoint.file);
  TensorMap weights;
  for (const auto& [weight, stored] : checkpoint.tensors) {
    if (!floating(stored.dtype))
      throw LoadError(checkpoint.file, weight, "has dtype " + std::string(name(stored.dtype)) + ", needed a floating type");
    auto tensor = stored.read().contiguous();
    const auto* first = static_cast<const std::byte*>(tensor.const_data_ptr());
    if (const auto index = first_non_finite({first, tensor.nbytes()}, stored.dtype))
      throw LoadError(checkpoint.file, weight, "element " + std::to_string(*index) + " is NaN or infinite");
    weights.emplace(weight, std::move(tensor));
  }
  return weights;
}

TensorMap load_weights(const ModelFolder& model, const WeightShapes& needed) {
  return load_weights(open_checkpoint(model.weights_path()), needed);
}

void write_model_folder(const fs::path& path, const std::string& architecture, const nlohmann::json& config, const ModelCard& card,
                        const TensorMap& weights) {
  fs::create_directories(path);
  auto whole = config;
  whole["architecture"] = architecture;
  write_json(path / "config.json", whole);
  auto text = card.rest.is_object() ? card.rest : nlohmann::json::object();
  text["name"] = card.name;
  text["description"] = card.description;
  text["tasks"] = card.tasks;
  text["scale"] = card.scale;
  text["license"] = card.license;
  write_json(path / "card.json", text);
  write_safetensors(path / "model.safetensors", weights, {{"format", "pt"}});
}

}  // namespace kinora::nn

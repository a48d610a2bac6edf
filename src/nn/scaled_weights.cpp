#include "nn/scaled_weights.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <string_view>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

constexpr std::array<std::string_view, 2> kScales{".weight_scale", ".scale_weight"};
constexpr std::array<std::string_view, 2> kInputScales{".input_scale", ".scale_input"};
constexpr std::string_view kFormat = ".comfy_quant";
constexpr std::size_t kMaxFormatBytes = 4096;

bool is_8_bit(Dtype dtype) { return dtype == Dtype::f8_e4m3 || dtype == Dtype::f8_e5m2 || dtype == Dtype::i8; }

StoredTensor scaled(const StoredTensor& weight, const StoredTensor& scale, const std::string& file, const std::string& name) {
  std::int64_t count = 1;
  for (const auto side : scale.shape) count *= side;
  const bool each_row = count != 1;
  if (each_row && (weight.shape.empty() || count != weight.shape[0] || scale.shape[0] != count))
    throw LoadError(file, name, "must be one number or one for each row of its weight");
  const auto sides = weight.shape.size();
  const auto read = [weight = weight.read, scale = scale.read, each_row, count, sides] {
    std::vector<std::int64_t> broadcast(each_row ? sides : 0, 1);
    if (each_row) broadcast[0] = count;
    return weight().to(at::kFloat).mul(scale().to(at::kFloat).reshape(broadcast));
  };
  return {Dtype::f32, weight.shape, read};
}

// {"format": "float8_e4m3fn"} in bytes; formats that turn their inputs ("convrot") need more than a scale.
void check_format(const StoredTensor& stored, const std::string& file, const std::string& name) {
  if (stored.dtype != Dtype::u8 || stored.shape.size() != 1 || stored.shape[0] > static_cast<std::int64_t>(kMaxFormatBytes))
    throw LoadError(file, name, "must be a short text in bytes");
  const auto bytes = stored.read();
  const auto* text = static_cast<const char*>(bytes.const_data_ptr());
  const auto json = nlohmann::json::parse(text, text + bytes.numel(), nullptr, /*allow_exceptions=*/false);
  const auto format = json.is_object() && json.contains("format") && json["format"].is_string() ? json["format"].get<std::string>() : "";
  const auto turned = json.is_object() ? json.find("convrot") : json.end();
  if (!format.starts_with("float8") && (!format.starts_with("int8") || (turned != json.end() && *turned != false)))
    throw LoadError(
        file, name,
        "weights of format \"" + format.substr(0, 40) + "\"" + (format.starts_with("int8") ? " with turned inputs" : "") + " are not read");
}

}  // namespace

void apply_scales(Checkpoint& checkpoint) {
  auto& tensors = checkpoint.tensors;
  for (auto entry = tensors.begin(); entry != tensors.end();) {
    const std::string& name = entry->first;
    const auto module_of = [&](std::string_view ending) { return name.substr(0, name.size() - ending.size()); };
    const auto weight_of = [&](std::string_view ending) { return tensors.find(module_of(ending) + ".weight"); };
    bool drop = name == "scaled_fp8" || name.ends_with(".scaled_fp8");
    for (const auto ending : kScales) {
      if (!name.ends_with(ending)) continue;
      const auto weight = weight_of(ending);
      if (weight == tensors.end() || !is_8_bit(weight->second.dtype)) continue;
      weight->second = scaled(weight->second, entry->second, checkpoint.file, name);
      drop = true;
    }
    for (const auto ending : kInputScales) drop = drop || (name.ends_with(ending) && weight_of(ending) != tensors.end());
    if (name.ends_with(kFormat) && weight_of(kFormat) != tensors.end()) {
      check_format(entry->second, checkpoint.file, name);
      drop = true;
    }
    entry = drop ? tensors.erase(entry) : std::next(entry);
  }
}

}  // namespace kinora::nn

#include "models/lora/adapter_file.hpp"

#include <ATen/ops/einsum.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/matmul.h>

#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "models/lora/peft_config.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::lora {
namespace {

enum class Part { down, up, mid, up_bias, alpha, diff, diff_b };

constexpr std::array<std::pair<std::string_view, Part>, 17> kEndings{{{".lora_A.weight", Part::down},
                                                                      {".lora_B.weight", Part::up},
                                                                      {".lora_A.default.weight", Part::down},
                                                                      {".lora_B.default.weight", Part::up},
                                                                      {".lora_B.bias", Part::up_bias},
                                                                      {".lora_down.weight", Part::down},
                                                                      {".lora_up.weight", Part::up},
                                                                      {".lora_mid.weight", Part::mid},
                                                                      {".lora_linear_layer.down.weight", Part::down},
                                                                      {".lora_linear_layer.up.weight", Part::up},
                                                                      {".lora.down.weight", Part::down},
                                                                      {".lora.up.weight", Part::up},
                                                                      {"_lora.down.weight", Part::down},
                                                                      {"_lora.up.weight", Part::up},
                                                                      {".alpha", Part::alpha},
                                                                      {".diff", Part::diff},
                                                                      {".diff_b", Part::diff_b}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOtherKinds{{{".dora_scale", "DoRA"},
                                                                                    {".lora_magnitude_vector", "DoRA"},
                                                                                    {".hada_w", "LoHa"},
                                                                                    {".lokr_w", "LoKr"},
                                                                                    {".oft_", "OFT"},
                                                                                    {".boft_", "BOFT"}}};

std::optional<std::pair<std::string, Part>> take_apart(const std::string& name) {
  for (const auto& [ending, part] : kEndings)
    if (name.ends_with(ending)) return std::pair(name.substr(0, name.size() - ending.size()), part);
  return std::nullopt;
}

at::Tensor read_finite(const nn::Checkpoint& checkpoint, const std::string& name, const nn::StoredTensor& stored) {
  at::Tensor tensor = stored.read();
  if (!tensor.is_floating_point())
    throw nn::LoadError(checkpoint.file, name, "has dtype " + std::string(nn::name(stored.dtype)) + ", needed a floating type");
  if (!at::isfinite(tensor.to(at::kFloat)).all().item<bool>()) throw nn::LoadError(checkpoint.file, name, "holds NaN or infinity");
  return tensor;
}

// down [r, in, ...], up [out, r, ...], mid [r, r, ...]; the last sides of up are 1.
void check(const AdapterModule& module, const std::string& file) {
  const auto refuse = [&](const char* why) { throw nn::LoadError(file, module.name, why); };
  if (module.down.defined() != module.up.defined())
    refuse(module.down.defined() ? "has a down and no up matrix" : "has an up and no down matrix");
  if (!module.down.defined() && !module.diff.defined() && !module.diff_b.defined()) refuse("has neither matrices nor differences");
  if (!module.down.defined()) return;
  if (module.down.dim() < 2 || module.up.dim() < 2 || module.up.size(1) != module.down.size(0))
    refuse("its down and up matrices have different ranks");
  if (module.down.size(0) == 0) refuse("has rank 0");
  if (module.up.numel() != module.up.size(0) * module.up.size(1)) refuse("its up matrix is no matrix");
  if (!module.mid.defined()) return;
  const auto rank = module.down.size(0);
  if (module.mid.dim() != 4 || module.mid.size(0) != rank || module.mid.size(1) != rank ||
      module.down.numel() != rank * module.down.size(1))
    refuse("its mid tensor does not fit between its matrices");
}

void put(AdapterModule& module, Part part, at::Tensor tensor, std::optional<double>& alpha, const std::string& file) {
  switch (part) {
    case Part::down: module.down = std::move(tensor); return;
    case Part::up: module.up = std::move(tensor); return;
    case Part::mid: module.mid = std::move(tensor); return;
    case Part::up_bias: module.up_bias = std::move(tensor); return;
    case Part::diff: module.diff = std::move(tensor); return;
    case Part::diff_b: module.diff_b = std::move(tensor); return;
    case Part::alpha:
      if (tensor.numel() != 1) throw nn::LoadError(file, module.name + ".alpha", "must be one number");
      alpha = tensor.to(at::kDouble).item<double>();
  }
}

at::Tensor on(const at::Tensor& tensor, const at::Tensor& like) { return tensor.to(like.device(), at::kFloat); }

at::Tensor plus(const at::Tensor& a, const at::Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a.add(b); }

}  // namespace

at::Tensor AdapterModule::weight_delta(const at::Tensor& like) const {
  at::Tensor low_rank;
  if (down.defined()) {
    const auto b = on(up, like).flatten(1), a = on(down, like).flatten(1);
    low_rank = (mid.defined() ? at::einsum("op,pqyx,qi->oiyx", {b, on(mid, like), a}).flatten(1) : at::matmul(b, a)).mul(alpha_over_rank);
  }
  const auto whole = !diff.defined() ? at::Tensor() : diff.dim() < 2 ? on(diff, like).view({-1, 1}) : on(diff, like).flatten(1);
  return plus(low_rank, whole);
}

at::Tensor AdapterModule::bias_delta(const at::Tensor& like) const {
  return plus(up_bias.defined() ? on(up_bias, like).mul(alpha_over_rank) : at::Tensor(),
              diff_b.defined() ? on(diff_b, like) : at::Tensor());
}

AdapterFile read_adapter(const nn::Checkpoint& checkpoint) {
  std::map<std::string, std::pair<AdapterModule, std::optional<double>>> modules;
  for (const auto& [name, stored] : checkpoint.tensors) {
    if (name.starts_with("bundle_emb.")) continue;  // embeddings of words that some files carry along
    for (const auto& [sign, kind] : kOtherKinds)
      if (name.find(sign) != std::string::npos)
        throw nn::LoadError(checkpoint.file, name, "is a " + std::string(kind) + " adapter; only LoRA is read");
    const auto parts = take_apart(name);
    if (!parts) throw nn::LoadError(checkpoint.file, name, "is no part of a LoRA");
    auto& [module, alpha] = modules[parts->first];
    module.name = parts->first;
    put(module, parts->second, read_finite(checkpoint, name, stored), alpha, checkpoint.file);
  }
  if (modules.empty()) throw nn::LoadError(checkpoint.file, "", "holds no LoRA");
  const PeftConfig config(checkpoint);
  AdapterFile file{.file = checkpoint.file, .modules = {}};
  for (auto& [name, entry] : modules) {
    auto& [module, alpha] = entry;
    check(module, checkpoint.file);
    if (module.down.defined()) {
      const auto rank = module.down.size(0);
      module.alpha_over_rank = alpha ? *alpha / static_cast<double>(rank) : config.scale(name, rank);
    }
    file.modules.push_back(std::move(module));
  }
  return file;
}

}  // namespace kinora::models::lora

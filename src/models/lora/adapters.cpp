#include "models/lora/adapters.hpp"

#include <ATen/ops/empty_like.h>
#include <c10/util/accumulate.h>

#include <cmath>
#include <sstream>

#include "nn/gguf/packed.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::lora {
namespace {

std::string text(c10::IntArrayRef shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

// What a change of `module` must have to be added to `weight` [out, in, ...]: as many rows and elements.
std::string misfit(const AdapterModule& module, const at::Tensor& weight) {
  const auto sizes = nn::gguf::logical_sizes(weight);
  const std::int64_t numel = c10::multiply_integers(sizes), rows = sizes.empty() ? 0 : sizes[0];
  const auto fits = [&](const at::Tensor& whole) { return whole.numel() == numel && whole.size(0) == rows; };
  const auto columns = [](const at::Tensor& t) { return t.numel() / std::max<std::int64_t>(t.size(0), 1); };
  if (module.down.defined()) {
    const auto sides = module.mid.defined() ? module.mid.size(2) * module.mid.size(3) : 1;
    if (module.up.size(0) != rows || columns(module.down) * sides != numel / std::max<std::int64_t>(rows, 1))
      return "matrices " + text(module.up.sizes()) + " and " + text(module.down.sizes()) + ", weight " + text(sizes);
  }
  if (module.diff.defined() && (module.diff.dim() == 0 || !fits(module.diff)))
    return "difference " + text(module.diff.sizes()) + ", weight " + text(sizes);
  return "";
}

bool is_denoiser(const std::string& component) { return component == "unet" || component.starts_with("transformer"); }

class Misfits {
 public:
  void add(const std::string& module, const std::string& why) {
    if (++count_ <= nn::kMaxReportedWeights) report_ << (count_ == 1 ? "" : "; ") << module << ": " << why;
  }
  void report(const std::string& file) const {
    if (count_ == 0) return;
    throw nn::LoadError(
        file, "",
        std::to_string(count_) + " modules do not fit the model: " + report_.str() + (count_ > nn::kMaxReportedWeights ? "; ..." : ""));
  }

 private:
  std::size_t count_ = 0;
  std::ostringstream report_;
};

}  // namespace

Adapters::Adapters(std::vector<AdapterTarget> targets) {
  for (auto& target : targets) {
    auto& copies = targets_[target.component];
    if (copies.empty()) names_.add(target.component, target.parameters);
    if (denoiser_.empty() && is_denoiser(target.component)) denoiser_ = target.component;
    copies.push_back(std::move(target.parameters));
  }
}

at::Tensor Adapters::base_of(const at::Tensor& handle) const {
  const auto found = bases_.find(handle.unsafeGetTensorImpl());
  return found == bases_.end() ? handle : found->second.second;
}

std::uint64_t Adapters::base_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [impl, kept] : bases_) sum += kept.second.nbytes();
  return sum;
}

Adapters::Changes Adapters::plan(const std::vector<AdapterUse>& uses) const {
  Changes changes;
  for (const AdapterUse& use : uses) {
    Misfits misfits;
    if (!use.component.empty() && !targets_.contains(use.component))
      throw nn::LoadError(use.file->file, "component", "the model has no " + use.component);
    const bool one_denoiser = use.component.empty() || !is_denoiser(use.component);
    for (const AdapterModule& module : use.file->modules) {
      const auto ref = names_.find(module.name, one_denoiser ? denoiser_ : use.component);
      if (!ref) {
        misfits.add(module.name, "no such module");
        continue;
      }
      if (!use.component.empty() && ref->component != use.component) continue;
      const auto own = use.component_scales.find(ref->component);
      const double scale = own == use.component_scales.end() ? use.scale : own->second;
      if (!std::isfinite(scale)) throw nn::LoadError(use.file->file, "scale", "must be a finite number");
      const auto& copies = targets_.at(ref->component);
      const auto& parameters = copies.front();
      const auto change = [&](const char* kind, bool bias) {
        const auto found = parameters.find(ref->module + kind);
        if (found == parameters.end()) return misfits.add(module.name, std::string("the model has no ") + (kind + 1) + " there");
        const auto why = bias ? std::string() : misfit(module, found->second);
        if (!why.empty()) return misfits.add(module.name, why);
        for (const auto& copy : copies) {
          const auto& handle = copy.at(found->first);
          auto& changed = changes[handle.unsafeGetTensorImpl()];
          changed.handle = handle;
          changed.list.push_back({&module, scale, bias});
          const auto beside = copy.find(ref->module + ".bias");
          if (beside != copy.end()) changed.dtype = beside->second.scalar_type();
        }
      };
      if (module.down.defined() || module.diff.defined()) change(".weight", false);
      if (!module.up_bias.defined() && !module.diff_b.defined()) continue;
      const auto bias = parameters.find(ref->module + ".bias");
      const bool fits = bias == parameters.end() || ((!module.up_bias.defined() || module.up_bias.numel() == bias->second.numel()) &&
                                                     (!module.diff_b.defined() || module.diff_b.numel() == bias->second.numel()));
      fits ? change(".bias", true) : misfits.add(module.name, "bias difference, bias " + text(bias->second.sizes()));
    }
    misfits.report(use.file->file);
  }
  return changes;
}

void Adapters::set(const std::vector<AdapterUse>& uses) {
  const Changes changes = plan(uses);
  std::vector<std::pair<at::Tensor, at::Tensor>> merged;  // all are made before the first is exchanged: no memory, no change
  for (const auto& [impl, change] : changes) {
    const auto& [handle, list, dtype] = change;
    const at::Tensor base = base_of(handle);
    const bool packed = nn::gguf::is_packed(base);
    at::Tensor sum = packed ? nn::gguf::unpacked(base, at::kFloat) : base.to(at::kFloat);
    const auto sizes = sum.sizes().vec();
    for (const Change& one : list) {
      const auto delta = one.bias ? one.module->bias_delta(sum) : one.module->weight_delta(sum);
      sum = sum.add(delta.reshape(sizes), one.scale);
    }
    if (packed) {
      merged.emplace_back(handle, sum.to(dtype));
      continue;
    }
    at::Tensor value = at::empty_like(base);  // keeps the memory order
    value.copy_(sum);
    merged.emplace_back(handle, std::move(value));
  }
  for (const auto& [impl, kept] : bases_)
    if (!changes.contains(impl)) nn::exchange(kept.first, kept.second);
  std::map<at::TensorImpl*, std::pair<at::Tensor, at::Tensor>> bases;
  for (const auto& [handle, value] : merged) {
    const auto known = bases_.find(handle.unsafeGetTensorImpl());
    bases.emplace(handle.unsafeGetTensorImpl(), std::pair(handle, known == bases_.end() ? handle.alias() : known->second.second));
    nn::exchange(handle, value);
  }
  bases_ = std::move(bases);
}

}  // namespace kinora::models::lora

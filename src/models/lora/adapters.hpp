#pragma once
// Changes the weights of networks that stand by adapters (LoRA), and changes them back. The base weights stay in memory untouched: the
// next set() starts from them, so that switching never accumulates errors and set({}) restores the model bit by bit.
//
//   lora::Adapters adapters({{"unet", unet.parameters}, {"text_encoder", clip.parameters}});
//   adapters.set({{.file = std::make_shared<lora::AdapterFile>(lora::read_adapter(nn::open_checkpoint("style.safetensors"))), .scale =
//   0.7}});
//
// Memory: one more copy of each weight that is changed. Between jobs only: not while a network runs.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/lora/adapter_file.hpp"
#include "models/lora/module_names.hpp"

namespace kinora::models::lora {

struct AdapterTarget {
  std::string component;      // "unet", "transformer", "text_encoder", ...; of a further one of that name a copy, changed alike
  nn::Parameters parameters;  // the handles that the network's layers share
};

struct AdapterUse {
  std::shared_ptr<const AdapterFile> file;
  double scale = 1;                                  // any finite number
  std::map<std::string, double> component_scales{};  // instead of scale, by component
  // Only this part of the model is changed; empty: all that the file names. Where a model has two denoisers it also tells which one
  // "lora_unet_" and "transformer." mean: "transformer_2"; else the first.
  std::string component{};
};

class Adapters {
 public:
  explicit Adapters(std::vector<AdapterTarget> targets);

  // Makes the weights base + sum of all uses. The sum is taken in float32 and rounded once to the weight's type. Throws nn::LoadError, and
  // changes nothing, when a module of a file is none of the networks' or has another shape: one report of the first ten.
  void set(const std::vector<AdapterUse>& uses);
  std::size_t changed_weights() const { return bases_.size(); }
  std::uint64_t base_bytes() const;  // of the bases that are kept beside changed weights

 private:
  struct Change {
    const AdapterModule* module;
    double scale;
    bool bias;
  };
  struct Changed {
    at::Tensor handle;
    std::vector<Change> list;
    at::ScalarType dtype = at::kFloat;  // of the sum, where the base is kept in the blocks of a GGUF file: that of the bias beside it
  };
  using Changes = std::map<at::TensorImpl*, Changed>;  // by weight
  Changes plan(const std::vector<AdapterUse>& uses) const;
  at::Tensor base_of(const at::Tensor& handle) const;

  std::map<std::string, std::vector<nn::Parameters>> targets_;  // of each component and its copies
  std::string denoiser_;
  ModuleNames names_;
  std::map<at::TensorImpl*, std::pair<at::Tensor, at::Tensor>> bases_;  // of the changed weights: handle, base
};

}  // namespace kinora::models::lora

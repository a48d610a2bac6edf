#pragma once
// A file of low-rank changes to a network's weights (LoRA): W' = W + scale (alpha / rank) up down, for each module that it names. Reads the
// layouts of diffusers and PEFT (lora_A, lora_B), of older diffusers (lora.down, lora_linear_layer.down) and of kohya, musubi and ComfyUI
// (lora_down, lora_up, alpha; diff and diff_b). Errors: nn::LoadError; adapters of another kind (DoRA, LoHa, LoKr) are refused by name.
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "nn/checkpoint.hpp"

namespace kinora::models::lora {

// Undefined tensors: not there. All are finite, on the CPU, in the stored type.
struct AdapterModule {
  std::string name;         // as the file has it, "lora_unet_down_blocks_0_..." or "unet.down_blocks.0..."
  at::Tensor down, up;      // [rank, in, kh, kw] or [rank, in], [out, rank, 1, 1] or [out, rank]; both or none
  at::Tensor mid;           // [rank, rank, kh, kw]: between them, in convolutions; down and up are then 1x1
  at::Tensor up_bias;       // [out], scaled as up is
  at::Tensor diff, diff_b;  // of weight and bias, as they are added
  double alpha_over_rank = 1;

  // What is added to the module's weight at scale 1, float32 [out, in kh kw], on the device of `like`; undefined without one.
  at::Tensor weight_delta(const at::Tensor& like) const;
  // The same for the bias, [out].
  at::Tensor bias_delta(const at::Tensor& like) const;
};

struct AdapterFile {
  std::string file;
  std::vector<AdapterModule> modules;  // by name
};

// Alpha comes from the tensors "NAME.alpha", or from the file's metadata "lora_adapter_metadata" (PEFT's configuration), else it is the
// rank.
AdapterFile read_adapter(const nn::Checkpoint& checkpoint);

}  // namespace kinora::models::lora

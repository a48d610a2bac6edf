#include "nn/weights.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/TensorImpl.h>

#include "nn/scalar_type.hpp"

namespace kinora::nn {
namespace {

at::Tensor without_memory(const std::vector<std::int64_t>& shape, const Placement& placement) {
  return at::empty(shape, at::TensorOptions().device(c10::kMeta).dtype(placement.dtype.value_or(at::kFloat)));
}

at::Tensor placed(const at::Tensor& stored, const Placement& placement) {
  const auto dtype = stored.is_floating_point() ? placement.dtype.value_or(stored.scalar_type()) : stored.scalar_type();
  at::Tensor moved = stored.to(placement.device, dtype);
  if (placement.channels_last && moved.dim() == 4) moved = moved.contiguous(at::MemoryFormat::ChannelsLast);
  if (placement.channels_last && moved.dim() == 5) moved = moved.contiguous(at::MemoryFormat::ChannelsLast3d);
  // A handle of its own: exchanging a weight under a network must not reach the checkpoint's tensor.
  return moved.is_same(stored) ? stored.alias() : moved;
}

// Of a weight that comes later, in the type that it will be used in.
at::Tensor handle_for(const StoredTensor& stored, bool blocks, const Placement& placement) {
  const auto as_stored = scalar_type(stored.dtype);
  if (blocks) return at::empty(stored.packed().sizes(), at::TensorOptions().device(c10::kMeta).dtype(at::kByte));
  const auto dtype = c10::isFloatingType(as_stored) ? placement.dtype.value_or(as_stored) : as_stored;
  return at::empty(stored.shape, at::TensorOptions().device(c10::kMeta).dtype(dtype));
}

}  // namespace

void exchange(const at::Tensor& handle, const at::Tensor& value) {
  handle.unsafeGetTensorImpl()->shallow_copy_from(value.getIntrusivePtr());
}

Weights Weights::operator/(std::string_view name) const {
  Weights scope = *this;
  scope.prefix_.append(name).append(".");
  return scope;
}
Weights Weights::operator/(std::int64_t index) const { return *this / std::to_string(index); }

at::Tensor Weights::take(std::string_view name, const std::vector<std::int64_t>& shape) const {
  return load_->take(prefix_ + std::string(name), {.shape = shape, .wide = wide_});
}

at::Tensor Weights::take_matrix(std::string_view name, const std::vector<std::int64_t>& shape) const {
  return load_->take(prefix_ + std::string(name), {.shape = shape, .wide = wide_, .blocks = true});
}

at::Tensor Weights::take_if_there(std::string_view name, const std::vector<std::int64_t>& shape) const {
  return has(name) ? take(name, shape) : at::Tensor();
}

bool Weights::has(std::string_view name) const { return load_->checkpoint_.tensors.contains(prefix_ + std::string(name)); }

std::vector<std::int64_t> Weights::shape(std::string_view name) const {
  const auto found = load_->checkpoint_.tensors.find(prefix_ + std::string(name));
  return found == load_->checkpoint_.tensors.end() ? std::vector<std::int64_t>{} : found->second.shape;
}

WeightLoad::WeightLoad(Checkpoint checkpoint, Placement placement) : checkpoint_(std::move(checkpoint)), placement_(placement) {}
WeightLoad::WeightLoad(const TensorMap& tensors, Placement placement, std::string file)
    : WeightLoad(make_checkpoint(tensors, std::move(file)), placement) {}

WeightLoad WeightLoad::shapes_only() {
  WeightLoad load;
  load.shapes_only_ = true;
  return load;
}

at::Tensor WeightLoad::take(const std::string& name, const Want& want) {
  if (const auto taken = taken_.find(name); taken != taken_.end()) return taken->second;  // tied weights
  needed_.emplace(name, want.shape);
  const auto found = checkpoint_.tensors.find(name);
  const bool fits = found != checkpoint_.tensors.end() && found->second.shape == want.shape;
  Placement placement = placement_;
  if (want.wide) placement.dtype = at::kFloat;
  const bool there = fits && !placement.device.is_meta();  // to the meta device nothing is read; finish() still tells what does not fit
  if (!there) return taken_.emplace(name, without_memory(want.shape, placement)).first->second;
  const bool blocks = want.blocks && found->second.packed;
  const auto& read = blocks ? found->second.packed : found->second.read;
  const bool stays = !placement.staged.empty() && name.starts_with(placement.staged);
  at::Tensor weight = stays ? handle_for(found->second, blocks, placement) : placed(read(), placement);
  if (stays) staged_.emplace(name, read);
  return taken_.emplace(name, std::move(weight)).first->second;
}

Parameters WeightLoad::finish() {
  if (!shapes_only_) {
    WeightShapes found;
    for (const auto& [name, tensor] : checkpoint_.tensors)
      if (!ignored_.contains(name) || needed_.contains(name)) found.emplace(name, tensor.shape);
    check_weights(needed_, found, checkpoint_.file);
  }
  checkpoint_.tensors.clear();
  return std::move(taken_);
}

}  // namespace kinora::nn

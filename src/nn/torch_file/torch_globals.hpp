#pragma once
// The names of Python that a pickled state dict may mention, and what each stands for here. Anything else is refused by name.
#include <optional>
#include <string_view>
#include <variant>

#include "nn/dtype.hpp"

namespace kinora::nn::torch_file {

enum class Callable : std::uint8_t {
  ordered_dict,       // collections.OrderedDict()
  rebuild_tensor,     // torch._utils._rebuild_tensor(storage, offset, shape, strides)
  rebuild_tensor_v2,  // ... (storage, offset, shape, strides, requires_grad, hooks)
  rebuild_tensor_v3,  // ... (storage, offset, shape, strides, requires_grad, hooks, dtype)
  rebuild_parameter,  // torch._utils._rebuild_parameter(tensor, requires_grad, hooks)
  size,               // torch.Size(tuple)
};
struct StorageType {
  std::optional<Dtype> dtype;  // nullopt: untyped, counted in bytes
};
struct Symbol {};  // a name that may be mentioned and never called

using Global = std::variant<Callable, StorageType, Dtype, Symbol>;

std::optional<Global> find_global(std::string_view module, std::string_view name);

}  // namespace kinora::nn::torch_file

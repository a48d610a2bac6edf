#include "nn/torch_file/torch_globals.hpp"

#include <array>

namespace kinora::nn::torch_file {
namespace {

struct Row {
  std::string_view module, name;
  Global global;
};

const std::array kRows{
    Row{"collections", "OrderedDict", Callable::ordered_dict},
    Row{"torch._utils", "_rebuild_tensor", Callable::rebuild_tensor},
    Row{"torch._utils", "_rebuild_tensor_v2", Callable::rebuild_tensor_v2},
    Row{"torch._utils", "_rebuild_tensor_v3", Callable::rebuild_tensor_v3},
    Row{"torch._utils", "_rebuild_parameter", Callable::rebuild_parameter},
    Row{"torch", "Size", Callable::size},
    Row{"torch", "BoolStorage", StorageType{Dtype::boolean}},
    Row{"torch", "ByteStorage", StorageType{Dtype::u8}},
    Row{"torch", "CharStorage", StorageType{Dtype::i8}},
    Row{"torch", "ShortStorage", StorageType{Dtype::i16}},
    Row{"torch", "HalfStorage", StorageType{Dtype::f16}},
    Row{"torch", "BFloat16Storage", StorageType{Dtype::bf16}},
    Row{"torch", "IntStorage", StorageType{Dtype::i32}},
    Row{"torch", "FloatStorage", StorageType{Dtype::f32}},
    Row{"torch", "LongStorage", StorageType{Dtype::i64}},
    Row{"torch", "DoubleStorage", StorageType{Dtype::f64}},
    Row{"torch", "ComplexFloatStorage", StorageType{Dtype::c64}},
    Row{"torch.storage", "UntypedStorage", StorageType{}},
    Row{"torch", "bool", Dtype::boolean},
    Row{"torch", "uint8", Dtype::u8},
    Row{"torch", "int8", Dtype::i8},
    Row{"torch", "float8_e4m3fn", Dtype::f8_e4m3},
    Row{"torch", "float8_e5m2", Dtype::f8_e5m2},
    Row{"torch", "float8_e8m0fnu", Dtype::f8_e8m0},
    Row{"torch", "uint16", Dtype::u16},
    Row{"torch", "int16", Dtype::i16},
    Row{"torch", "float16", Dtype::f16},
    Row{"torch", "bfloat16", Dtype::bf16},
    Row{"torch", "uint32", Dtype::u32},
    Row{"torch", "int32", Dtype::i32},
    Row{"torch", "float32", Dtype::f32},
    Row{"torch", "uint64", Dtype::u64},
    Row{"torch", "int64", Dtype::i64},
    Row{"torch", "float64", Dtype::f64},
    Row{"torch", "complex64", Dtype::c64},
};

}  // namespace

std::optional<Global> find_global(std::string_view module, std::string_view name) {
  for (const Row& row : kRows)
    if (row.module == module && row.name == name) return row.global;
  // Training checkpoints of Stable Diffusion 1 mention the trainer's classes as keys of "callbacks".
  if (module.starts_with("pytorch_lightning.callbacks.")) return Symbol{};
  return std::nullopt;
}

}  // namespace kinora::nn::torch_file

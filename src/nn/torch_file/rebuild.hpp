#pragma once
// The calls of a pickled state dict, as data: which tensor "torch._utils._rebuild_tensor_v2(...)" describes, which storage a persistent
// id names. Errors: LoadError at the reader's position.
#include "nn/byte_reader.hpp"
#include "nn/torch_file/pickle_value.hpp"

namespace kinora::nn::torch_file {

// id: ("storage", type, key, location, count) or the same with a view, None in all files of the last years.
Storage rebuild_storage(const Pickle& pickle, Ref id, const ByteReader& at);
// The result of an OrderedDict() or a _rebuild_tensor*() call.
Value rebuild(const Pickle& pickle, Callable function, const std::vector<Ref>& arguments, const ByteReader& at);

}  // namespace kinora::nn::torch_file

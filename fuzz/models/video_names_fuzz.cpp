// Names of tensors in the layouts of Wan's and LTX-Video's authors, any bytes: each becomes a name or none.
#include <cstdint>
#include <string_view>

#include "models/single_file/ltx_names.hpp"
#include "models/single_file/wan_names.hpp"
#include "models/single_file/wan_vae_names.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::models::single_file;
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  wan_name(name);
  wan_name(name, '_');
  wan_vae_name(name, size % 5);
  ltx_transformer_name(name);
  for (const auto version : {LtxVae::v090, LtxVae::v091, LtxVae::v095}) ltx_vae_name(name, version);
  return 0;
}

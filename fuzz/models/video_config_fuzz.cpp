// config.json of the video networks, any bytes; the first tells which. Either a refusal, or a configuration from which the network's
// weights can be listed (those of small ones are).
#include <array>
#include <string>

#include "models/ltx/transformer.hpp"
#include "models/ltx/vae.hpp"
#include "models/wan/transformer.hpp"
#include "models/wan/vae.hpp"
#include "nn/load_error.hpp"

namespace {

using namespace kinora;

bool small(const models::wan::TransformerConfig& c) { return c.layers < 4; }
bool small(const models::wan::VaeConfig&) { return true; }
bool small(const models::ltx::TransformerConfig& c) { return c.layers < 4; }
bool small(const models::ltx::VaeConfig&) { return true; }

template <typename Network>
void build(const nn::JsonConfig& config) {
  const auto read = Network::Config::read(config);
  if (!small(read)) return;
  auto load = nn::WeightLoad::shapes_only();
  const Network network(read, load.root());
  load.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  try {
    const auto config = nn::JsonConfig::parse({reinterpret_cast<const char*>(data) + 1, size - 1}, "fuzz");
    switch (data[0] % 4) {
      case 0: build<models::wan::Transformer>(config); break;
      case 1: build<models::wan::Vae>(config); break;
      case 2: build<models::ltx::Transformer>(config); break;
      default: build<models::ltx::Vae>(config);
    }
  } catch (const nn::LoadError&) {
  }
  return 0;
}

#include "base/bytes.hpp"
#include "base/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::base;
  static const std::vector<ConfigKey> keys = {{"gateway.listen", std::string("127.0.0.1:0"), "address"},
                                              {"gateway.chunk_s", std::int64_t{10}, "seconds", 1, 600},
                                              {"gateway.open", false, "open"},
                                              {"worker.devices", std::vector<std::string>{"cpu"}, "devices"}};
  if (size > 1 << 16) return 0;
  const std::string text(as_text({data, size}));
  (void)Config::load(keys, text, "fuzz.toml", {{"KINORA_GATEWAY_CHUNK_S", text}}, {}, {});
  (void)Config::load(keys, text, "fuzz.toml", {}, {}, {});
  return 0;
}

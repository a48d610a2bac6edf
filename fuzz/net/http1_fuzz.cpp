// Both sides of the HTTP/1.1 glue.
#include "net/http1_client.hpp"
#include "net/http1_server.hpp"
#include "net_engine_drive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  drive_server(bytes, [](EngineLimits limits, ServerEngine::Accept accept) { return make_http1_server(limits, std::move(accept)); });
  const auto client = make_http1_client(fuzz_limits());
  drive_client(bytes, *client);
  return 0;
}

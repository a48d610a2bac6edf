// Both sides of the HTTP/2 glue. The client's preface is put in front, so that fuzzing starts behind it.
#include "net/http2_client.hpp"
#include "net/http2_server.hpp"
#include "net_engine_drive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::net;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string with_preface(bytes.substr(0, 1));
  with_preface += "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  with_preface += bytes.substr(1);
  drive_server(with_preface, [](EngineLimits limits, ServerEngine::Accept accept) {
    return make_http2_server(limits, std::move(accept), [] { return std::chrono::steady_clock::time_point(); });
  });
  const auto client = make_http2_client(fuzz_limits());
  drive_client(bytes, *client);
  return 0;
}

// Signed queries and path tokens: only what was signed is accepted, and for it only that path.
#include <cstdlib>

#include "gateway/signing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  static const gateway::UrlSigner signer(base::Bytes(32, 7), "1");
  static const std::string path = "/v1/artifacts/art_01KE0000000000000000000001/content";
  const base::UnixMillis now{std::chrono::milliseconds{1'767'225'600'000}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto what = signer.verify("GET", path, text, now); what && signer.sign("GET", path, *what) != text) std::abort();
  (void)signer.verify_prefix(path, text, now);
  (void)gateway::verify_attempt_token(base::Bytes(32, 7), "att_01KE0000000000000000000001", text, now);
  return 0;
}

// What a stranger that knows the secret may register, and take away.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/byoc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const auto text = base::as_text({data, size});
  (void)wire::parse_unregistration(text);
  const auto registration = wire::parse_registration(text);
  if (!registration) return 0;
  KINORA_CHECK(wire::is_capability_name(registration->name) && registration->price.valid());
  const auto written = wire::format_registration(*registration);
  if (written.size() > wire::kMaxRegistrationText) return 0;
  const auto again = wire::parse_registration(written);
  KINORA_CHECK(again && *again == *registration);
  return 0;
}

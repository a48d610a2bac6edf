// The job header and the address header, as sent and as JSON behind valid base64.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/byoc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const auto text = base::as_text({data, size});
  (void)wire::parse_job_header(text);
  (void)wire::parse_address_header(text);
  const auto encoded = base::to_base64({data, size});
  (void)wire::parse_address_header(encoded);
  const auto job = wire::parse_job_header(encoded);
  if (!job) return 0;
  KINORA_CHECK(job->timeout_s >= 1 && job->timeout_s <= wire::kMaxJobSeconds && wire::is_capability_name(job->capability));
  const auto written = wire::format_job_header(*job);
  if (written.size() > wire::kMaxJobHeaderBytes) return 0;
  const auto again = wire::parse_job_header(written);
  KINORA_CHECK(again && again->request == job->request && again->capability == job->capability);
  return 0;
}

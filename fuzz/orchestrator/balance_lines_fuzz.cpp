// A worker's event stream in any pieces: the pieces do not change what is sent on, and nothing is lost.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "orchestrator/balance_lines.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  if (size < 1 || size > 1 << 16) return 0;
  const std::size_t step = 1 + data[0];
  const auto text = base::as_text({data + 1, size - 1});
  orchestrator::BalanceLines whole;
  const std::string expected = *whole.feed(text) + whole.finish();
  orchestrator::BalanceLines pieces;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += step) out += *pieces.feed(text.substr(i, step));
  out += pieces.finish();
  KINORA_CHECK(out == expected && out.size() >= text.size());
  return 0;
}

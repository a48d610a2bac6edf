// A client's input: the first byte chooses the task. Parameters that were accepted are accepted again, unchanged.
#include <cstdint>

#include "base/check.hpp"
#include "tasks/validation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  if (size == 0) return 0;
  const auto& task = tasks::catalogue()[data[0] % tasks::catalogue().size()];
  const auto value = base::parse_json({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!value) return 0;
  base::FieldErrors errors;
  const auto author = (data[0] & 0x80) != 0 ? tasks::Author::network : tasks::Author::client;
  const auto input = tasks::validate_input(task, *value, "/input", errors, author);
  if (!errors.empty()) return 0;
  const auto again = tasks::validate_params(task, input.params, "/input", errors, author);
  KINORA_CHECK(errors.empty() && again == input.params);
  return 0;
}

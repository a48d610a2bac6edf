// An expression: refused, or evaluated within its bounds.
#include <cstdint>

#include "runs/expression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::runs;
  static const json::value args = json::parse(R"({"n":7,"s":"red fox","list":[1,2,3],"o":{"k":null},"b":true})");
  const auto expression = Expression::parse({reinterpret_cast<const char*>(data), size});
  if (!expression) return 0;
  Scope scope;
  scope.args = &args;
  static_cast<void>(expression->evaluate(scope));
  static_cast<void>(expression->paths());
  return 0;
}

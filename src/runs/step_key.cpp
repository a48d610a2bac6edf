#include "runs/step_key.hpp"

#include "base/bytes.hpp"

namespace kinora::runs {

std::string step_key(json::object parts) {
  parts["v"] = 1;
  return base::to_hex(base::sha256(base::as_bytes(base::canonical_json(parts))));
}

}  // namespace kinora::runs

#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kinora::cli {

// The devices that `worker.devices` names: "cpu", "cuda:<n>" or "cuda:<n>+cuda:<m>" (two for guidance) each; "auto" is one for each GPU
// that the driver shows, else the processor; "none" is none. n and m: 0 to 99. invalid: another word, a device named twice.
base::Result<std::vector<std::string>> device_names(const std::vector<std::string>& words);

}  // namespace kinora::cli

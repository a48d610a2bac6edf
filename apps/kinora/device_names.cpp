#include "kinora/device_names.hpp"

#include <algorithm>
#include <filesystem>

namespace kinora::cli {
namespace {

std::vector<std::string> found_devices() {
  std::vector<std::string> devices;
  std::error_code error;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", error)) {
    (void)gpu;
    devices.push_back("cuda:" + std::to_string(devices.size()));
  }
  if (devices.empty()) devices.emplace_back("cpu");
  return devices;
}

bool is_gpu(std::string_view name) {
  if (!name.starts_with("cuda:")) return false;
  name.remove_prefix(5);
  return (name.size() == 1 || name.size() == 2) && name.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_device(std::string_view name) {
  const auto plus = name.find('+');
  if (plus == std::string_view::npos) return name == "cpu" || is_gpu(name);
  return is_gpu(name.substr(0, plus)) && is_gpu(name.substr(plus + 1)) && name.substr(0, plus) != name.substr(plus + 1);
}

}  // namespace

base::Result<std::vector<std::string>> device_names(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    if (word == "none") continue;
    for (const std::string& name : word == "auto" ? found_devices() : std::vector{word}) {
      if (!is_device(name))
        return base::fail(base::ErrorCode::invalid,
                          "worker.devices: \"" + name + "\" is none of auto, none, cpu, cuda:<n>, cuda:<n>+cuda:<m>");
      if (std::ranges::find(names, name) != names.end())
        return base::fail(base::ErrorCode::invalid, "worker.devices: \"" + name + "\" is named twice");
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace kinora::cli

#pragma once
#include <string>
#include <string_view>

namespace kinora::gateway {

// Where this gateway is reached from outside; known once its port is open.
struct Address {
  std::string url;      // "https://host:port", no trailing slash
  std::string tls_pin;  // "sha256/<base64>" of its key when url is https
  std::string absolute(std::string_view path) const { return url + std::string(path); }
};

}  // namespace kinora::gateway

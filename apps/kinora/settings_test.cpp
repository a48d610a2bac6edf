#include "kinora/settings.hpp"

#include <gtest/gtest.h>

#include <set>

namespace kinora::cli {
namespace {

TEST(Endpoint, is_an_address_and_a_port) {
  const auto loopback = parse_endpoint("127.0.0.1:9935", "gateway.listen");
  ASSERT_TRUE(loopback);
  EXPECT_EQ(loopback->port, 9935);
  EXPECT_TRUE(loopback->loopback);
  const auto six = parse_endpoint("[::1]:0", "gateway.listen");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->address, "::1");
  EXPECT_TRUE(six->loopback);
  EXPECT_FALSE(parse_endpoint("0.0.0.0:1", "gateway.listen")->loopback);
}
TEST(Endpoint, refuses_names_missing_ports_and_ports_beyond_65535) {
  for (const char* text : {"localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1x", ":1", ""}) {
    const auto endpoint = parse_endpoint(text, "gateway.listen");
    ASSERT_FALSE(endpoint) << text;
    EXPECT_NE(endpoint.error().message.find("gateway.listen"), std::string::npos);
  }
}

TEST(ConfigKeys, are_unique_and_documented) {
  std::set<std::string> names;
  for (const base::ConfigKey& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_FALSE(key.doc.empty()) << key.name;
  }
}
TEST(ConfigKeys, open_nothing_beyond_loopback_by_default) {
  for (const base::ConfigKey& key : config_keys()) {
    if (!key.name.ends_with(".listen")) continue;
    EXPECT_TRUE(parse_endpoint(std::get<std::string>(key.fallback), key.name)->loopback) << key.name;
  }
}

}  // namespace
}  // namespace kinora::cli

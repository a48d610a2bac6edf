#include "market/address.hpp"

#include <gtest/gtest.h>

namespace kinora::market {
namespace {

// SHA-256 of nothing, in base64.
constexpr auto kPin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

TEST(OrchestratorAddress, is_a_url_with_an_optional_key) {
  EXPECT_EQ(parse_address("https://127.0.0.1:8935"), (OrchestratorAddress{"https://127.0.0.1:8935", ""}));
  EXPECT_EQ(parse_address("https://127.0.0.1:8935/"), (OrchestratorAddress{"https://127.0.0.1:8935", ""}));
  EXPECT_EQ(parse_address(std::string("https://node.example:8935#") + kPin), (OrchestratorAddress{"https://node.example:8935", kPin}));
  EXPECT_EQ(parse_address("https://node.example")->url, "https://node.example:443");
  EXPECT_EQ(parse_address("http://[::1]:8935")->url, "http://[::1]:8935");
}

TEST(OrchestratorAddress, refuses_what_is_no_address) {
  for (const auto* text :
       {"", "127.0.0.1:8935", "ftp://a:1", "https://a:1/path", "https://a:1?q", "https://a:1#", "https://a:1#sha256/abc"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_FALSE(parse_address(std::string("http://a:1#") + kPin)) << "a key needs TLS";
}

}  // namespace
}  // namespace kinora::market

#include "gateway/tus_headers.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

constexpr std::string_view kPrefix = "/v1/media/uploads/tus/";
constexpr std::string_view kA = "upl_01KE0000000000000000000001", kB = "upl_01KE0000000000000000000002";

TEST(TusHeaders, metadata_is_keys_and_base64) {
  // The example of the tus 1.0 text.
  const auto read = parse_tus_metadata("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at("filename"), "world_domination_plan.pdf");
  EXPECT_EQ(read->at("is_confidential"), "");
  EXPECT_TRUE(parse_tus_metadata("")->empty());
  for (const char* wrong : {"filename %%%", ",", "a,a", "a YQ==,,b YQ=="}) EXPECT_FALSE(parse_tus_metadata(wrong)) << wrong;
  EXPECT_FALSE(parse_tus_metadata("a " + std::string(4096, 'A')));
}

TEST(TusHeaders, checksum_is_an_algorithm_and_a_digest) {
  // The example of the tus 1.0 text.
  const auto sha1 = parse_tus_checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=");
  ASSERT_TRUE(sha1) << sha1.error().message;
  EXPECT_TRUE(sha1->sha1);
  EXPECT_EQ(sha1->digest.size(), 20u);
  EXPECT_TRUE(parse_tus_checksum("sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
  EXPECT_EQ(parse_tus_checksum("md5 1B2M2Y8AsgTpgAmY7PhCfg==").error().code, base::ErrorCode::unsupported);
  for (const char* wrong : {"sha1", "sha1 ", "sha1 AAAA", "sha1 ***", "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0="})
    EXPECT_FALSE(parse_tus_checksum(wrong)) << wrong;
}

TEST(TusHeaders, concat_names_uploads_of_this_server) {
  EXPECT_TRUE(parse_tus_concat("partial", kPrefix)->partial);
  const auto final = parse_tus_concat(
      "final;" + std::string(kPrefix) + std::string(kA) + " https://host:1" + std::string(kPrefix) + std::string(kB) + "?t=x", kPrefix);
  ASSERT_TRUE(final) << final.error().message;
  EXPECT_EQ(final->uploads, (std::vector<std::string>{std::string(kA), std::string(kB)}));
  for (const std::string& wrong : {std::string("final"), std::string("final;"), std::string("whole"), "final;/elsewhere/" + std::string(kA),
                                   "final;" + std::string(kA), "final;" + std::string(kPrefix) + "upl_x"})
    EXPECT_FALSE(parse_tus_concat(wrong, kPrefix)) << wrong;
  std::string many = "final;";
  for (int i = 0; i < 1001; ++i) many += std::string(kPrefix) + std::string(kA) + " ";
  EXPECT_FALSE(parse_tus_concat(many, kPrefix));
}

TEST(TusHeaders, creation_needs_one_length) {
  const auto read = [](net::Headers headers) { return parse_tus_creation(headers, 100, kPrefix); };
  EXPECT_EQ(read({{"upload-length", "100"}})->length, 100);
  EXPECT_FALSE(read({{"upload-defer-length", "1"}})->length);
  EXPECT_EQ(read({{"upload-length", "101"}}).error().code, base::ErrorCode::too_large);
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({{"upload-length", "5"}, {"upload-defer-length", "1"}}));
  EXPECT_FALSE(read({{"upload-defer-length", "2"}}));
  EXPECT_FALSE(read({{"upload-length", "5"}, {"upload-concat", "final;" + std::string(kPrefix) + std::string(kA)}}));
  for (const char* wrong : {"-1", "", "1.5", "0x10", "99999999999999999999", "1 "}) EXPECT_FALSE(read({{"upload-length", wrong}})) << wrong;
}

TEST(TusHeaders, expiry_is_an_http_date) {
  EXPECT_EQ(http_date(std::chrono::sys_seconds(std::chrono::seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7
}

}  // namespace
}  // namespace kinora::gateway

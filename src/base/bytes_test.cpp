#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace kinora::base {
namespace {

// RFC 4648 section 10.
TEST(Base64, matches_the_vectors_of_rfc_4648) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : cases) {
    EXPECT_EQ(to_base64(as_bytes(plain)), text);
    EXPECT_EQ(as_text(from_base64(text).value()), plain);
  }
}
TEST(Base64, url_form_has_no_padding_and_its_own_alphabet) {
  const Bytes bytes{0xfb, 0xff, 0xfe};
  EXPECT_EQ(to_base64(bytes), "+//+");
  EXPECT_EQ(to_base64url(bytes), "-__-");
  EXPECT_EQ(from_base64url("-__-").value(), bytes);
  EXPECT_EQ(as_text(from_base64url("Zg").value()), "f");
}
TEST(Base64, refuses_what_is_not_canonical) {
  EXPECT_FALSE(from_base64("Zg="));        // cut padding
  EXPECT_FALSE(from_base64("Zh=="));       // trailing bits set
  EXPECT_FALSE(from_base64("Zm9v\n"));     // line break
  EXPECT_FALSE(from_base64("Zm=v"));       // padding inside
  EXPECT_FALSE(from_base64url("Zm9v+A"));  // wrong alphabet
  EXPECT_FALSE(from_base64url("Z"));
}

TEST(Hex, reads_both_cases_and_an_optional_prefix) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_EQ(from_hex("0x00ABff").value(), (Bytes{0x00, 0xab, 0xff}));
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

// FIPS 180-2 appendix B.1, RFC 4231 test case 2.
TEST(Sha256, matches_published_vectors) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update(as_bytes("a"));
  pieces.update(as_bytes("bc"));
  EXPECT_EQ(pieces.finish(), sha256(as_bytes("abc")));
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Secrets, compare_by_length_and_content) {
  EXPECT_TRUE(equal_secret(as_bytes("token"), as_bytes("token")));
  EXPECT_FALSE(equal_secret(as_bytes("token"), as_bytes("tokem")));
  EXPECT_FALSE(equal_secret(as_bytes("token"), as_bytes("toke")));
}

}  // namespace
}  // namespace kinora::base

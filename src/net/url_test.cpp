#include "net/url.hpp"

#include <gtest/gtest.h>

namespace kinora::net {
namespace {

TEST(Url, takes_absolute_http_and_https_urls_apart) {
  const auto url = parse_url("https://node.example:8935/process/request/upscale?x=1&y=%20").value();
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "node.example");
  EXPECT_EQ(url.port, 8935);
  EXPECT_EQ(url.target, "/process/request/upscale?x=1&y=%20");
  EXPECT_TRUE(url.tls());
  EXPECT_EQ(url.authority(), "node.example:8935");
}

TEST(Url, knows_default_ports_and_the_root_path) {
  EXPECT_EQ(parse_url("http://a").value().port, 80);
  EXPECT_EQ(parse_url("https://a").value().port, 443);
  EXPECT_EQ(parse_url("https://a").value().target, "/");
  EXPECT_EQ(parse_url("https://a?q=1").value().target, "/?q=1");
  EXPECT_EQ(parse_url("HTTPS://a/").value().scheme, "https");
}

TEST(Url, writes_ipv6_in_brackets_and_keeps_it_without) {
  const auto url = parse_url("http://[::1]:8080/x").value();
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.authority(), "[::1]:8080");
}

TEST(Url, refuses_what_a_request_cannot_use) {
  for (const char* text : {"", "/path", "ftp://a/", "file:///etc/passwd", "http://", "https://:80/", "http://user@a/", "http://u:p@a/",
                           "https://a:8935#sha256/abc", "http://a:0/", "http://a:65536/", "http://a:x/", "http://a:89x/y", "http://a b/",
                           "http://a/\r\nX: y", "http://a%00b/", "http://[v1.x]/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(PercentCoding, keeps_only_unreserved_characters) {
  EXPECT_EQ(percent_encode("a-b._~Z9"), "a-b._~Z9");
  EXPECT_EQ(percent_encode("a b/ü%"), "a%20b%2F%C3%BC%25");
}

TEST(PercentCoding, decodes_strictly) {
  EXPECT_EQ(percent_decode("a%2Fb%2f").value(), "a/b/");
  EXPECT_EQ(percent_decode("a+b").value(), "a+b");
  for (const char* text : {"%", "%1", "%zz", "a%2"}) EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(Query, splits_decodes_and_takes_plus_as_space) {
  const auto query = parse_query("a=1&b=x+y%26z&flag&a=2&&=e").value();
  const Query expected{{"a", "1"}, {"b", "x y&z"}, {"flag", ""}, {"a", "2"}, {"", "e"}};
  EXPECT_EQ(query, expected);
  EXPECT_EQ(query_value(query, "a"), "1");
  EXPECT_EQ(query_value(query, "none"), std::nullopt);
  EXPECT_FALSE(parse_query("a=%"));
}

// RFC 9110 14.1.2 gives these for a representation of 10000 bytes.
TEST(Range, reads_the_examples_of_the_rfc) {
  const auto range = [](std::string_view header) { return parse_range(header, 10000).value(); };
  EXPECT_EQ(range("bytes=0-499")->first, 0u);
  EXPECT_EQ(range("bytes=0-499")->last, 499u);
  EXPECT_EQ(range("bytes=0-499")->size(), 500u);
  EXPECT_EQ(range("bytes=-500")->first, 9500u);
  EXPECT_EQ(range("bytes=-500")->last, 9999u);
  EXPECT_EQ(range("bytes=9500-")->first, 9500u);
  EXPECT_EQ(range("bytes=9500-")->last, 9999u);
  EXPECT_EQ(range("bytes=0-0")->size(), 1u);
}

TEST(Range, is_cut_to_the_content) {
  EXPECT_EQ(parse_range("bytes=5-100", 10).value()->last, 9u);
  EXPECT_EQ(parse_range("bytes=-100", 10).value()->first, 0u);
}

// RFC 9110 14.1.1: first-pos and last-pos are 1*DIGIT; 14.1.2: a last-pos past the content means the rest of it.
TEST(Range, positions_past_64_bits_lie_behind_the_content) {
  const auto cut = parse_range("bytes=4-99999999999999999999", 10).value();
  EXPECT_EQ(cut->first, 4u);
  EXPECT_EQ(cut->last, 9u);
  EXPECT_EQ(parse_range("bytes=-99999999999999999999", 10).value()->first, 0u);
  EXPECT_FALSE(parse_range("bytes=99999999999999999999-", 10));
}

TEST(Range, outside_of_the_content_is_an_error) {
  for (const char* header : {"bytes=10-", "bytes=10-20", "bytes=-0"}) EXPECT_FALSE(parse_range(header, 10)) << header;
  EXPECT_FALSE(parse_range("bytes=0-", 0));
  EXPECT_FALSE(parse_range("bytes=-5", 0));
}

TEST(Range, is_ignored_when_absent_malformed_or_of_another_kind) {
  EXPECT_EQ(parse_range(std::nullopt, 10).value().has_value(), false);
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=1-x",
                             "bytes=+1-2", "bytes= 1 - 2"}) {
    EXPECT_FALSE(parse_range(header, 10).value().has_value()) << header;
  }
}

// RFC 3986 5.4.1, as far as they are http URLs; a fragment is left out.
TEST(Url, leads_on_as_rfc_3986_says) {
  const std::pair<const char*, const char*> examples[] = {
      {"g", "http://a/b/c/g"},    {"./g", "http://a/b/c/g"},     {"g/", "http://a/b/c/g/"},   {"/g", "http://a/g"},
      {"//g", "http://g"},        {"?y", "http://a/b/c/d;p?y"},  {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},  {"g?y#s", "http://a/b/c/g?y"}, {";x", "http://a/b/c/;x"},   {"g;x", "http://a/b/c/g;x"},
      {"", "http://a/b/c/d;p?q"}, {".", "http://a/b/c/"},        {"./", "http://a/b/c/"},     {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},   {"../..", "http://a/"},        {"../../g", "http://a/g"},   {"https://x:8/y", "https://x:8/y"}};
  for (const auto& [location, expected] : examples)
    EXPECT_EQ(resolve_url("http://a/b/c/d;p?q", location).value_or("error"), expected) << location;
  EXPECT_FALSE(resolve_url("http://a/b", "http://[bad"));
  EXPECT_FALSE(resolve_url("http://a/b", "a b"));
}

}  // namespace
}  // namespace kinora::net

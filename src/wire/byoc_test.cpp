// Headers and bodies recorded from a reference node: tests/golden/wire/byoc-offchain and byoc-onchain.
#include "wire/byoc.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace kinora::wire {
namespace {

using base::ErrorCode;

std::string encode(std::string_view text) { return base::to_base64(base::as_bytes(text)); }

constexpr std::string_view kRecordedRegistration =
    R"({"name":"echo","description":"d","url":"http://127.0.0.1:9300","capacity":2,"price_per_unit":0,"price_scaling":1,"currency":"wei"})";
constexpr std::string_view kPin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

std::string registration_with(std::string_view members) {
  return R"({"name":"echo","url":"https://10.0.0.1:9300")" + (members.empty() ? "" : "," + std::string(members)) + "}";
}

TEST(Registration, reads_the_recorded_one) {
  const auto registration = parse_registration(kRecordedRegistration);
  ASSERT_TRUE(registration) << registration.error().message;
  EXPECT_EQ(registration->name, "echo");
  EXPECT_EQ(registration->url, "http://127.0.0.1:9300");
  EXPECT_EQ(registration->capacity, 2);
  EXPECT_EQ(registration->price.wei, 0);
  EXPECT_EQ(registration->price.units, 1);
  EXPECT_EQ(registration->ttl_s, 0);
  EXPECT_FALSE(registration->warm);
}

TEST(Registration, keeps_our_members_through_a_round_trip) {
  const auto registration = parse_registration(registration_with(
      R"("capacity":3,"price_per_unit":7,"price_scaling":2,"token":"t","warm":true,"group":"cuda:0","ttl_s":15,"tls_pin":")" +
      std::string(kPin) + R"(","unusable":"it lacks a weight","weights":"sha256:)" + std::string(64, '0') + "\""));
  ASSERT_TRUE(registration) << registration.error().message;
  EXPECT_EQ(registration->group, "cuda:0");
  EXPECT_EQ(registration->ttl_s, 15);
  EXPECT_EQ(registration->weights, "sha256:" + std::string(64, '0'));
  EXPECT_EQ(registration->unusable, "it lacks a weight");
  EXPECT_TRUE(registration->warm);
  EXPECT_EQ(parse_registration(format_registration(*registration)), *registration);
}

TEST(Registration, price_scaling_zero_means_one) {
  EXPECT_EQ(parse_registration(registration_with(R"("price_scaling":0)"))->price.units, 1);
}

TEST(Registration, trailing_slashes_of_the_url_are_dropped) {
  EXPECT_EQ(parse_registration(R"({"name":"echo","url":"http://127.0.0.1:9300/base//"})")->url, "http://127.0.0.1:9300/base");
}

TEST(Registration, unknown_members_are_tolerated) { EXPECT_TRUE(parse_registration(registration_with(R"("future":[1,2])"))); }

TEST(Registration, refuses_what_breaks_a_rule) {
  for (const auto* members :
       {R"("capacity":-1)", R"("capacity":65537)", R"("capacity":"2")", R"("price_per_unit":-1)", R"("currency":"usd")", R"("ttl_s":0)",
        R"("ttl_s":86401)", R"("tls_pin":"nonsense")", R"("token":"a\nb")", R"("token":"\u0000")", R"("token":"\u00e9")", R"("warm":1)",
        R"("weights":"sha256:0")", R"("weights":7)", R"("unusable":7)"}) {
    EXPECT_EQ(parse_registration(registration_with(members)).error().code, ErrorCode::invalid) << members;
  }
  for (const auto* text : {"", "[]", "{", R"({"name":"echo"})", R"({"url":"http://a:1"})", R"({"name":"a b","url":"http://a:1"})",
                           R"({"name":"echo","url":"ftp://a:1"})", R"({"name":"echo","url":"http://a:1/?q=1"})"}) {
    EXPECT_EQ(parse_registration(text).error().code, ErrorCode::invalid) << text;
  }
}

TEST(Registration, a_pin_needs_https) {
  EXPECT_FALSE(parse_registration(R"({"name":"echo","url":"http://127.0.0.1:1","tls_pin":")" + std::string(kPin) + "\"}"));
}

TEST(Registration, limits_are_enforced) {
  EXPECT_EQ(parse_registration(std::string(kMaxRegistrationText + 1, ' ')).error().code, ErrorCode::too_large);
  const auto name = [](std::size_t bytes) { return R"({"url":"http://a:1","name":")" + std::string(bytes, 'n') + "\"}"; };
  EXPECT_TRUE(parse_registration(name(kMaxCapabilityNameBytes)));
  EXPECT_FALSE(parse_registration(name(kMaxCapabilityNameBytes + 1)));
  EXPECT_FALSE(parse_registration(registration_with(R"("description":")" + std::string(kMaxDescriptionBytes + 1, 'd') + "\"")));
}

TEST(Unregistration, is_a_bare_name_or_json) {
  EXPECT_EQ(parse_unregistration("echo")->name, "echo");
  EXPECT_EQ(parse_unregistration("echo")->url, "");
  const auto one = parse_unregistration(R"({"name":"echo","url":"http://127.0.0.1:9300/"})");
  EXPECT_EQ(one->name, "echo");
  EXPECT_EQ(one->url, "http://127.0.0.1:9300");
  EXPECT_FALSE(parse_unregistration(""));
  EXPECT_FALSE(parse_unregistration("two words"));
  EXPECT_FALSE(parse_unregistration(R"({"name":"echo"})"));
}

TEST(JobHeader, reads_the_recorded_off_chain_one) {
  const auto job = parse_job_header(
      "eyJyZXF1ZXN0Ijoie1wicnVuXCI6XCJlY2hvXCJ9IiwicGFyYW1ldGVycyI6Int9IiwiY2FwYWJpbGl0eSI6ImVjaG8iLCJ0aW1lb3V0X3NlY29uZHMiOjEwfQ==");
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(job->request, R"({"run":"echo"})");
  EXPECT_EQ(job->parameters, "{}");
  EXPECT_EQ(job->capability, "echo");
  EXPECT_EQ(job->timeout_s, 10);
  EXPECT_EQ(job->sig, "");
}

TEST(JobHeader, reads_the_recorded_signed_one) {
  const auto job = parse_job_header(
      "eyJpZCI6IiIsInJlcXVlc3QiOiJ7XCJydW5cIjpcImVjaG9cIn0iLCJwYXJhbWV0ZXJzIjoie30iLCJjYXBhYmlsaXR5IjoiZWNobyIsImNhcGFiaWxpdHlfdXJsIjoiIiwi"
      "c2VuZGVyIjoiMHhDODU0NDU5NzEyQTY1NDJDMGY4NDk5ZGU3RDI0MkY4NEVBZGRiZjNkIiwic2lnIjoiMHgxYjM5MDcxMDc2MjdhODZiYzc3YzRjNTU4MmIyMjNlZTBlMjEz"
      "ODg2ZTMwZGQzNDRmOTZmZjNiYjE4NjFjZGMwNzU2OGU2YTQxMDA3MTYxYzdkNDA3ZGY5YzZiZWNlYWI2YzBkNGZjNGYzYjNhZThlZjZiMzc3ZGUwODE5YzkxNjFiIiwidGlt"
      "ZW91dF9zZWNvbmRzIjoxMCwiT3JjaFNlYXJjaFRpbWVvdXQiOjEwMDAwMDAwMDAsIk9yY2hTZWFyY2hSZXNwVGltZW91dCI6NTAwMDAwMDAwfQ==");
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(job->sender, "0xC854459712A6542C0f8499de7D242F84EAddbf3d");
  EXPECT_EQ(job->sig.size(), 132u);
}

TEST(JobHeader, survives_a_round_trip_with_the_members_of_the_reference) {
  const JobHeader job{"att_1", R"({"attempt":"att_1"})", "{}", "video-upscale", std::string(kZeroAddress), "", 900};
  const auto text = format_job_header(job);
  const auto parsed = parse_job_header(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, job.id);
  EXPECT_EQ(parsed->request, job.request);
  EXPECT_EQ(parsed->capability, job.capability);
  EXPECT_EQ(parsed->timeout_s, 900);
  const auto object = base::parse_json(base::as_text(*base::from_base64(text)))->as_object();
  for (const auto* member : {"id", "request", "parameters", "capability", "capability_url", "sender", "sig", "timeout_seconds",
                             "OrchSearchTimeout", "OrchSearchRespTimeout"}) {
    EXPECT_TRUE(object.contains(member)) << member;
  }
}

TEST(JobHeader, accepts_the_empty_signatures_of_off_chain_gateways) {
  EXPECT_TRUE(parse_job_header(encode(R"({"capability":"echo","timeout_seconds":1,"sig":"0x"})")));
  EXPECT_TRUE(parse_job_header(encode(R"({"capability":"echo","timeout_seconds":1,"sig":""})")));
}

TEST(JobHeader, refuses_what_breaks_a_rule) {
  EXPECT_FALSE(parse_job_header("not base64"));
  for (const auto* text :
       {"", "[]", "{}", R"({"capability":"echo"})", R"({"capability":"echo","timeout_seconds":0})", R"({"timeout_seconds":1})",
        R"({"capability":"echo","timeout_seconds":86401})", R"({"capability":"echo","timeout_seconds":"1"})",
        R"({"capability":"","timeout_seconds":1})", R"({"capability":"echo","timeout_seconds":1,"sender":"0x12"})",
        R"({"capability":"echo","timeout_seconds":1,"sig":"0xzz"})", R"({"capability":"echo","timeout_seconds":1,"id":5})"}) {
    EXPECT_FALSE(parse_job_header(encode(text))) << text;
  }
  EXPECT_EQ(parse_job_header(std::string(kMaxJobHeaderBytes + 4, 'A')).error().code, ErrorCode::too_large);
}

TEST(AddressHeader, accepts_the_empty_signature_that_the_reference_refuses) {
  // Sent by an off-chain reference gateway, which its own orchestrator answers with 400.
  const auto header = parse_address_header("eyJhZGRyIjoiMHgwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwIiwic2lnIjoiMHgifQ==");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->address, kZeroAddress);
  EXPECT_EQ(header->sig, "0x");
}

TEST(AddressHeader, refuses_bad_addresses_and_signatures) {
  EXPECT_FALSE(parse_address_header(encode(R"({"addr":"0x00","sig":"0x"})")));
  EXPECT_FALSE(parse_address_header(encode(R"({"sig":"0x"})")));
  EXPECT_FALSE(parse_address_header(encode(R"({"addr":"0x0000000000000000000000000000000000000000","sig":"0x0"})")));
  EXPECT_FALSE(parse_address_header("%"));
  EXPECT_EQ(parse_address_header(std::string(kMaxAddressHeaderBytes + 4, 'A')).error().code, ErrorCode::too_large);
}

TEST(JobToken, has_the_members_of_the_reference_in_its_order) {
  const JobToken token{{"0xC854459712A6542C0f8499de7D242F84EAddbf3d", "0x63"}, {1010, 1}, "https://127.0.0.1:28940", 2};
  EXPECT_EQ(
      format_job_token(token),
      R"({"sender_address":{"addr":"0xC854459712A6542C0f8499de7D242F84EAddbf3d","sig":"0x63"},)"
      R"("price":{"pricePerUnit":1010,"pixelsPerUnit":1},"service_addr":"https://127.0.0.1:28940","available_capacity":2,"LastNonce":0})"
      "\n");
}

TEST(JobToken, leaves_a_zero_price_out) {
  EXPECT_NE(format_job_token({{}, {0, 1}, "", 0}).find(R"("price":{"pixelsPerUnit":1})"), std::string::npos);
}

}  // namespace
}  // namespace kinora::wire

#include "wire/segment_header.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace kinora::wire {
namespace {

using base::ErrorCode;

// Header recorded from a reference gateway: tests/golden/wire/segment-fullprofiles3-offchain.
constexpr std::string_view kRecorded =
    "CgRjZmcxGiDsPOn2Ib5PpWLVDMbSFPfWba8bK/QhhWYz3okQGR5UoyIHaW52YWxpZDDQDzoICgSLsYAgKgBCMgog24czBMb6vpFiPM+NoFCf1lnp6FSSwj3k"
    "RzqKO4bhofcSCDJiYWQ4MmVjGKjTjNgGmgIfggEDbG93iAGgAZABWpgBwJoMoAEPsAEBuAEBwAHoB5oCFoIBA21pZIgBwAKQAbQBmAGAtRigAR4=";

RenditionProfile plain(std::string name) {
  RenditionProfile profile;
  profile.name = std::move(name);
  profile.width = 256;
  profile.height = 144;
  profile.bitrate = 400'000;
  profile.fps = 30;
  return profile;
}

base::Result<SegmentHeader> parse(const pb::SegData& message) { return parse_segment_header(format_segment_header(message)); }

pb::SegData with_profile(const std::function<void(pb::VideoProfile&)>& change) {
  pb::SegData message;
  change(*message.add_fullprofiles3());
  return message;
}

TEST(SegmentHeader, reads_what_a_reference_gateway_sent) {
  const auto header = parse_segment_header(kRecorded);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->message.manifestid(), "cfg1");
  EXPECT_EQ(header->message.auth_token().session_id(), "2bad82ec");
  EXPECT_EQ(header->duration, std::chrono::milliseconds(2000));
  ASSERT_EQ(header->profiles.size(), 2u);
  const auto& low = header->profiles[0];
  EXPECT_EQ(low.name, "low");
  EXPECT_EQ(low.width, 160);
  EXPECT_EQ(low.height, 90);
  EXPECT_EQ(low.bitrate, 200'000);
  EXPECT_EQ(low.fps, 15u);
  EXPECT_EQ(low.fps_den, 1u);
  EXPECT_EQ(low.profile, pb::VideoProfile::H264_BASELINE);
  EXPECT_EQ(low.gop_ms, 1000);
  EXPECT_EQ(header->profiles[1].name, "mid");
  EXPECT_EQ(header->profiles[1].fps, 30u);
}

TEST(SegmentHeader, written_again_has_the_same_bytes) {
  const auto header = parse_segment_header(kRecorded);
  pb::SegData again = header->message;
  set_profiles(again, header->profiles);
  EXPECT_EQ(format_segment_header(again), kRecorded);
}

TEST(SegmentHeader, an_unnamed_rendition_gets_the_orchestrators_name) {
  const auto header = parse(with_profile([](pb::VideoProfile& profile) {
    profile.set_width(123);
    profile.set_height(456);
    profile.set_bitrate(432'000);
  }));
  EXPECT_EQ(header->profiles.at(0).name, "net_123x456_432000");
}

TEST(SegmentHeader, the_newest_list_of_profiles_wins) {
  pb::SegData message;
  message.add_fullprofiles()->set_name("one");
  EXPECT_EQ(parse(message)->profiles.at(0).name, "one");
  message.add_fullprofiles2()->set_name("two");
  EXPECT_EQ(parse(message)->profiles.at(0).name, "two");
  message.add_fullprofiles3()->set_name("three");
  EXPECT_EQ(parse(message)->profiles.at(0).name, "three");
}

TEST(SegmentHeader, writers_choose_the_oldest_list_that_can_say_it) {
  pb::SegData message;
  set_profiles(message, {plain("a"), plain("b")});
  EXPECT_EQ(message.fullprofiles_size(), 2);
  EXPECT_EQ(message.profiles(), "invalid");
  auto mp4 = plain("b");
  mp4.format = pb::VideoProfile::MP4;
  set_profiles(message, {plain("a"), mp4});
  EXPECT_EQ(message.fullprofiles_size(), 0);
  EXPECT_EQ(message.fullprofiles2_size(), 2);
  auto gop = plain("c");
  gop.gop_ms = -1;
  set_profiles(message, {mp4, gop});
  EXPECT_EQ(message.fullprofiles2_size(), 0);
  EXPECT_EQ(message.fullprofiles3_size(), 2);
  EXPECT_EQ(parse(message)->profiles, (std::vector<RenditionProfile>{mp4, gop}));
}

TEST(SegmentHeader, refuses_unknown_formats_profiles_and_codecs) {
  const auto error = [](auto change) { return parse(with_profile(change)).error().message; };
  EXPECT_EQ(error([](pb::VideoProfile& p) { p.set_format(static_cast<pb::VideoProfile::Format>(9)); }),
            "unrecognized profile output format");
  EXPECT_EQ(error([](pb::VideoProfile& p) { p.set_profile(static_cast<pb::VideoProfile::Profile>(9)); }), "unrecognized encoder profile");
  EXPECT_EQ(error([](pb::VideoProfile& p) { p.set_encoder(static_cast<pb::VideoProfile::VideoCodec>(9)); }), "unrecognized video codec");
  EXPECT_EQ(error([](pb::VideoProfile& p) { p.set_width(-1); }), "negative size or bitrate");
}

TEST(SegmentHeader, durations_are_bounded_and_zero_means_two_seconds) {
  pb::SegData message;
  EXPECT_EQ(parse(message)->duration, std::chrono::milliseconds(2000));
  message.set_duration(300'000);
  EXPECT_TRUE(parse(message));
  message.set_duration(300'001);
  EXPECT_EQ(parse(message).error().message, "invalid duration");
  message.set_duration(-1);
  EXPECT_EQ(parse(message).error().message, "invalid duration");
}

TEST(SegmentHeader, refuses_what_is_no_base64_or_no_message) {
  EXPECT_EQ(parse_segment_header("***").error().message, "ErrorSegEncoding");
  EXPECT_EQ(parse_segment_header("/////w==").error().code, ErrorCode::invalid);
}

TEST(SegmentHeader, refuses_what_is_past_its_limits) {
  EXPECT_EQ(parse_segment_header(std::string(kMaxSegmentHeaderBytes + 4, 'A')).error().code, ErrorCode::too_large);
  pb::SegData message;
  for (int i = 0; i < kMaxRenditions; ++i) message.add_fullprofiles();
  EXPECT_TRUE(parse(message));
  message.add_fullprofiles();
  EXPECT_EQ(parse(message).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace kinora::wire

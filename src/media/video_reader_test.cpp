#include "media/video_reader.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "media/av.hpp"
#include "media/test_tools.hpp"

namespace kinora::media {
namespace {

using namespace testing;

std::vector<double> times_of(VideoReader& reader) {
  std::vector<double> times;
  for (;;) {
    auto frame = reader.next();
    EXPECT_TRUE(frame.has_value()) << frame.error().message;
    if (!frame || !*frame) return times;
    times.push_back((*frame)->pts().seconds());
  }
}

void expect_times_of_ffprobe(const std::string& name) {
  SCOPED_TRACE(name);
  auto reader = VideoReader::open(clip(name));
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  const auto ours = times_of(*reader);
  const auto theirs = frame_times(clip(name));
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], theirs[i], 2e-6) << i;
}

TEST(VideoReader, gives_the_frames_and_times_that_ffprobe_decodes) {
  for (const char* name : {"london_roofs_360p_5s.mp4", "odd/vfr_640x360.mp4", "odd/videoonly_bpyramid_800x640.mp4",
                           "odd/editlist_bframes_videoonly.mp4", "odd/odd_size_321x181_vp9_opus.webm", "bbb_360p_2s_002.ts"})
    expect_times_of_ffprobe(name);
}

TEST(VideoReader, gives_exactly_the_frames_from_start_up_to_end) {
  const auto all = frame_times(clip("london_roofs_360p_5s.mp4"));
  VideoReaderOptions options;
  options.start = Timestamp{1, {1, 1}};
  options.end = Timestamp{3, {2, 1}};  // 6 s: past the end
  options.end = Timestamp{5, {1, 2}};  // 2.5 s
  std::vector<double> wanted;
  for (const double t : all)
    if (t >= 1.0 - 1e-9 && t < 2.5 - 1e-9) wanted.push_back(t);
  ASSERT_FALSE(wanted.empty());
  for (const bool seek : {false, true}) {
    options.seek = seek;
    auto reader = VideoReader::open(clip("london_roofs_360p_5s.mp4"), options);
    ASSERT_TRUE(reader.has_value());
    EXPECT_EQ(reader->frames_expected(), 45);  // 1.5 s at 30
    const auto got = times_of(*reader);
    ASSERT_EQ(got.size(), wanted.size()) << "seek " << seek;
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 2e-6);
  }
}

TEST(VideoReader, names_full_range_by_tag_and_not_by_format) {
  ScratchDir dir;
  const std::string full = dir / "full.mp4";
  ASSERT_TRUE(ffmpeg(clip("odd/tiny_16x16.mp4"), "-vf scale=64:64:out_range=full -pix_fmt yuvj420p -c:v libx264", full));
  auto reader = VideoReader::open(full);
  ASSERT_TRUE(reader.has_value());
  const auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->pixel_format(), "yuv420p");
  EXPECT_EQ((*frame)->color().range, ColorRange::full);
}

TEST(VideoReader, keeps_hdr_tags_on_every_frame) {
  auto reader = VideoReader::open(clip("odd/hdr10_av1_portrait_720x1280.mp4"));
  ASSERT_TRUE(reader.has_value());
  const auto frame = reader->next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->color(), (ColorTags{9, 16, 9, ColorRange::limited}));
  EXPECT_EQ((*frame)->bit_depth(), 10);
}

TEST(VideoReader, refuses_what_has_no_video_or_no_decoder) {
  const auto audio = VideoReader::open(clip("odd/audioonly_flac_cover_picture.flac"));
  ASSERT_FALSE(audio.has_value());
  EXPECT_EQ(audio.error().code, base::ErrorCode::unsupported);
  const auto vvc = VideoReader::open(clip("odd/vvc_320x180_codec_often_missing.mp4"));
  ASSERT_FALSE(vvc.has_value());
  EXPECT_EQ(vvc.error().code, base::ErrorCode::unsupported);
}

TEST(VideoReader, says_invalid_when_no_picture_can_be_decoded) {
  auto reader = VideoReader::open(clip("broken/zero_video_frames.ts"));
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  const auto frame = reader->next();
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().code, base::ErrorCode::invalid);
}

TEST(VideoReader, gives_what_a_truncated_file_still_holds) {
  auto reader = VideoReader::open(clip("broken/truncated_mdat_moov_first.mp4"));
  ASSERT_TRUE(reader.has_value());
  const auto ours = times_of(*reader);
  EXPECT_EQ(ours.size(), frame_times(clip("broken/truncated_mdat_moov_first.mp4")).size());
  EXPECT_GT(ours.size(), 10U);
}

TEST(VideoReader, counts_damage_and_keeps_times_rising_when_packets_are_lost) {
  auto reader = VideoReader::open(clip("broken/lost_packets.ts"));
  ASSERT_TRUE(reader.has_value());
  const auto times = times_of(*reader);
  EXPECT_GT(times.size(), 60U);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_LT(times[i - 1], times[i]);
  EXPECT_GT(reader->damaged_frames(), 0);
}

TEST(VideoReader, keeps_the_first_size_when_the_stream_changes_its_own) {
  ScratchDir dir;
  ASSERT_TRUE(ffmpeg(clip("bbb_360p_2s_002.ts"), "-frames:v 10 -an -c:v libx264 -bsf:v h264_mp4toannexb", dir / "a.ts"));
  ASSERT_TRUE(ffmpeg(clip("bbb_360p_2s_002.ts"), "-frames:v 10 -an -vf scale=320:180 -output_ts_offset 10 -c:v libx264", dir / "b.ts"));
  ASSERT_EQ(shell("cat " + (dir / "a.ts") + " " + (dir / "b.ts") + " > " + (dir / "ab.ts")).status, 0);
  auto reader = VideoReader::open(dir / "ab.ts");
  ASSERT_TRUE(reader.has_value());
  int frames = 0;
  for (;; ++frames) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.has_value());
    if (!*frame) break;
    EXPECT_EQ((*frame)->width(), 640);
    EXPECT_EQ((*frame)->height(), 360);
  }
  EXPECT_EQ(frames, 20);
  EXPECT_EQ(reader->resized_frames(), 10);
}

std::string luma_of(const Frame& frame) {
  std::string bytes;
  for (int y = 0; y < frame.height(); ++y)
    bytes.append(reinterpret_cast<const char*>(frame.av()->data[0]) + std::ptrdiff_t{y} * frame.av()->linesize[0],
                 static_cast<std::size_t>(frame.width()));
  return bytes;
}

// Fields of two moments in one picture: ffmpeg weaves them, and its yadif is the reference, sample by sample.
TEST(VideoReader, deinterlaces_flagged_pictures_one_for_one_at_their_times) {
  ScratchDir dir;
  const std::string in = dir / "in.mp4", peer = dir / "peer.yuv";
  ASSERT_TRUE(ffmpeg(clip("london_roofs_360p_5s.mp4"),
                     "-an -t 0.6 -vf scale=192:144,fps=50,tinterlace=interleave_top,setfield=tff -c:v libx264 -flags +ildct+ilme", in));
  ASSERT_TRUE(ffmpeg(in, "-vf yadif=mode=send_frame:deint=interlaced,extractplanes=y -f rawvideo", peer));
  std::ifstream raw(peer, std::ios::binary);
  const std::string wanted{std::istreambuf_iterator<char>(raw), {}};
  const auto times = frame_times(in);
  VideoReaderOptions options;
  options.deinterlace = true;
  auto reader = VideoReader::open(in, options);
  ASSERT_TRUE(reader.has_value());
  std::string got;
  std::vector<double> our_times;
  for (;;) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.has_value()) << frame.error().message;
    if (!*frame) break;
    EXPECT_FALSE((*frame)->interlaced());
    our_times.push_back((*frame)->pts().seconds());
    EXPECT_EQ((*frame)->duration_ticks() * (*frame)->pts().base.value(), 0.04);
    got += luma_of(**frame);
  }
  ASSERT_EQ(our_times.size(), times.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(our_times[i], times[i], 2e-6);
  EXPECT_EQ(reader->deinterlaced_frames(), static_cast<std::int64_t>(times.size()));
  EXPECT_TRUE(got == wanted) << got.size() << " and " << wanted.size() << " bytes";
}

TEST(VideoReader, leaves_progressive_pictures_alone_when_it_may_deinterlace) {
  VideoReaderOptions options;
  options.deinterlace = true;
  auto plain = VideoReader::open(clip("odd/tiny_16x16.mp4")), careful = VideoReader::open(clip("odd/tiny_16x16.mp4"), options);
  ASSERT_TRUE(plain && careful);
  for (;;) {
    const auto a = plain->next(), b = careful->next();
    ASSERT_TRUE(a && b);
    ASSERT_EQ(a->has_value(), b->has_value());
    if (!*a) break;
    EXPECT_TRUE(luma_of(**a) == luma_of(**b));
  }
  EXPECT_EQ(careful->deinterlaced_frames(), 0);
}

TEST(VideoReader, refuses_pictures_beyond_the_limit) {
  VideoReaderOptions options;
  options.limits.max_pixels = 640 * 360 - 1;
  const auto reader = VideoReader::open(clip("london_roofs_360p_5s.mp4"), options);
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code, base::ErrorCode::too_large);
  options.limits.max_pixels = 640 * 360;
  EXPECT_TRUE(VideoReader::open(clip("london_roofs_360p_5s.mp4"), options).has_value());
}

}  // namespace
}  // namespace kinora::media

#include "gateway/verdict.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

using Delivered = std::vector<jobs::DeliveredFile>;

tasks::TaskOrder order(std::string task, std::string_view params) {
  tasks::TaskOrder out;
  out.task = std::move(task);
  out.params = base::parse_json(params)->as_object();
  return out;
}

MediaFacts video(int width, int height, double duration_s, double fps = 25) {
  MediaFacts facts;
  facts.video = true;
  facts.width = width;
  facts.height = height;
  facts.duration_s = duration_s;
  facts.fps = fps;
  return facts;
}

const jobs::DeliveredFile kFile{"video", "out.mp4", "video/mp4", "", 1};

TEST(Verdict, a_video_upscaled_by_two_has_twice_the_size_and_the_same_duration) {
  const auto upscale = order("video-upscale", R"({"scale":2})");
  EXPECT_FALSE(judge_file(upscale, video(320, 180, 10), kFile, video(640, 360, 10)));
  EXPECT_FALSE(judge_file(upscale, video(320, 180, 10), kFile, video(640, 360, 10.09)));
  EXPECT_TRUE(judge_file(upscale, video(320, 180, 10), kFile, video(640, 358, 10)));
  EXPECT_TRUE(judge_file(upscale, video(320, 180, 10), kFile, video(320, 180, 10)));
  EXPECT_TRUE(judge_file(upscale, video(320, 180, 10), kFile, video(640, 360, 9.5)));
  EXPECT_TRUE(judge_file(upscale, video(320, 180, 10), kFile, video(640, 360, 0)));
}

// A model rounds (models/pipeline.hpp): 848x470 to 848x464, 5 s at 16 a second to 81 frames.
TEST(Verdict, a_video_from_a_prompt_has_size_rate_and_length_as_asked_up_to_what_models_round) {
  const auto asked = order("text-to-video", R"({"width":848,"height":470,"duration_s":5.0,"fps":16})");
  EXPECT_FALSE(judge_file(asked, {}, kFile, video(848, 464, 81.0 / 16, 16)));
  EXPECT_FALSE(judge_file(asked, {}, kFile, video(832, 448, 77.0 / 16, 16)));
  EXPECT_TRUE(judge_file(asked, {}, kFile, video(848, 480, 81.0 / 16, 16)));  // never larger
  EXPECT_TRUE(judge_file(asked, {}, kFile, video(768, 464, 81.0 / 16, 16)));
  EXPECT_TRUE(judge_file(asked, {}, kFile, video(848, 464, 2.5, 16)));
  EXPECT_TRUE(judge_file(asked, {}, kFile, video(848, 464, 81.0 / 24, 24)));
  EXPECT_FALSE(judge_file(order("text-to-video", R"({"prompt":"x"})"), {}, kFile, video(64, 48, 1)));  // the model's own
  EXPECT_FALSE(judge_file(order("text-to-video", R"({"width":16,"height":24})"), {}, kFile, video(32, 32, 1)));
  MediaFacts short_one = video(64, 48, 1);
  short_one.frames = 25;
  EXPECT_FALSE(judge_file(order("image-to-video", R"({"frames":32})"), {}, kFile, short_one));
  EXPECT_TRUE(judge_file(order("image-to-video", R"({"frames":33})"), {}, kFile, short_one));
  const auto longer = order("video-extend", R"({"duration_s":2.0})");
  EXPECT_FALSE(judge_file(longer, video(64, 48, 4), kFile, video(64, 48, 6)));
  EXPECT_TRUE(judge_file(longer, video(64, 48, 4), kFile, video(64, 48, 2)));
}

TEST(Verdict, as_many_pictures_as_were_asked) {
  const auto asked = order("text-to-image", R"({"n":2,"width":512,"height":512})");
  const jobs::DeliveredFile picture{"images", "images/0.png", "image/png", "", 1};
  EXPECT_FALSE(judge_set(asked, {picture, picture}, {}));
  EXPECT_TRUE(judge_set(asked, {picture}, {}));
  EXPECT_FALSE(judge_file(asked, {}, picture, video(512, 512, 0)));
  EXPECT_TRUE(judge_file(asked, {}, picture, video(256, 512, 0)));
}

TEST(Verdict, one_frame_of_a_slow_video_may_be_missing_from_the_duration) {
  const auto upscale = order("video-upscale", R"({"scale":2})");
  EXPECT_FALSE(judge_file(upscale, video(320, 180, 10, 2), kFile, video(640, 360, 9.5, 2)));
  EXPECT_TRUE(judge_file(upscale, video(320, 180, 10, 2), kFile, video(640, 360, 9.4, 2)));
}

TEST(Verdict, a_rendition_has_the_size_that_was_asked_for_or_that_of_its_source) {
  const auto listed =
      order("transcode", R"({"renditions":[{"name":"a","height":180},{"name":"b","width":1280,"height":720},{"name":"c"}]})");
  const auto bad = [&](const tasks::TaskOrder& asked, const char* name, MediaFacts source, MediaFacts result) {
    return judge_file(asked, source, {"renditions", name, "video/mp4", "", 1}, result).has_value();
  };
  const MediaFacts film = video(1920, 1080, 10);
  EXPECT_FALSE(bad(listed, "a.mp4", film, video(320, 180, 10)));
  EXPECT_TRUE(bad(listed, "a.mp4", film, video(160, 90, 10)));
  EXPECT_TRUE(bad(listed, "a.mp4", film, video(1920, 1080, 10)));
  EXPECT_FALSE(bad(listed, "a.mp4", video(160, 90, 10), video(160, 90, 10)));  // never larger than its source
  EXPECT_FALSE(bad(listed, "b.mp4", film, video(1280, 720, 10)));
  EXPECT_FALSE(bad(listed, "b.mp4", video(1080, 1920, 10), video(720, 1280, 10)));
  EXPECT_FALSE(bad(listed, "b.mp4", video(1440, 1080, 10), video(960, 720, 10)));
  EXPECT_TRUE(bad(listed, "b.mp4", film, video(640, 360, 10)));
  EXPECT_FALSE(bad(listed, "c.mp4", video(320, 180, 10), video(320, 180, 10)));
  EXPECT_TRUE(bad(listed, "c.mp4", video(320, 180, 10), video(160, 90, 10)));
  EXPECT_FALSE(bad(listed, "a.mp4", video(480, 576, 10), video(320, 180, 10)));  // 64:27 a pixel
  const auto automatic = order("transcode", R"({"ladder":"auto"})");
  EXPECT_FALSE(bad(automatic, "720p.mp4", film, video(1280, 720, 10)));
  EXPECT_TRUE(bad(automatic, "720p.mp4", film, video(640, 360, 10)));
  EXPECT_TRUE(bad(automatic, "90p.mp4", film, video(160, 90, 10)));
  EXPECT_FALSE(bad(automatic, "90p.mp4", video(160, 90, 10), video(160, 90, 10)));
}

TEST(Verdict, a_chunk_is_not_held_to_the_duration_of_the_whole) {
  const auto chunk = order("video-upscale", R"({"scale":2,"range":{"start_pts":0,"end_pts":100}})");
  EXPECT_FALSE(judge_file(chunk, video(320, 180, 100), kFile, video(640, 360, 10)));
  EXPECT_TRUE(judge_file(chunk, video(320, 180, 100), kFile, video(320, 180, 10)));
}

TEST(Verdict, an_unknown_source_sets_no_size_but_a_result_needs_a_picture) {
  const auto upscale = order("video-upscale", R"({"scale":2})");
  EXPECT_FALSE(judge_file(upscale, {}, kFile, video(640, 360, 10)));
  EXPECT_TRUE(judge_file(upscale, {}, kFile, {}));
}

TEST(Verdict, sound_alone_gives_sound_alone_but_never_replaces_a_picture) {
  MediaFacts sound;
  sound.audio = true;
  sound.duration_s = 10;
  const auto transcode = order("transcode", "{}");
  EXPECT_FALSE(judge_file(transcode, sound, kFile, sound));
  EXPECT_TRUE(judge_file(transcode, video(320, 180, 10), kFile, sound));
  EXPECT_TRUE(judge_file(order("video-upscale", R"({"scale":2})"), sound, kFile, sound));
  MediaFacts shorter = sound;
  shorter.duration_s = 8;
  EXPECT_TRUE(judge_file(transcode, sound, kFile, shorter));
}

TEST(Verdict, a_video_of_any_scale_has_whole_and_even_sides) {
  const auto upscale = order("video-upscale", R"({"scale":1.5})");
  EXPECT_FALSE(judge_file(upscale, video(321, 181, 10), kFile, video(482, 272, 10)));  // 481.5 x 271.5
  EXPECT_TRUE(judge_file(upscale, video(321, 181, 10), kFile, video(484, 272, 10)));
}

TEST(Verdict, an_interpolated_video_has_the_sources_size_and_duration) {
  const auto smooth = order("frame-interpolation", R"({"factor":2})");
  EXPECT_FALSE(judge_file(smooth, video(321, 180, 10), kFile, video(322, 180, 10)));
  EXPECT_TRUE(judge_file(smooth, video(320, 180, 10), kFile, video(640, 360, 10)));
  EXPECT_TRUE(judge_file(smooth, video(320, 180, 10), kFile, video(320, 180, 5)));
  const auto chunk = order("frame-interpolation", R"({"range":{"start_pts":0,"end_pts":100,"origin_pts":0}})");
  EXPECT_FALSE(judge_file(chunk, video(320, 180, 10), kFile, video(320, 180, 5)));
}

TEST(Verdict, an_enhanced_video_has_the_scale_of_its_even_sides_and_the_duration) {
  const auto both = order("video-enhance", R"({"scale":2,"factor":2})");
  EXPECT_FALSE(judge_file(both, video(321, 181, 10), kFile, video(642, 362, 10)));  // enlarged first
  EXPECT_FALSE(judge_file(both, video(321, 181, 10), kFile, video(644, 364, 10)));  // interpolated first: 322 x 182
  EXPECT_TRUE(judge_file(both, video(321, 181, 10), kFile, video(646, 364, 10)));
  EXPECT_TRUE(judge_file(both, video(320, 180, 10), kFile, video(640, 360, 5)));
  const auto chunk = order("video-enhance", R"({"scale":2,"range":{"start_pts":0,"end_pts":100,"origin_pts":0}})");
  EXPECT_FALSE(judge_file(chunk, video(320, 180, 10), kFile, video(640, 360, 5)));
}

TEST(Verdict, an_image_has_the_scale_and_a_thumbnail_at_most_the_width) {
  EXPECT_FALSE(judge_file(order("image-upscale", R"({"scale":4})"), video(10, 20, 0), kFile, video(40, 80, 0)));
  EXPECT_TRUE(judge_file(order("image-upscale", R"({"scale":4})"), video(10, 20, 0), kFile, video(20, 40, 0)));
  EXPECT_FALSE(judge_file(order("thumbnail", R"({"width":160})"), video(320, 180, 10), kFile, video(160, 90, 0)));
  EXPECT_TRUE(judge_file(order("thumbnail", R"({"width":160})"), video(320, 180, 10), kFile, video(320, 180, 0)));
}

TEST(Verdict, a_clip_and_a_loop_are_as_long_as_was_asked) {
  const auto clip = order("clip", R"({"start_s":2,"end_s":5})");
  EXPECT_FALSE(judge_file(clip, video(320, 180, 10), kFile, video(320, 180, 3)));
  EXPECT_TRUE(judge_file(clip, video(320, 180, 10), kFile, video(320, 180, 4)));
  EXPECT_FALSE(judge_file(order("clip", R"({"start_s":2})"), video(320, 180, 10), kFile, video(320, 180, 8)));
  EXPECT_TRUE(judge_file(order("clip", R"({"start_s":1,"duration_s":2})"), video(320, 180, 10), kFile, video(320, 180, 1)));
  EXPECT_FALSE(judge_file(order("loop", R"({"count":3})"), video(320, 180, 2), kFile, video(320, 180, 6)));
  EXPECT_TRUE(judge_file(order("loop", R"({"count":3})"), video(320, 180, 2), kFile, video(320, 180, 4)));
  EXPECT_TRUE(judge_file(order("loop", R"({"duration_s":9})"), video(320, 180, 2), kFile, video(320, 180, 4)));
}

TEST(Verdict, extracted_sound_has_no_picture_but_sound) {
  MediaFacts sound;
  sound.audio = true;
  sound.duration_s = 1;
  const auto extract = order("extract-audio", R"({"start_s":0,"end_s":1})");
  EXPECT_FALSE(judge_file(extract, video(320, 180, 10), kFile, sound));
  EXPECT_TRUE(judge_file(extract, video(320, 180, 10), kFile, video(320, 180, 1)));
  sound.duration_s = 3;
  EXPECT_TRUE(judge_file(extract, video(320, 180, 10), kFile, sound));
}

TEST(Verdict, facts_come_from_a_media_object) {
  const auto facts = facts_of(*base::parse_json(
      R"({"format":"mp4","duration_s":2.5,"width":320,"height":180,"fps":25,"streams":[{"type":"video","frames":62},{"type":"audio"}]})"));
  EXPECT_TRUE(facts.video);
  EXPECT_TRUE(facts.audio);
  EXPECT_EQ(facts.width, 320);
  EXPECT_EQ(facts.frames, 62);
  EXPECT_DOUBLE_EQ(facts.duration_s, 2.5);
  EXPECT_FALSE(facts_of(nullptr).video);
  EXPECT_FALSE(facts_of(json::array{1}).video);
  EXPECT_FALSE(facts_of(*base::parse_json(R"({"streams":[1,{"type":2}],"width":"x"})")).video);
}

// RFC 8216, section 8.4 (master playlist) and 4.3.2.5 (EXT-X-MAP).
TEST(Playlist, names_its_files_relative_to_itself) {
  EXPECT_EQ(playlist_names("hls/master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1280000\nlow/audio-video.m3u8\r\n\n"),
            std::vector<std::string>{"hls/low/audio-video.m3u8"});
  EXPECT_EQ(playlist_names("a.m3u8", "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"1@0\"\n#EXTINF:2,\ns1.m4s\n"),
            (std::vector<std::string>{"init.mp4", "s1.m4s"}));
  EXPECT_TRUE(playlist_names("a.m3u8", "#EXTM3U\nhttp://other/x.ts\n#EXT-X-MAP:URI=\"").empty());
}

TEST(FileSet, an_hls_ladder_must_hold_every_file_that_its_playlists_name) {
  const auto transcode = order("transcode", R"({"formats":["hls"]})");
  const Delivered files{{"hls", "hls/master.m3u8", "", "", 1}, {"hls", "hls/v0/index.m3u8", "", "", 1}, {"hls", "hls/v0/0.ts", "", "", 1}};
  const std::vector<std::pair<std::string, std::string>> good{{"hls/master.m3u8", "#EXTM3U\nv0/index.m3u8\n"},
                                                              {"hls/v0/index.m3u8", "#EXTM3U\n#EXTINF:2,\n0.ts\n"}};
  EXPECT_FALSE(judge_set(transcode, files, good));
  const std::vector<std::pair<std::string, std::string>> bad{{"hls/v0/index.m3u8", "#EXTM3U\n0.ts\n1.ts\n"}};
  EXPECT_TRUE(judge_set(transcode, files, bad));
}

TEST(FileSet, every_slot_that_was_asked_for_has_a_file) {
  EXPECT_TRUE(judge_set(order("transcode", R"({"formats":["hls","mp4"]})"), {{"hls", "m.m3u8", "", "", 1}}, {}));
  EXPECT_TRUE(judge_set(order("transcode", R"({"formats":["hls"]})"), {{"renditions", "a.mp4", "", "", 1}}, {}));
  EXPECT_TRUE(judge_set(order("video-upscale", "{}"), {}, {}));
  EXPECT_FALSE(judge_set(order("video-upscale", "{}"), {kFile}, {}));
  EXPECT_FALSE(judge_set(order("ping", "{}"), {}, {}));
  EXPECT_FALSE(judge_set(order("probe", "{}"), {}, {}));
}

}  // namespace
}  // namespace kinora::gateway

#include "jobs/media_value.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace kinora::jobs {
namespace {

struct Read {
  MediaRef ref;
  base::FieldErrors errors;
  // "code at pointer" of the first error, "" without one.
  std::string first() const { return errors.empty() ? "" : errors[0].code + " at " + errors[0].pointer; }
};

// The value in the one media slot of `task`.
Read read(const std::string& value, const char* task = "image-upscale") {
  const tasks::TaskSpec& spec = *tasks::find_task(task);
  const std::string slot(spec.inputs[0].slot);
  Read out;
  auto refs = read_media(spec, {{slot, "/input/" + slot, json::parse(value)}}, out.errors);
  out.ref = std::move(refs.at(0));
  return out;
}

TEST(MediaValue, is_an_artifact_an_upload_or_bytes_in_the_request) {
  EXPECT_EQ(std::get<media_ref::ArtifactRef>(read(R"({"artifact": "art_01KE0000000000000000000001"})").ref.value).id,
            "art_01KE0000000000000000000001");
  EXPECT_EQ(std::get<media_ref::UploadRef>(read(R"({"upload": "upl_01KE0000000000000000000001"})").ref.value).id,
            "upl_01KE0000000000000000000001");
  const auto inlined = std::get<media_ref::Inline>(read(R"("data:image/png;base64,aGk=")").ref.value);
  EXPECT_EQ(inlined.mime, "image/png");
  EXPECT_EQ(inlined.bytes, "hi");
}

TEST(MediaValue, is_a_url_as_text_or_with_headers_and_a_hash) {
  EXPECT_EQ(std::get<media_ref::Url>(read(R"("https://media.example/a.png?x=1")").ref.value).url, "https://media.example/a.png?x=1");
  const std::string sha(64, 'a');
  const auto full = read(R"({"url": "https://media.example/a.png", "headers": {"Authorization": "Bearer x"}, "sha256": ")" + sha + "\"}");
  ASSERT_EQ(full.first(), "");
  const auto& url = std::get<media_ref::Url>(full.ref.value);
  EXPECT_EQ(url.headers, (std::vector<std::pair<std::string, std::string>>{{"authorization", "Bearer x"}}));
  EXPECT_EQ(url.sha256, sha);
}

TEST(MediaValue, is_a_file_of_another_jobs_result) {
  const auto found = read(R"({"job": "job_01KE0000000000000000000001", "path": "output.images[2]"})");
  ASSERT_EQ(found.first(), "");
  const auto& result = std::get<media_ref::ResultOf>(found.ref.value);
  EXPECT_EQ(result.job, "job_01KE0000000000000000000001");
  EXPECT_EQ(result.path.slot, "images");
  EXPECT_EQ(result.path.index, 2U);
}

TEST(MediaValue, says_what_is_wrong_and_where) {
  for (const char* bad : {R"("ftp://example.com/a.png")",
                          R"("a.png")",
                          R"({"artifact": "art_1"})",
                          R"({"artifact": "job_01KE0000000000000000000001"})",
                          "{}",
                          "3",
                          R"({"artifact": "art_01KE0000000000000000000001", "upload": "upl_01KE0000000000000000000001"})",
                          R"({"asset": "x"})",
                          R"("data:image/png,hi")",
                          R"("data:image/png;base64,@@")",
                          R"({"url": "file:///etc/passwd"})",
                          R"({"url": "https://a.example/", "sha256": "00"})",
                          R"({"url": "https://a.example/", "headers": {"Host": "b.example"}})",
                          R"({"url": "https://a.example/", "headers": {"x": "a\r\nb: c"}})",
                          R"({"url": "https://a.example/", "headers": {"a b": "c"}})",
                          R"({"url": "https://a.example/", "headers": {"x": 1}})",
                          R"({"job": "job_1", "path": "output.image"})",
                          R"({"job": "job_01KE0000000000000000000001"})",
                          R"({"job": "job_01KE0000000000000000000001", "path": "error"})",
                          R"({"artifact": "art_01KE0000000000000000000001", "rendition": "source"})"})
    EXPECT_TRUE(read(bad).first().find("/input/image") != std::string::npos) << bad;
}

TEST(MediaValue, limits_urls_headers_and_inline_bytes) {
  const std::string base = "https://a.example/";
  const auto url = [&](std::size_t bytes) { return "\"" + base + std::string(bytes - base.size(), 'a') + "\""; };
  EXPECT_EQ(read(url(kMaxMediaUrlBytes)).first(), "");
  EXPECT_EQ(read(url(kMaxMediaUrlBytes + 1)).first(), "too_high at /input/image");
  const auto headers = [&](std::size_t count) {
    json::object fields;
    for (std::size_t i = 0; i < count; ++i) fields["x-" + std::to_string(i)] = "y";
    return json::serialize(json::object{{"url", base}, {"headers", fields}});
  };
  EXPECT_EQ(read(headers(kMaxFetchHeaders)).first(), "");
  EXPECT_EQ(read(headers(kMaxFetchHeaders + 1)).first(), "too_high at /input/image/headers");
  const auto header = [&](std::size_t bytes) {
    return json::serialize(json::object{{"url", base}, {"headers", {{"x", std::string(bytes - 1, 'y')}}}});
  };
  EXPECT_EQ(read(header(kMaxFetchHeaderBytes)).first(), "");
  EXPECT_EQ(read(header(kMaxFetchHeaderBytes + 1)).first(), "invalid_field at /input/image/headers/x");
  const auto uri = [](std::size_t bytes) { return "data:image/png;base64," + base::to_base64(base::as_bytes(std::string(bytes, 'x'))); };
  EXPECT_TRUE(parse_data_uri(uri(kMaxInlineBytes)));
  EXPECT_EQ(parse_data_uri(uri(kMaxInlineBytes + 1)).error().code, base::ErrorCode::too_large);
  EXPECT_EQ(parse_data_uri(uri(kMaxInlineBytes * 2)).error().code, base::ErrorCode::too_large);
}

TEST(MediaValue, a_range_of_time_is_cut_by_the_task_that_fits_the_slot) {
  const std::string id = R"({"artifact": "art_01KE0000000000000000000001")";
  const auto video = read(id + R"(, "start_s": 1.5, "end_s": 4})", "video-upscale");
  ASSERT_EQ(video.first(), "");
  EXPECT_EQ(video.ref.part->task, "clip");
  EXPECT_EQ(video.ref.part->params.at("start_s"), 1.5);
  EXPECT_EQ(video.ref.part->params.at("end_s").to_number<double>(), 4);
  EXPECT_EQ(video.ref.part->output, "video");
  const auto sound = read(id + R"(, "end_s": 4})", "extract-audio");
  EXPECT_EQ(sound.ref.part->task, "extract-audio");
  EXPECT_EQ(sound.ref.part->output, "audio");
  EXPECT_EQ(read(id + R"(, "start_s": 4, "end_s": 4})", "video-upscale").first(), "too_low at /input/video/end_s");
  EXPECT_EQ(read(id + R"(, "end_s": 0})", "video-upscale").first(), "too_low at /input/video/end_s");
  EXPECT_EQ(read(id + R"(, "start_s": -1})", "video-upscale").first(), "too_low at /input/video/start_s");
  EXPECT_EQ(read(id + R"(, "start_s": 86401})", "video-upscale").first(), "too_high at /input/video/start_s");
  EXPECT_EQ(read(id + R"(, "start_s": 1})").first(), "not_allowed at /input/image/start_s");
  EXPECT_FALSE(read(id + "}", "video-upscale").ref.part);
}

TEST(MediaValue, a_frame_of_a_video_may_stand_for_a_picture) {
  const auto params = [](const std::string& frame) {
    const auto found = read(R"({"artifact": "art_01KE0000000000000000000001", "frame": )" + frame + "}");
    return found.first().empty() ? json::serialize(found.ref.part->params) : found.first();
  };
  EXPECT_EQ(params("\"first\""), R"({"format":"png","frame":0})");
  EXPECT_EQ(params("\"last\""), R"({"format":"png","frame":-1})");
  EXPECT_EQ(params("7"), R"({"format":"png","frame":7})");
  EXPECT_EQ(params(R"({"time_s": 2.5})"), R"({"format":"png","at_s":2.5E0})");
  EXPECT_EQ(params("\"middle\""), "not_allowed at /input/image/frame");
  EXPECT_EQ(params("-2"), "too_low at /input/image/frame");
  EXPECT_EQ(params("{}"), "missing_field at /input/image/frame/time_s");
  EXPECT_EQ(read(R"({"artifact": "art_01KE0000000000000000000001", "frame": 0})", "video-upscale").first(),
            "not_allowed at /input/video/frame");
}

TEST(OutputPath, names_a_slot_and_perhaps_one_of_its_files) {
  for (const char* bad : {"", "output", "output.", "video", "output.video.url", "output.images[", "output.images[]", "output.images[-1]",
                          "output.images[1", "output.images[1]x", "output.Images", "output.images[99999999999999999999]"})
    EXPECT_FALSE(parse_output_path(bad)) << bad;
  const auto output = json::parse(R"({"image": {"artifact": "art_1"}, "one": [{"artifact": "art_2"}],
                                      "two": [{"artifact": "art_3"}, {"artifact": "art_4"}], "seed": 7})");
  const auto at = [&](const char* path) { return artifact_at(output, *parse_output_path(path)).value_or("none"); };
  EXPECT_EQ(at("output.image"), "art_1");
  EXPECT_EQ(at("output.image[0]"), "none");
  EXPECT_EQ(at("output.one"), "art_2");
  EXPECT_EQ(at("output.two[1]"), "art_4");
  EXPECT_EQ(at("output.two"), "none") << "which of them?";
  EXPECT_EQ(at("output.two[2]"), "none");
  EXPECT_EQ(at("output.seed"), "none");
  EXPECT_EQ(artifact_at(nullptr, *parse_output_path("output.image")), std::nullopt);
}

}  // namespace
}  // namespace kinora::jobs

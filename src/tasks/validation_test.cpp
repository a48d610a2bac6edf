#include "tasks/validation.hpp"

#include <gtest/gtest.h>

namespace kinora::tasks {
namespace {

using base::FieldErrors;

struct Checked {
  SplitInput input;
  FieldErrors errors;
  // The error at that pointer, as "code: detail"; empty when there is none.
  std::string at(std::string_view pointer) const {
    for (const auto& error : errors)
      if (error.pointer == pointer) return error.code + ": " + error.detail;
    return {};
  }
};

Checked check(std::string_view task, std::string_view text, Author author = Author::client) {
  Checked out;
  out.input = validate_input(*find_task(task), json::parse(text), "/input", out.errors, author);
  return out;
}

TEST(Validation, splits_media_from_parameters_and_fills_in_defaults) {
  const auto checked = check("video-upscale", R"({"video": {"artifact": "art_1"}, "scale": 3})");
  ASSERT_TRUE(checked.errors.empty());
  ASSERT_EQ(checked.input.media.size(), 1u);
  EXPECT_EQ(checked.input.media[0].slot, "video");
  EXPECT_EQ(checked.input.media[0].pointer, "/input/video");
  EXPECT_EQ(checked.input.media[0].value.at("artifact"), "art_1");
  EXPECT_EQ(json::serialize(checked.input.params), R"({"scale":3E0,"accelerate":"off","crf":18,"preset":"superfast"})");
}

TEST(Validation, names_every_error_at_once_with_its_pointer) {
  const auto checked = check("video-upscale", R"({"scale": 9, "crf": "good", "presett": "fast"})");
  EXPECT_EQ(checked.errors.size(), 4u);
  EXPECT_EQ(checked.at("/input/video"), "missing_field: is required");
  EXPECT_EQ(checked.at("/input/scale"), "too_high: must be at most 8");
  EXPECT_EQ(checked.at("/input/crf"), "invalid_field: must be an integer");
  EXPECT_EQ(checked.at("/input/presett"), "unknown_field: is not a known field; did you mean \"preset\"?");
}

TEST(Validation, a_video_is_as_long_as_its_frames_or_its_duration_say_not_both) {
  for (const auto* task : {"text-to-video", "image-to-video", "video-extend"}) {
    const std::string media = std::string_view(task) == "text-to-video"    ? ""
                              : std::string_view(task) == "image-to-video" ? R"("image": {"artifact": "a"},)"
                                                                           : R"("video": {"artifact": "a"},)";
    const auto with = [&](const std::string& length) { return check(task, "{" + media + R"("prompt": "a fox", )" + length + "}"); };
    EXPECT_TRUE(with(R"("duration_s": 5)").errors.empty()) << task;
    EXPECT_TRUE(with(R"("frames": 81)").errors.empty()) << task;
    EXPECT_EQ(with(R"("duration_s": 5, "frames": 81)").at("/input/duration_s"), "not_allowed: either frames or duration_s, not both")
        << task;
    EXPECT_TRUE(with(R"("duration_s": 0)").at("/input/duration_s").starts_with("too_low")) << task;
    EXPECT_TRUE(with(R"("duration_s": 1001)").at("/input/duration_s").starts_with("too_high")) << task;
    EXPECT_TRUE(with(R"("duration_s": "5")").at("/input/duration_s").starts_with("invalid_field")) << task;
  }
}

TEST(Validation, keeps_internal_parameters_from_clients_but_not_from_the_network) {
  constexpr auto text = R"({"video": {"artifact": "a"}, "range": {"start_pts": 0, "end_pts": 512}, "video_only": true})";
  const auto client = check("video-upscale", text);
  EXPECT_TRUE(client.at("/input/range").starts_with("unknown_field"));
  EXPECT_TRUE(client.at("/input/video_only").starts_with("unknown_field"));
  const auto network = check("video-upscale", text, Author::network);
  EXPECT_TRUE(network.errors.empty());
  EXPECT_EQ(network.input.params.at("range").at("end_pts"), 512);
}

TEST(Validation, checks_members_of_objects_in_arrays) {
  const auto checked = check("transcode", R"({"video": {"artifact": "a"},
      "renditions": [{"name": "hd", "height": 720}, {"name": "B A D", "height": 4, "bitrat_kbps": 1}], "formats": ["hls", "avi", "hls"]})");
  EXPECT_EQ(checked.errors.size(), 4u);
  EXPECT_TRUE(checked.at("/input/renditions/1/name").starts_with("invalid_field"));
  EXPECT_TRUE(checked.at("/input/renditions/1/height").starts_with("too_low"));
  EXPECT_EQ(checked.at("/input/renditions/1/bitrat_kbps"), "unknown_field: is not a known field; did you mean \"bitrate_kbps\"?");
  EXPECT_EQ(checked.at("/input/formats"), "too_high: must have at most 2 items");
  EXPECT_EQ(checked.at("/input/ladder"), "");
}

TEST(Validation, checks_items_of_an_array_of_words) {
  EXPECT_EQ(check("transcode", R"({"video": 1, "formats": ["avi"]})").at("/input/formats/0"),
            "not_allowed: must be one of \"hls\", \"mp4\"");
  EXPECT_EQ(check("transcode", R"({"video": 1, "formats": ["hls", "hls"]})").at("/input/formats/1"), "not_allowed: is there twice");
  EXPECT_EQ(check("transcode", R"({"video": 1, "formats": []})").at("/input/formats"), "too_low: must have at least 1 items");
  EXPECT_EQ(check("transcode", R"({"video": 1, "formats": [1]})").at("/input/formats/0"), "invalid_field: must be a string");
}

TEST(Validation, refuses_past_each_bound_and_accepts_the_bound) {
  EXPECT_TRUE(check("thumbnail", R"({"video": 1, "width": 16})").errors.empty());
  EXPECT_TRUE(check("thumbnail", R"({"video": 1, "width": 15})").at("/input/width").starts_with("too_low"));
  EXPECT_TRUE(check("thumbnail", R"({"video": 1, "width": 8192})").errors.empty());
  EXPECT_TRUE(check("thumbnail", R"({"video": 1, "width": 8193})").at("/input/width").starts_with("too_high"));
  EXPECT_TRUE(check("thumbnail", R"({"video": 1, "format": "webp"})").at("/input/format").starts_with("not_allowed"));
  EXPECT_TRUE(check("thumbnail", R"({"video": 1, "at_s": -0.1})").at("/input/at_s").starts_with("too_low"));
}

TEST(Validation, gives_a_default_the_kind_of_a_given_value) {
  // Found by the fuzzer: the default of a number was an integer where a given 2 is a double.
  EXPECT_TRUE(check("transcode", R"({"video": 1})").input.params.at("segment_s").is_double());
  EXPECT_TRUE(check("transcode", R"({"video": 1, "segment_s": 2})").input.params.at("segment_s").is_double());
  EXPECT_TRUE(check("video-upscale", R"({"video": 1})").input.params.at("crf").is_int64());
}

TEST(Validation, takes_null_for_absent) {
  const auto checked = check("image-upscale", R"({"image": {"artifact": "a"}, "scale": null})");
  EXPECT_TRUE(checked.errors.empty());
  EXPECT_EQ(checked.input.params.at("scale"), 2.0);
  EXPECT_EQ(check("image-upscale", R"({"image": null})").at("/input/image"), "missing_field: is required");
}

TEST(Validation, refuses_an_input_that_is_no_object) {
  EXPECT_EQ(check("probe", "[]").at("/input"), "invalid_field: must be an object");
  EXPECT_EQ(check("probe", "3").at("/input"), "invalid_field: must be an object");
}

TEST(Validation, numbers_the_items_of_a_slot_that_takes_many) {
  const auto checked = check("join", R"({"source": "s", "chunk": ["a", "b"]})");
  ASSERT_TRUE(checked.errors.empty());
  ASSERT_EQ(checked.input.media.size(), 3u);
  EXPECT_EQ(checked.input.media[2].pointer, "/input/chunk/1");
  EXPECT_TRUE(check("join", R"({"source": "s", "chunk": []})").at("/input/chunk").starts_with("too_low"));
  EXPECT_TRUE(check("join", R"({"source": "s", "chunk": "a"})").at("/input/chunk").starts_with("invalid_field"));
}

TEST(Validation, limits_the_items_of_a_slot) {
  json::object input{{"source", "s"}};
  input["chunk"] = json::array(kMaxManyItems + 1, json::value("x"));
  FieldErrors errors;
  validate_input(*find_task("join"), input, "", errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].code, "too_high");
}

TEST(Schema, describes_what_validation_accepts) {
  const json::object schema = input_schema(*find_task("video-upscale"));
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  const auto& properties = schema.at("properties").as_object();
  EXPECT_EQ(properties.at("scale").at("minimum"), 1.0);
  EXPECT_EQ(properties.at("scale").at("maximum"), 8.0);
  EXPECT_EQ(properties.at("scale").at("default"), 2);
  EXPECT_FALSE(properties.contains("range"));
  EXPECT_EQ(json::serialize(schema.at("required")), R"(["video"])");
  EXPECT_EQ(schema.at("additionalProperties"), false);
}

TEST(Schema, describes_every_task_of_the_catalogue) {
  for (const TaskSpec& task : catalogue()) {
    const json::object description = describe(task);
    EXPECT_EQ(std::string_view(description.at("id").as_string()), task.name);
    EXPECT_EQ(output_schema(task).at("properties").as_object().size(), task.outputs.size() + 1) << task.name;
  }
}

TEST(Validation, takes_an_end_or_a_length_but_not_both_and_no_end_before_the_start) {
  EXPECT_TRUE(check("clip", R"({"video": 1, "start_s": 1, "end_s": 2.5})").errors.empty());
  EXPECT_TRUE(check("clip", R"({"video": 1, "start_s": 1, "duration_s": 1})").errors.empty());
  EXPECT_TRUE(check("clip", R"({"video": 1, "end_s": 2, "duration_s": 1})").at("/input/duration_s").starts_with("not_allowed"));
  EXPECT_TRUE(check("clip", R"({"video": 1, "start_s": 2, "end_s": 2})").at("/input/end_s").starts_with("too_low"));
  EXPECT_TRUE(check("loop", R"({"video": 1, "count": 3, "duration_s": 10})").at("/input/duration_s").starts_with("not_allowed"));
  EXPECT_TRUE(check("extract-frames", R"({"video": 1, "fps": 1, "count": 5})").at("/input/count").starts_with("not_allowed"));
}

TEST(Validation, takes_many_videos_for_one_film) {
  const Checked film = check("concat", R"({"videos": [1, 2, 3], "transition": "crossfade"})");
  EXPECT_TRUE(film.errors.empty());
  EXPECT_EQ(film.input.media.size(), 3u);
  EXPECT_TRUE(check("concat", R"({"videos": []})").at("/input/videos").starts_with("too_low"));
  EXPECT_TRUE(check("concat", R"({})").at("/input/videos").starts_with("missing_field"));
  EXPECT_TRUE(check("concat", R"({"videos": [1], "transition_s": 5.1})").at("/input/transition_s").starts_with("too_high"));
}

TEST(Schema, says_which_parameters_exclude_each_other) {
  const json::object schema = input_schema(*find_task("clip"));
  EXPECT_EQ(json::serialize(schema.at("allOf")), R"([{"not":{"required":["end_s","duration_s"]}}])");
  EXPECT_FALSE(input_schema(*find_task("mux")).contains("allOf"));
}

}  // namespace
}  // namespace kinora::tasks

#include "runner/task_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "runner/settings.hpp"
#include "runner/test_tools.hpp"

namespace kinora::runner {
namespace {

using ::testing::HasSubstr;

class TaskRequests : public ::testing::Test {
 protected:
  base::json::object body() const {
    return {{"attempt", "att_1"},
            {"model", nullptr},
            {"params", {{"scale", 2}}},
            {"inputs", {{"video", work_ / "in.mp4"}}},
            {"output_dir", work_ / "out"}};
  }
  base::Result<TaskRequest> parse(const base::json::object& object, std::string_view task = "video-upscale") const {
    return parse_task_request(task, base::json::serialize(object), work_.path());
  }
  std::string refusal(const base::json::object& object) const {
    const auto parsed = parse(object);
    return parsed ? "accepted" : parsed.error().message;
  }
  testing::Scratch work_;
};

TEST_F(TaskRequests, reads_a_request_and_fills_in_the_catalogues_defaults) {
  const auto parsed = parse(body());
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->attempt, "att_1");
  EXPECT_FALSE(parsed->model);
  EXPECT_EQ(parsed->inputs.at("video"), std::filesystem::weakly_canonical(work_ / "in.mp4").string());
  EXPECT_EQ(parsed->params.at("crf").to_number<int>(), 18);
  EXPECT_EQ(parsed->params.at("video_only").as_bool(), false);
}

TEST_F(TaskRequests, refuses_paths_outside_the_work_folder) {
  for (const std::string& path :
       {std::string("/etc/passwd"), work_ / "../x.mp4", std::string("in.mp4"), work_.path().string() + "x/in.mp4"}) {
    auto object = body();
    object["inputs"].as_object()["video"] = path;
    EXPECT_THAT(refusal(object), HasSubstr("/inputs: video must be an absolute path under the work folder")) << path;
  }
  auto object = body();
  object["output_dir"] = "/tmp";
  EXPECT_THAT(refusal(object), HasSubstr("/output_dir: must be"));
}

TEST_F(TaskRequests, follows_symbolic_links_before_judging) {
  std::filesystem::create_symlink("/etc", work_ / "link");
  auto object = body();
  object["inputs"].as_object()["video"] = work_ / "link/passwd";
  EXPECT_THAT(refusal(object), HasSubstr("/inputs"));
}

TEST_F(TaskRequests, names_everything_that_is_wrong_at_once) {
  auto object = body();
  object["params"] = {{"scale", 9}, {"sharpness", 1}};
  object["extra"] = 1;
  const auto text = refusal(object);
  EXPECT_THAT(text, HasSubstr("/params/scale"));
  EXPECT_THAT(text, HasSubstr("/params/sharpness"));
  EXPECT_THAT(text, HasSubstr("/extra"));
}

TEST_F(TaskRequests, refuses_what_is_no_request) {
  EXPECT_FALSE(parse_task_request("video-upscale", "{", work_.path()));
  EXPECT_FALSE(parse_task_request("video-upscale", "[]", work_.path()));
  EXPECT_FALSE(parse_task_request("video-upscale", std::string(kMaxTaskBodyBytes + 1, ' '), work_.path()));
  auto object = body();
  object.erase("inputs");
  EXPECT_THAT(refusal(object), HasSubstr("/inputs"));
}

TEST_F(TaskRequests, serves_tasks_with_models_only) {
  EXPECT_EQ(parse(body(), "transcode").error().code, base::ErrorCode::not_found);
  EXPECT_EQ(parse(body(), "nonsense").error().code, base::ErrorCode::not_found);
}

}  // namespace
}  // namespace kinora::runner

#include "kinora/workflow_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;

constexpr std::string_view kWorkflow = R"({
  "name": "demo", "args": {"clip": null, "logo": null, "parts": null, "prompt": "a fox", "scale": 2, "title": null},
  "steps": [
    {"id": "picture", "task": "text-to-image", "model": "auto", "input": {"prompt": {"$tpl": "{{args.prompt}}, {{args.title?}}"}}, "on_failure": "continue"},
    {"id": "up", "task": "video-upscale", "model": "auto", "input": {"video": {"$ref": "args.clip"}, "scale": {"$ref": "args.scale"}}},
    {"id": "mark", "task": "overlay", "input": {"video": {"$ref": "steps.up.output.video"}, "image": {"$ref": "args.logo"}}},
    {"id": "each", "task": "thumbnail", "for_each": {"in": {"$ref": "args.parts"}, "as": "part"}, "input": {"video": {"$ref": "part"}}}],
  "outputs": {"video": {"$ref": "steps.mark.output.video"}, "pictures": {"$ref": "steps.each[*].output.image"}}})";

class WorkflowFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("workflow_file_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    for (const char* name : {"a.mp4", "b.mp4", "logo.png"}) std::ofstream(folder_ / name) << "x";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string file(const char* name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

std::string error(const base::Result<WorkflowInput>& input) { return input ? "no error" : input.error().message; }

TEST_F(WorkflowFileTest, files_and_texts_go_to_the_arguments_where_they_fit) {
  auto input = read_workflow(kWorkflow, {file("a.mp4"), "a red ball", file("logo.png"), file("b.mp4"), file("a.mp4")}, {"scale=4"});
  ASSERT_TRUE(input) << error(input);
  ASSERT_EQ(input->files.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) input->put(input->files[i], {{"artifact", "art_" + std::to_string(i)}});
  EXPECT_EQ(input->body.at("args"),
            json::parse(R"({"clip": {"artifact": "art_0"}, "logo": {"artifact": "art_1"}, "prompt": "a red ball", "scale": 4,
      "parts": [{"artifact": "art_2"}, {"artifact": "art_3"}], "title": null})"));
  EXPECT_EQ(input->outputs, (std::vector<std::string>{"video", "pictures"}));
}
TEST_F(WorkflowFileTest, an_argument_is_typed_by_where_it_stands) {
  auto input = read_workflow(kWorkflow, {},
                             {"clip=" + file("a.mp4"), "logo=https://media.example/logo.png", "parts=" + file("a.mp4"), "parts=art_8",
                              "prompt=42", "title=true", "scale=3"});
  ASSERT_TRUE(input) << error(input);
  EXPECT_EQ(input->files.size(), 2u);
  const json::object& args = input->body.at("args").as_object();
  EXPECT_EQ(args.at("prompt"), json::value("42"));
  EXPECT_EQ(args.at("title"), json::value("true"));
  EXPECT_EQ(args.at("scale"), json::value(3));
  EXPECT_EQ(args.at("logo"), json::parse(R"({"url": "https://media.example/logo.png"})"));
  EXPECT_EQ(args.at("parts"), json::parse(R"([{"artifact": "art_8"}])"));
}
TEST_F(WorkflowFileTest, only_what_cannot_do_without_is_waited_for) {
  const auto input = read_workflow(kWorkflow, {file("a.mp4"), file("logo.png"), file("b.mp4")}, {});
  ASSERT_TRUE(input) << error(input);
  EXPECT_EQ(input->tasks, (std::vector<std::string>{"video-upscale", "overlay", "thumbnail"}));  // not text-to-image: on_failure continue
}
TEST_F(WorkflowFileTest, a_text_goes_to_the_first_text_argument_where_there_is_no_prompt) {
  const auto input =
      read_workflow(R"({"args": {"n": 1, "name": "x"}, "steps": [{"id": "a", "task": "ping", "when": "args.n == 1 && args.name != ''"}]})",
                    {"hello"}, {});
  ASSERT_TRUE(input) << error(input);
  EXPECT_EQ(input->body.at("args"), json::parse(R"({"n": 1, "name": "hello"})"));
}
TEST_F(WorkflowFileTest, says_which_arguments_are_missing) {
  EXPECT_EQ(error(read_workflow(kWorkflow, {file("a.mp4")}, {})), "the workflow needs --arg logo=<file> --arg parts=<file>");
}
TEST_F(WorkflowFileTest, what_is_only_asked_for_in_a_condition_or_with_a_question_mark_may_be_left_out) {
  const auto input = read_workflow(
      R"({"args": {"music": null}, "steps": [{"id": "a", "task": "extract-audio", "when": "args.music != null", "input": {"media": {"$ref": "args.music?"}}}]})",
      {}, {});
  EXPECT_TRUE(input) << error(input);
}
TEST_F(WorkflowFileTest, says_what_is_unknown_too_much_or_not_there) {
  const std::string clip = file("a.mp4");
  EXPECT_NE(error(read_workflow(kWorkflow, {}, {"clipp=" + clip})).find("did you mean \"clip\"?"), std::string::npos);
  EXPECT_NE(error(read_workflow(kWorkflow, {}, {"clip=" + clip, "clip=" + clip})).find("given twice"), std::string::npos);
  EXPECT_NE(error(read_workflow(kWorkflow, {}, {"clip=nothing.mp4"})).find("there is no file nothing.mp4"), std::string::npos);
  EXPECT_NE(error(read_workflow(kWorkflow, {}, {"clip"})).find("name=value"), std::string::npos);
  EXPECT_NE(error(read_workflow(kWorkflow, {"a", "b"}, {})).find("takes no further text"), std::string::npos);
  EXPECT_NE(error(read_workflow(R"({"steps": [{"id": "a", "task": "pong"}]})", {}, {})).find("/steps/0/task"), std::string::npos);
  EXPECT_NE(error(read_workflow(R"({"steps": [{"id": "a", "task": "ping"}]})", {clip}, {})).find("takes no further file"),
            std::string::npos);
}
TEST_F(WorkflowFileTest, a_wrong_definition_is_refused_with_its_pointer_before_anything_is_sent) {
  EXPECT_NE(error(read_workflow(R"({"steps": [{"id": "A", "task": "ping"}]})", {}, {})).find("/steps/0/id"), std::string::npos);
  EXPECT_NE(error(read_workflow(R"({"stepz": []})", {}, {})).find("/stepz"), std::string::npos);
  EXPECT_FALSE(read_workflow("not json", {}, {}));
  EXPECT_FALSE(read_workflow("[]", {}, {}));
  EXPECT_FALSE(
      read_workflow(R"({"steps": [{"id": "a", "task": "ping", "needs": ["b"]}, {"id": "b", "task": "ping", "needs": ["a"]}]})", {}, {}));
}

}  // namespace
}  // namespace kinora::cli

// A worker with the real kinora-media, checked by ffprobe. The programs are those of this build, or of KINORA_PROGRAMS.
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "base/test_program.hpp"
#include "worker/worker_fixture_test.hpp"

namespace kinora::worker {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using net::testing::run;

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char piece[4096];
  for (std::size_t got; (got = std::fread(piece, 1, sizeof piece, pipe)) > 0;) out.append(piece, got);
  ::pclose(pipe);
  return out;
}

class WorkerProgramsTest : public WorkerFixture {
 protected:
  void SetUp() override {
    WorkerFixture::SetUp();
    const char* elsewhere = std::getenv("KINORA_PROGRAMS");
    settings_.programs = elsewhere ? fs::path(elsewhere) : fs::path(KINORA_BINARY_DIR) / "bin";
    KINORA_NEEDS_PROGRAM(settings_.programs / "kinora-media");
    gateway_.inputs["clip"] = contents(fs::path(KINORA_SOURCE_DIR) / "tests/media/london_roofs_360p_5s.mp4");
    ASSERT_FALSE(gateway_.inputs["clip"].empty());
    start();
  }
  json::object result_of(json::object body) {
    const auto all = run(loop_, events(std::move(body)));
    if (all.size() < 2 || all[all.size() - 2].at("type").as_string() != "result") {
      ADD_FAILURE() << (all.size() < 2 ? "no events" : json::serialize(all[all.size() - 2]));
      return {{"files", json::array()}, {"outputs", json::object()}};
    }
    return all[all.size() - 2];
  }
  // ffprobe's word on an uploaded file.
  std::string probe(const std::string& name, const std::string& entries) {
    const fs::path file = folder_.path() / "probed";
    std::ofstream(file, std::ios::binary) << gateway_.outputs[name];
    return output_of("ffprobe -v error -count_packets -select_streams v:0 -show_entries " + entries + " -of csv=p=0 " + file.string());
  }
};

TEST_F(WorkerProgramsTest, probes) {
  const auto result = result_of(order("probe", attempt_id()));
  EXPECT_THAT(json::serialize(result.at("outputs").at("media")), ::testing::HasSubstr("h264"));
  EXPECT_TRUE(result.at("files").as_array().empty());
}

TEST_F(WorkerProgramsTest, makes_a_thumbnail) {
  auto body = order("thumbnail", attempt_id());
  body["params"] = json::object{{"width", 160}, {"format", "png"}};
  const auto result = result_of(body);
  ASSERT_EQ(result.at("files").as_array().size(), 1U);
  const std::string name(result.at("files").at(0).at("name").as_string());
  EXPECT_THAT(probe(name, "stream=codec_name,width"), ::testing::StartsWith("png,160"));
  EXPECT_EQ(result.at("files").at(0).at("sha256").as_string(), sha256_of(gateway_.outputs[name]));
}

TEST_F(WorkerProgramsTest, transcodes_and_uploads_every_file) {
  auto body = order("transcode", attempt_id());
  body["params"] = json::object{{"renditions", json::array{json::object{{"height", 180}}}}};
  const auto result = result_of(body);
  std::size_t renditions = 0;
  for (const auto& file : result.at("files").as_array()) {
    const std::string name(file.at("name").as_string());
    ASSERT_TRUE(gateway_.outputs.contains(name)) << name;
    EXPECT_EQ(file.at("sha256").as_string(), sha256_of(gateway_.outputs[name]));
    if (file.at("slot").as_string() != "renditions") continue;
    ++renditions;
    EXPECT_THAT(probe(name, "stream=codec_name,height"), ::testing::StartsWith("h264,180"));
  }
  EXPECT_EQ(renditions, 1U);
  EXPECT_EQ(gateway_.outputs.size(), result.at("files").as_array().size());
  EXPECT_GT(result.at("metrics").at("seconds").to_number<double>(), 0);
}

TEST_F(WorkerProgramsTest, cuts_and_joins_back_to_the_same_number_of_frames) {
  auto cut = order("cut", attempt_id());
  cut["params"] = json::object{{"target_s", 1}};
  const auto plan = result_of(cut);
  auto join = order("join", attempt_id());
  auto& inputs = join["inputs"].as_array();
  inputs.resize(1);
  for (const auto& file : plan.at("files").as_array()) {
    const std::string name(file.at("name").as_string());
    gateway_.inputs[name] = gateway_.outputs[name];
    inputs.push_back(json::object{{"slot", "chunk"},
                                  {"url", gateway_.url("/in/" + name)},
                                  {"name", name},
                                  {"bytes", gateway_.outputs[name].size()},
                                  {"sha256", file.at("sha256")}});
  }
  ASSERT_GE(inputs.size(), 2U);
  const auto& made = plan.at("outputs").at("plan").as_object();
  join["params"] = json::object{{"pts_offset", made.at("pts_offset")}, {"time_base", made.at("time_base")}};
  gateway_.outputs.clear();
  const auto joined = result_of(join);
  const std::string name(joined.at("files").at(0).at("name").as_string());
  gateway_.outputs["source"] = gateway_.inputs["clip"];
  EXPECT_EQ(probe(name, "stream=nb_read_packets"), probe("source", "stream=nb_read_packets"));
}

TEST_F(WorkerProgramsTest, text_that_calls_itself_a_video_is_the_clients_fault) {
  gateway_.inputs["clip"] = "this is no video\n";
  const auto all = run(loop_, events(order("probe", attempt_id())));
  const auto& error = all.at(all.size() - 2).at("error");
  EXPECT_EQ(error.at("code").as_string(), "input_invalid");
  EXPECT_EQ(error.at("fault").as_string(), "client");
  EXPECT_EQ(std::string(error.at("detail").as_string()).find(settings_.work_dir.string()), std::string::npos);
}

}  // namespace
}  // namespace kinora::worker

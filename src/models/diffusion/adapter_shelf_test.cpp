// Adapters of requests on a whole pipeline: switching, files that change, refusals. Numbers: pipeline_golden_test.cpp, pipe_*_lora.
#include "models/diffusion/adapter_shelf.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "models/pipeline.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models::diffusion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";
const fs::path kLoras = kGolden / "lora_sdxl";

class AdaptersOfRequests : public testing::Test {
 protected:
  ~AdaptersOfRequests() override { fs::remove_all(folder); }
  std::vector<std::uint8_t> picture(std::vector<AdapterChoice> adapters) {
    GenerationRequest request{.prompts = {"a red fox"}, .seeds = {1}, .adapters = std::move(adapters)};
    request.width = request.height = 16;
    request.steps = 2;
    return pipeline->run(request).pictures.at(0).pixels;
  }
  AdapterRefused refusal(const fs::path& file, std::string component = {}) {
    try {
      picture({{.file = file, .name = "style", .scale = 1, .component = std::move(component)}});
    } catch (const AdapterRefused& refused) {
      return refused;
    }
    ADD_FAILURE() << "accepted";
    return {"", false, ""};
  }

  fs::path folder = [] {
    auto path = fs::temp_directory_path() / ("kinora-adapters-" + std::to_string(getpid()));
    fs::create_directories(path);
    return path;
  }();
  std::unique_ptr<Pipeline> pipeline = load_pipeline(kGolden / "pipe_sdxl/model");
};

TEST_F(AdaptersOfRequests, are_switched_between_runs_and_leave_no_trace) {
  const AdapterChoice peft{.file = kLoras / "peft.safetensors", .name = "peft", .scale = 0.7, .component = {}};
  const AdapterChoice kohya{.file = kLoras / "kohya.safetensors", .name = "kohya", .scale = 1, .component = {}};
  const auto plain = picture({}), first = picture({peft});
  EXPECT_NE(first, plain);
  EXPECT_EQ(pipeline->components().back().name, "adapters");
  EXPECT_NE(picture({peft, kohya}), first);
  EXPECT_EQ(picture({peft}), first);
  EXPECT_EQ(picture({}), plain);
  EXPECT_EQ(pipeline->components().back().name, "vae");
  pipeline->to_host();
  EXPECT_EQ(picture({peft}), first);
}

TEST_F(AdaptersOfRequests, may_be_for_one_component_only) {
  AdapterChoice peft{.file = kLoras / "peft.safetensors", .name = "peft", .scale = 1, .component = {}};
  const auto whole = picture({peft});
  peft.component = "unet";
  EXPECT_NE(picture({peft}), whole);
  EXPECT_THAT(refusal(peft.file, "transformer_2").what(), HasSubstr("the model has no transformer_2"));
}

TEST_F(AdaptersOfRequests, names_with_a_noise_level_in_them_tell_one_of_two_experts) {
  const auto file = folder / "style.safetensors";
  nn::write_safetensors(file, {{"transformer.blocks.0.attn1.to_v.lora_A.weight", at::full({1, 24}, 1.0)},
                               {"transformer.blocks.0.attn1.to_v.lora_B.weight", at::full({24, 1}, 1.0)}});
  const auto experts = load_pipeline(kGolden / "pipe_wan22_a14b/model");
  const auto video = [&](const std::string& name, const std::string& component) {
    GenerationRequest request{.task = Task::text_to_video, .prompts = {"a red fox"}, .seeds = {1}};
    request.width = request.height = 32;
    request.frames = 5;
    request.steps = 4;
    request.guidance_scale = 1;
    request.max_sequence_length = 16;
    request.adapters = {{.file = file, .name = name, .scale = 1, .component = component}};
    std::vector<std::uint8_t> pixels;
    for (const auto& picture : experts->run(request).pictures) pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
    return pixels;
  };
  const auto first = video("style", "transformer"), second = video("style", "transformer_2");
  EXPECT_NE(first, second);
  EXPECT_EQ(video("wan2.2_style_high_noise", ""), first);
  EXPECT_EQ(video("Wan2.2-Style-LowNoise", ""), second);
  EXPECT_EQ(video("Wan2.2-Style-LowNoise", "transformer"), first);
}

TEST_F(AdaptersOfRequests, are_read_anew_when_their_file_changed) {
  const auto file = folder / "style.safetensors";
  fs::copy_file(kLoras / "peft.safetensors", file);
  const auto before = picture({{.file = file, .name = "style", .scale = 1, .component = {}}});
  fs::rename(file, folder / "old");  // as tools replace a file: mapped pages keep the old one
  fs::copy_file(kLoras / "kohya.safetensors", file);
  fs::last_write_time(file, fs::last_write_time(folder / "old") + std::chrono::seconds(2));
  EXPECT_NE(picture({{.file = file, .name = "style", .scale = 1, .component = {}}}), before);
}

TEST_F(AdaptersOfRequests, are_refused_by_name_and_the_pipeline_goes_on) {
  const auto plain = picture({});
  const auto broken = folder / "broken.safetensors";
  std::ofstream(broken) << "no adapter";
  EXPECT_TRUE(refusal(broken).broken);
  EXPECT_TRUE(refusal(folder / "absent.safetensors").broken);
  // Made for SD 1.5: its modules have other shapes, or are not there.
  const auto unfit = refusal(kGolden / "pipe_sd15_lcm_lora/lcm-lora-tiny.safetensors");
  EXPECT_FALSE(unfit.broken);
  EXPECT_THAT(unfit.what(), HasSubstr("adapter style: "));
  EXPECT_THAT(unfit.what(), HasSubstr("do not fit the model"));
  EXPECT_EQ(std::string(unfit.what()).find("tests/golden"), std::string::npos);
  EXPECT_EQ(picture({}), plain);
}

TEST_F(AdaptersOfRequests, beyond_the_limits_are_faults_of_the_request) {
  GenerationRequest request{.prompts = {"x"}};
  request.adapters.assign(kMaxAdapters + 1, {.file = "a", .name = "a", .scale = 1, .component = {}});
  request.adapters[0].scale = std::numeric_limits<double>::quiet_NaN();
  request.adapters[1].scale = 101;
  const auto faults = check_request(pipeline->info(), request);
  EXPECT_EQ(faults.size(), 3U);
  EXPECT_THAT(faults.at(0), HasSubstr("at most 8"));
}

}  // namespace
}  // namespace kinora::models::diffusion

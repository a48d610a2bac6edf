// How a pipeline behaves around its numbers (which pipeline_golden_test.cpp compares): progress, stopping, faults, defaults.
#include "models/pipeline.hpp"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/diffusion/normal_source.hpp"
#include "nn/load_error.hpp"
#include "nn/safetensors.hpp"

namespace kinora::models::diffusion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Throws;
using ::testing::ThrowsMessage;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

GenerationRequest fox() {
  GenerationRequest request{.prompts = {"a red fox in snow"}, .seeds = {1}};
  request.width = 32;
  request.height = 24;
  request.steps = 4;
  return request;
}

class PipelineRuns : public testing::Test {
 protected:
  std::unique_ptr<Pipeline> sd = load_pipeline(kGolden / "pipe_sd15/model");
};

TEST_F(PipelineRuns, progress_goes_through_the_phases_step_by_step_to_the_end) {
  std::vector<std::pair<Phase, std::int64_t>> seen;
  double last = 0;
  const auto result = sd->run(fox(), [&](const GenerationProgress& progress) {
    seen.emplace_back(progress.phase, progress.step);
    EXPECT_GE(progress.done, last);
    last = progress.done;
    EXPECT_EQ(progress.preview, nullptr);
    if (progress.step > 0) EXPECT_EQ(progress.steps, 5);  // PNDM calls the model once more
    return true;
  });
  EXPECT_THAT(seen, ElementsAre(std::pair(Phase::encoding, 0), std::pair(Phase::denoising, 0), std::pair(Phase::denoising, 1),
                                std::pair(Phase::denoising, 2), std::pair(Phase::denoising, 3), std::pair(Phase::denoising, 4),
                                std::pair(Phase::denoising, 5), std::pair(Phase::decoding, 0)));
  ASSERT_EQ(result.pictures.size(), 1U);
  EXPECT_EQ(result.pictures[0].width, 32);
  EXPECT_EQ(result.pictures[0].height, 24);
  EXPECT_EQ(result.pictures[0].pixels.size(), 32U * 24 * 3);
  EXPECT_THAT(result.seeds, ElementsAre(1U));
  EXPECT_GT(result.denoising_s, 0);
}

TEST_F(PipelineRuns, a_watch_that_says_no_stops_within_the_step) {
  for (const std::int64_t stop_at : {1, 3}) {
    std::int64_t last = 0;
    EXPECT_THROW(sd->run(fox(),
                         [&](const GenerationProgress& progress) {
                           last = progress.step;
                           return progress.step < stop_at;
                         }),
                 Stopped);
    EXPECT_EQ(last, stop_at);
  }
  EXPECT_EQ(sd->run(fox()).pictures.size(), 1U);  // and the next run is not harmed
}

TEST_F(PipelineRuns, previews_come_every_few_steps_and_at_the_end) {
  auto request = fox();
  request.preview_every = 2;
  std::vector<std::int64_t> steps;
  sd->run(request, [&](const GenerationProgress& progress) {
    if (progress.preview != nullptr) {
      steps.push_back(progress.step);
      EXPECT_EQ(progress.preview->width, 16);  // a pixel for each latent
      EXPECT_EQ(progress.preview->height, 12);
      EXPECT_EQ(progress.preview->pixels.size(), 16U * 12 * 3);
    }
    return true;
  });
  EXPECT_THAT(steps, ElementsAre(2, 4, 5));
}

TEST_F(PipelineRuns, latents_that_are_not_finite_fail_the_run_at_their_step) {
  auto& traced = dynamic_cast<DiffusionPipeline&>(*sd);
  auto request = fox();
  request.eta = 1.0;
  request.scheduler = R"({"_class_name": "DDIMScheduler"})";
  int drawn = 0;  // the first draw is the start, then one a step
  const Trace trace{.normal = [&](at::IntArrayRef shape, std::optional<at::ScalarType>) {
    return at::full(shape, ++drawn == 3 ? std::numeric_limits<double>::quiet_NaN() : 0.5);
  }};
  try {
    traced.run(request, {}, trace);
    FAIL() << "ran to the end";
  } catch (const NotFiniteAtStep& error) {
    EXPECT_EQ(error.step, 2);
    EXPECT_STREQ(error.what(), "the latents are not finite after step 2 of 4");
  }
}

TEST(PipelineRun, whose_decoded_pictures_are_not_finite_fails) {
  const auto folder = fs::path(testing::TempDir()) / ("kinora-nan-" + std::to_string(getpid()));
  fs::remove_all(folder);
  fs::copy(kGolden / "pipe_sd15/model", folder, fs::copy_options::recursive);
  const auto vae = "vae/diffusion_pytorch_model.safetensors";
  auto weights = nn::SafetensorsFile(kGolden / "pipe_sd15/model" / vae).tensors();
  weights.at("decoder.conv_out.bias") = weights.at("decoder.conv_out.bias").clone().fill_(std::numeric_limits<float>::quiet_NaN());
  nn::write_safetensors(folder / vae, weights);
  const auto broken = load_pipeline(folder);
  EXPECT_THAT([&] { broken->run(fox()); }, Throws<NotFinite>());
  fs::remove_all(folder);
}

TEST_F(PipelineRuns, a_request_with_faults_is_refused_with_all_of_them) {
  auto request = fox();
  request.width = 33;
  request.steps = 0;
  try {
    sd->run(request);
    FAIL() << "ran";
  } catch (const InvalidRequest& error) {
    EXPECT_EQ(error.faults.size(), 2U);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("width must be a multiple of 8"), HasSubstr("number of steps must be 1 to 1000")));
  }
}

TEST_F(PipelineRuns, the_same_seed_gives_the_same_picture_and_another_seed_another) {
  const auto first = sd->run(fox()).pictures[0].pixels;
  EXPECT_EQ(sd->run(fox()).pictures[0].pixels, first);
  auto other = fox();
  other.seeds = {2};
  EXPECT_NE(sd->run(other).pictures[0].pixels, first);
  other.seeds = {};  // a random one, that is told
  const auto random = sd->run(other);
  ASSERT_EQ(random.seeds.size(), 1U);
  other.seeds = random.seeds;
  EXPECT_EQ(sd->run(other).pictures[0].pixels, random.pictures[0].pixels);
}

TEST_F(PipelineRuns, a_seed_for_each_picture_gives_what_each_alone_would) {
  auto request = fox();
  request.count = 2;
  request.seeds = {5, 6};
  const auto both = sd->run(request);
  for (const std::size_t i : {0, 1}) {
    auto one = fox();
    one.seeds = {request.seeds[i]};
    const auto alone = sd->run(one).pictures[0].pixels;
    int largest = 0;
    for (std::size_t k = 0; k < alone.size(); ++k) largest = std::max(largest, std::abs(int{alone[k]} - int{both.pictures[i].pixels[k]}));
    EXPECT_LE(largest, 1);  // a batch of other size may round differently
  }
}

TEST_F(PipelineRuns, large_pictures_are_decoded_in_tiles_when_memory_is_short) {
  auto request = fox();
  request.width = 96;
  request.height = 96;
  const auto whole = sd->run(request).pictures[0].pixels;
  const auto tiled = load_pipeline(kGolden / "pipe_sd15/model", {.decode_bytes = 1})->run(request).pictures[0].pixels;
  double sum = 0;
  for (std::size_t k = 0; k < whole.size(); ++k) sum += std::abs(double{whole[k] * 1.0} - tiled[k]);
  EXPECT_GT(sum, 0);  // the tiles were blended
  EXPECT_LT(sum / static_cast<double>(whole.size()), 16);
}

TEST_F(PipelineRuns, components_are_told_with_their_measured_bytes) {
  std::map<std::string, std::uint64_t> bytes;
  for (const auto& state : sd->components()) {
    EXPECT_TRUE(state.on_device);
    bytes[state.name] = state.bytes;
  }
  // The files' sizes without their headers, float32: safetensors headers are small, so the sum of bytes is close to the file's.
  for (const auto& [name, file] : {std::pair{"unet", "unet/diffusion_pytorch_model.safetensors"},
                                   {"vae", "vae/diffusion_pytorch_model.safetensors"},
                                   {"text_encoder", "text_encoder/model.safetensors"}}) {
    const auto size = fs::file_size(kGolden / "pipe_sd15/model" / file);
    EXPECT_LT(bytes.at(name), size);
    EXPECT_GT(bytes.at(name), size * 3 / 4) << name;
  }
}

// 16-bit weights and activations, latents in float32: the pictures of the tiny models stay within a few levels. Their VAEs say
// force_upcast, so that with float16 they run in float32.
TEST_F(PipelineRuns, sixteen_bit_numbers_give_nearly_the_same_picture) {
  const auto exact = sd->run(fox()).pictures[0].pixels;
  for (const auto number : {Number::bf16, Number::fp16}) {
    const auto small = load_pipeline(kGolden / "pipe_sd15/model", {.number = number});
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& state : small->components()) bytes[state.name] = state.bytes;
    for (const auto& state : sd->components())
      EXPECT_EQ(bytes.at(state.name), state.name == "vae" && number == Number::fp16 ? state.bytes : state.bytes / 2) << state.name;
    auto& traced = dynamic_cast<DiffusionPipeline&>(*small);
    // The same start: a 16-bit draw of the generator gives other numbers than a float32 one.
    NormalSource source({1});
    const Trace trace{.normal = [&](at::IntArrayRef shape, std::optional<at::ScalarType>) { return source.draw(shape, at::kFloat); }};
    const auto close = traced.run(fox(), {}, trace).pictures[0].pixels;
    double sum = 0;
    for (std::size_t k = 0; k < exact.size(); ++k) sum += std::abs(int{exact[k]} - int{close[k]});
    EXPECT_LT(sum / static_cast<double>(exact.size()), 4.0);
  }
}

TEST(DescribePipeline, a_folder_tells_its_tasks_and_defaults_without_its_weights) {
  const auto folder = fs::path(testing::TempDir()) / ("kinora-describe-" + std::to_string(getpid()));
  fs::remove_all(folder);
  for (const auto& entry : fs::recursive_directory_iterator(kGolden / "pipe_sdxl/model")) {
    const auto to = folder / fs::relative(entry.path(), kGolden / "pipe_sdxl/model");
    if (entry.is_directory()) fs::create_directories(to);
    if (entry.path().extension() == ".json") fs::copy_file(entry.path(), to);
  }
  const auto info = describe_pipeline(folder);
  EXPECT_EQ(info.family, "sdxl");
  EXPECT_THAT(info.tasks, ElementsAre(Task::text_to_image, Task::image_to_image, Task::inpaint));
  EXPECT_EQ(info.steps, 50);
  EXPECT_EQ(info.guidance_scale, 5.0);
  EXPECT_FALSE(info.few_steps);
  EXPECT_THROW(load_pipeline(folder), nn::LoadError);
  fs::remove_all(folder);
}

TEST(DescribePipeline, videos_and_motion_adapters_have_their_own_defaults) {
  const auto svd = describe_pipeline(kGolden / "pipe_svd/model");
  EXPECT_THAT(svd.tasks, ElementsAre(Task::image_to_video));
  EXPECT_EQ(svd.width, 1024);
  EXPECT_EQ(svd.height, 576);
  EXPECT_EQ(svd.fps, 7);
  EXPECT_EQ(svd.steps, 25);
  const auto motion =
      describe_pipeline(kGolden / "pipe_animatediff/model", {.motion_adapter = kGolden / "pipe_animatediff/motion_adapter"});
  EXPECT_THAT(motion.tasks, ElementsAre(Task::text_to_video));
  EXPECT_EQ(motion.max_frames, 24);
  EXPECT_EQ(motion.frames, 16);
  EXPECT_EQ(motion.fps, 8);
  EXPECT_THROW(describe_pipeline(kGolden / "pipe_sdxl/model", {.motion_adapter = kGolden / "pipe_animatediff/motion_adapter"}),
               nn::LoadError);
}

TEST(DescribePipeline, an_unknown_pipeline_is_refused_with_the_known_ones) {
  const auto folder = fs::path(testing::TempDir()) / ("kinora-unknown-" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "model_index.json") << R"({"_class_name": "FluxPipeline"})";
  EXPECT_THAT([&] { describe_pipeline(folder); }, ThrowsMessage<nn::LoadError>(AllOf(HasSubstr("_class_name: is \"FluxPipeline\""),
                                                                                     HasSubstr("StableVideoDiffusionPipeline"))));
  fs::remove_all(folder);
}

TEST(LoadPipeline, a_device_that_is_not_there_is_refused) {
  EXPECT_THROW(load_pipeline(kGolden / "pipe_sd15/model", {.device = "cuda:7"}), nn::LoadError);
  EXPECT_THROW(load_pipeline(kGolden / "pipe_sd15/model", {.device = "toaster"}), nn::LoadError);
}

}  // namespace
}  // namespace kinora::models::diffusion

// Whole pipelines against the reference's: latents after every step and the pictures at the end. Noise is given draw by draw, or by seeds.
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/golden/golden_case.hpp"
#include "nn/pixels/image_processor.hpp"

namespace kinora::models::diffusion {
namespace {

namespace fs = std::filesystem;

// The model's folder with the components that the case has itself, as links.
class ModelFolder {
 public:
  explicit ModelFolder(const golden::Case& test) : path_(test.model_dir()) {
    const auto has = [&](const char* part) { return fs::exists(test.folder() / part); };
    if (!has("unet") && !has("scheduler") && !has("model_index.json")) return;
    path_ = fs::temp_directory_path() / ("kinora-" + test.name() + "-" + std::to_string(getpid()));
    temporary_ = true;
    fs::remove_all(path_);
    fs::create_directories(path_);
    for (const auto& entry : fs::directory_iterator(test.model_dir())) {
      const auto own = test.folder() / entry.path().filename();
      fs::create_symlink(fs::absolute(fs::exists(own) ? own : entry.path()), path_ / entry.path().filename());
    }
  }
  ~ModelFolder() {
    if (temporary_) fs::remove_all(path_);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool temporary_ = false;
};

template <typename T>
void take(const nlohmann::json& run, const char* name, std::optional<T>& value) {
  if (run.contains(name) && !run.at(name).is_null()) value = run.at(name).get<T>();
}
void take(const nlohmann::json& run, const char* name, std::optional<Size>& value) {
  if (run.contains(name) && !run.at(name).is_null()) value = Size{.height = run.at(name).at(0), .width = run.at(name).at(1)};
}
void take(const nlohmann::json& run, const char* name, std::vector<std::string>& texts) {
  if (!run.contains(name) || run.at(name).is_null()) return;
  texts = run.at(name).is_string() ? std::vector{run.at(name).get<std::string>()} : run.at(name).get<std::vector<std::string>>();
}

template <typename Picture>
Picture picture_of(const at::Tensor& bytes) {
  const auto data = bytes.contiguous();
  const auto* begin = static_cast<const std::uint8_t*>(data.const_data_ptr());
  return {.width = bytes.size(1), .height = bytes.size(0), .pixels = {begin, begin + data.numel()}};
}

Task task_of(const std::string& cls) {
  if (cls == "StableVideoDiffusionPipeline") return Task::image_to_video;
  if (cls == "WanImageToVideoPipeline" || cls == "LTXImageToVideoPipeline") return Task::image_to_video;
  if (cls == "AnimateDiffPipeline" || cls == "WanPipeline" || cls == "LTXPipeline") return Task::text_to_video;
  return cls.ends_with("Img2ImgPipeline") ? Task::image_to_image : cls.ends_with("InpaintPipeline") ? Task::inpaint : Task::text_to_image;
}

GenerationRequest request_of(const golden::Case& test, int set) {
  const auto run = test.run(set);
  GenerationRequest request{.task = task_of(test.reference_class()), .prompt_weights = false};
  take(run, "prompt", request.prompts);
  take(run, "prompt_2", request.prompts_2);
  take(run, "negative_prompt", request.negative_prompts);
  take(run, "negative_prompt_2", request.negative_2);
  for (const char* name : {"num_images_per_prompt", "num_videos_per_prompt"}) request.count = run.value(name, request.count);
  if (run.contains("seeds")) request.seeds = run.at("seeds").get<std::vector<std::uint64_t>>();
  take(run, "width", request.width);
  take(run, "height", request.height);
  take(run, "num_inference_steps", request.steps);
  take(run, "clip_skip", request.clip_skip);
  take(run, "guidance_scale", request.guidance_scale);
  take(run, "guidance_rescale", request.guidance_rescale);
  take(run, "eta", request.eta);
  take(run, "strength", request.strength);
  take(run, "original_size", request.original_size);
  take(run, "target_size", request.target_size);
  take(run, "crops_coords_top_left", request.crop);
  take(run, "negative_original_size", request.negative_original_size);
  take(run, "negative_target_size", request.negative_target_size);
  take(run, "negative_crops_coords_top_left", request.negative_crop);
  take(run, "denoising_start", request.denoising_start);
  take(run, "denoising_end", request.denoising_end);
  take(run, "aesthetic_score", request.aesthetic_score);
  take(run, "negative_aesthetic_score", request.negative_aesthetic_score);
  take(run, "num_frames", request.frames);
  take(run, "fps", request.fps);
  take(run, "motion_bucket_id", request.motion_bucket);
  take(run, "decode_chunk_size", request.decode_chunk);
  take(run, "min_guidance_scale", request.min_guidance_scale);
  take(run, "max_guidance_scale", request.max_guidance_scale);
  take(run, "noise_aug_strength", request.noise_augmentation);
  take(run, "frame_rate", request.fps);
  take(run, "guidance_scale_2", request.guidance_scale_2);
  take(run, "guidance_start", request.guidance_start);
  take(run, "guidance_end", request.guidance_end);
  take(run, "max_sequence_length", request.max_sequence_length);
  if (test.reference_class().starts_with("LTX")) request.decode_timestep = 0.0;  // the reference's default
  take(run, "step_cache", request.step_cache);
  take(run, "decode_timestep", request.decode_timestep);
  take(run, "decode_noise_scale", request.decode_noise_scale);
  if (test.has_input("last_image_u8", set)) request.last_picture = picture_of<RgbPicture>(test.input("last_image_u8", set));
  for (const auto& adapter : run.value("adapters", nlohmann::json::array())) {
    const auto file = test.folder() / adapter.at("file").get<std::string>();
    request.adapters.push_back({.file = file, .name = file.filename().string(), .scale = adapter.at("scale"), .component = {}});
  }
  if (test.has_input("latents", set)) {
    const auto given = test.input("latents", set).to(at::kFloat).contiguous();
    const auto* values = static_cast<const float*>(given.const_data_ptr());
    request.latents = std::make_shared<Latents>(Latents{given.sizes().vec(), {values, values + given.numel()}});
  }
  if (test.has_input("image_u8", set)) request.picture = picture_of<RgbPicture>(test.input("image_u8", set));
  if (test.has_input("mask_u8", set)) request.mask = picture_of<GrayPicture>(test.input("mask_u8", set));
  return request;
}

void run(const golden::Case& test) {
  const ModelFolder folder(test);
  PipelineSettings settings{.number = Number::fp32};
  if (fs::exists(test.folder() / "motion_adapter")) settings.motion_adapter = test.folder() / "motion_adapter";
  for (const auto& entry : fs::directory_iterator(test.folder()))
    if (entry.path().filename().string().ends_with("_unet.safetensors")) settings.unet = entry.path();
  for (const auto& companion : test.json().value("companions", nlohmann::json::array()))
    settings.companions.push_back(test.folder() / companion.get<std::string>());
  if (test.json().contains("tokenizers")) settings.tokenizers = test.folder() / test.json().at("tokenizers").get<std::string>();
  const auto pipeline = load_pipeline(folder.path(), settings);
  auto& traced = dynamic_cast<DiffusionPipeline&>(*pipeline);
  for (int set = 0; set < test.sets(); ++set) {
    SCOPED_TRACE("set " + std::to_string(set));
    std::vector<at::Tensor> latents;
    at::Tensor decoded;
    int drawn = 0;
    Trace trace{.latents = [&](const at::Tensor& x) { latents.push_back(x.clone()); },
                .decoded = [&](const at::Tensor& x) { decoded = x; }};
    if (test.has_input("draw0", set)) {
      trace.normal = [&](at::IntArrayRef shape, std::optional<at::ScalarType>) {
        const auto noise = test.input("draw" + std::to_string(drawn++), set);
        EXPECT_EQ(noise.sizes(), shape) << "draw " << drawn - 1;
        return noise;
      };
    }
    const auto result = traced.run(request_of(test, set), {}, trace);
    test.expect_close("latents_per_step", set, at::stack(latents));
    if (test.has_output("latents", set)) {
      ASSERT_TRUE(result.latents);
      test.expect_close("latents", set, at::tensor(result.latents->values).view(result.latents->shape));
      continue;
    }
    const auto floats = nn::latent_range_to_floats(decoded);
    EXPECT_EQ(result.shortened, test.run(set).value("reused_passes", 0));
    const bool video = test.has_output("frames", set);
    test.expect_close(video ? "frames" : "image", set, video ? floats.unsqueeze(0) : floats);
    EXPECT_EQ(static_cast<std::int64_t>(result.pictures.size()), floats.size(0));
    EXPECT_FALSE(trace.normal && test.has_input("draw" + std::to_string(drawn), set)) << "not all draws were asked for";
  }
}

const std::vector<golden::Register> registered = [] {
  std::vector<golden::Register> all;
  for (const char* name :
       {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline", "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline", "StableVideoDiffusionPipeline", "AnimateDiffPipeline",
        "WanPipeline", "WanImageToVideoPipeline", "LTXPipeline", "LTXImageToVideoPipeline"})
    all.emplace_back(name, run);
  return all;
}();

}  // namespace
}  // namespace kinora::models::diffusion

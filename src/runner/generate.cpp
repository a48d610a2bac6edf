#include "runner/generate.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "base/bytes.hpp"
#include "media/rgb.hpp"
#include "media/video_writer.hpp"
#include "runner/picture_file.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;
using base::ErrorCode;

constexpr int kDefaultFps = 8;

template <class T>
std::optional<T> number(const json::object& params, std::string_view key) {
  const auto* value = params.if_contains(key);
  return value == nullptr ? std::nullopt : std::optional(value->to_number<T>());
}
std::string text(const json::object& params, std::string_view key) {
  const auto* value = params.if_contains(key);
  return value == nullptr ? std::string() : std::string(value->as_string());
}

models::Task task_named(std::string_view task) {
  for (const auto known : {models::Task::text_to_image, models::Task::image_to_image, models::Task::inpaint, models::Task::image_to_video})
    if (models::name(known) == task) return known;
  if (task == "video-extend") return models::Task::image_to_video;
  return models::Task::text_to_video;
}

// The members of scheduler_config.json that a name of the catalogue stands for.
std::string scheduler_members(std::string_view name) {
  static const std::map<std::string_view, std::string_view> kClasses{
      {"euler", R"({"_class_name":"EulerDiscreteScheduler"})"},
      {"euler-ancestral", R"({"_class_name":"EulerAncestralDiscreteScheduler"})"},
      {"dpmpp-2m", R"({"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver++","use_karras_sigmas":false})"},
      {"dpmpp-2m-karras", R"({"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver++","use_karras_sigmas":true})"},
      {"ddim", R"({"_class_name":"DDIMScheduler"})"},
      {"pndm", R"({"_class_name":"PNDMScheduler","skip_prk_steps":true})"},
      {"lcm", R"({"_class_name":"LCMScheduler"})"},
      {"tcd", R"({"_class_name":"TCDScheduler"})"},
      {"unipc", R"({"_class_name":"UniPCMultistepScheduler"})"}};
  const auto found = kClasses.find(name);
  return found == kClasses.end() ? std::string() : std::string(found->second);
}

// 8-bit RGB; deeper pictures lose what the network would not see.
base::Result<models::RgbPicture> read_rgb(const std::string& path, const media::Limits& limits) {
  KINORA_TRY(StillPicture still, read_picture(path, limits));
  models::RgbPicture picture{.width = still.width, .height = still.height, .pixels = {}};
  if (still.type == models::SampleType::packed_u8) {
    picture.pixels = std::move(still.rgb);
    return picture;
  }
  const auto count = static_cast<std::size_t>(still.width * still.height);
  const auto* samples = reinterpret_cast<const std::uint16_t*>(still.rgb.data());
  picture.pixels.resize(count * 3);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      picture.pixels[3 * i + c] = static_cast<std::uint8_t>((samples[c * count + i] * 255U + 32767U) / 65535U);
  return picture;
}

// Luma (BT.601), as a mask is read by the field's tools.
models::GrayPicture to_gray(const models::RgbPicture& picture) {
  models::GrayPicture gray{
      .width = picture.width, .height = picture.height, .pixels = std::vector<std::uint8_t>(picture.pixels.size() / 3)};
  for (std::size_t i = 0; i < gray.pixels.size(); ++i) {
    const auto* rgb = picture.pixels.data() + 3 * i;
    gray.pixels[i] = static_cast<std::uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 32768U) >> 16U);
  }
  return gray;
}

StillPicture to_still(const models::RgbPicture& picture) {
  return {.type = models::SampleType::packed_u8, .width = picture.width, .height = picture.height, .rgb = picture.pixels, .alpha = {}};
}

media::RgbView view(const models::RgbPicture& picture) {
  // A view takes memory that may be written; to_frame() only reads it.
  return {.data = const_cast<std::uint8_t*>(picture.pixels.data()),
          .type = media::RgbType::packed_u8,
          .width = static_cast<int>(picture.width),
          .height = static_cast<int>(picture.height)};
}

}  // namespace

base::Result<models::GenerationRequest> to_generation(const TaskRequest& request, std::uint64_t seed, const media::Limits& limits) {
  const json::object& params = request.params;
  models::GenerationRequest wanted;
  wanted.task = task_named(request.task);
  if (auto prompt = text(params, "prompt"); !prompt.empty()) wanted.prompts.push_back(std::move(prompt));
  if (auto negative = text(params, "negative_prompt"); !negative.empty()) wanted.negative_prompts.push_back(std::move(negative));
  if (auto prompt = text(params, "prompt_2"); !prompt.empty()) wanted.prompts_2.push_back(std::move(prompt));
  if (auto negative = text(params, "negative_prompt_2"); !negative.empty()) wanted.negative_2.push_back(std::move(negative));
  wanted.count = number<std::int64_t>(params, "n").value_or(1);
  const std::uint64_t first = number<std::uint64_t>(params, "seed").value_or(seed);
  for (std::int64_t i = 0; i < wanted.count; ++i) wanted.seeds.push_back(first + static_cast<std::uint64_t>(i));
  wanted.width = number<std::int64_t>(params, "width");
  wanted.height = number<std::int64_t>(params, "height");
  wanted.steps = number<std::int64_t>(params, "steps");
  wanted.clip_skip = number<std::int64_t>(params, "clip_skip");
  wanted.guidance_scale = number<double>(params, "guidance_scale");
  wanted.guidance_rescale = number<double>(params, "guidance_rescale");
  wanted.guidance_scale_2 = number<double>(params, "guidance_scale_2");
  wanted.guidance_start = number<double>(params, "guidance_start");
  wanted.guidance_end = number<double>(params, "guidance_end");
  wanted.step_cache = number<double>(params, "step_cache");
  wanted.strength = number<double>(params, "strength");
  wanted.scheduler = scheduler_members(text(params, "scheduler"));
  wanted.frames = number<std::int64_t>(params, "frames");
  wanted.fps = number<std::int64_t>(params, "fps");
  wanted.motion_bucket = number<std::int64_t>(params, "motion_bucket_id");
  wanted.noise_augmentation = number<double>(params, "noise_aug_strength");
  wanted.min_guidance_scale = number<double>(params, "min_guidance_scale");
  wanted.max_guidance_scale = number<double>(params, "max_guidance_scale");
  wanted.decode_chunk = number<std::int64_t>(params, "decode_chunk");
  if (const auto* strict = params.if_contains("strict")) wanted.strict = strict->as_bool();
  if (const auto* check = params.if_contains("safety_check")) wanted.safety_check = check->as_bool();
  wanted.preview_every = number<std::int64_t>(params, "preview_every").value_or(0);
  if (const auto image = request.inputs.find("image"); image != request.inputs.end()) {
    KINORA_TRY(wanted.picture, read_rgb(image->second, limits));
  }
  if (const auto last = request.inputs.find("last_image"); last != request.inputs.end()) {
    KINORA_TRY(wanted.last_picture, read_rgb(last->second, limits));
  }
  if (const auto mask = request.inputs.find("mask"); mask != request.inputs.end()) {
    KINORA_TRY(const auto picture, read_rgb(mask->second, limits));
    wanted.mask = to_gray(picture);
  }
  return wanted;
}

base::Result<std::optional<std::int64_t>> frames_of_duration(const TaskRequest& request, const models::PipelineInfo& info,
                                                             const models::GenerationRequest& wanted) {
  const auto duration = number<double>(request.params, "duration_s");
  if (!duration) return std::optional<std::int64_t>();
  const auto fps = static_cast<double>(std::max<std::int64_t>(wanted.fps.value_or(info.fps), 1));
  const auto n = std::max<std::int64_t>(info.frame_multiple, 1);
  // Of an extended video it is what is new: the first frame made is the source's last.
  const double frames = *duration * fps + (request.task == "video-extend" ? 1 : 0);
  const auto whole = 1 + n * std::max<std::int64_t>(std::llround((frames - 1) / static_cast<double>(n)), 0);
  if (whole > info.max_frames) {
    std::ostringstream text;
    text << "duration_s must be at most " << static_cast<double>(info.max_frames) / fps << " (" << info.max_frames << " frames at " << fps
         << " a second), not " << *duration;
    return base::fail(ErrorCode::invalid, text.str());
  }
  return std::optional(whole);
}

base::Result<std::vector<models::AdapterChoice>> chosen_adapters(const TaskRequest& request, const FindAdapter& find) {
  std::vector<models::AdapterChoice> chosen;
  const auto* given = request.params.if_contains("adapters");
  if (given == nullptr) return chosen;
  for (const json::value& item : given->as_array()) {
    const json::object& adapter = item.as_object();
    const std::string id = text(adapter, "adapter");
    const auto file = find(id);
    if (!file) return base::fail(ErrorCode::not_found, "adapter " + id + " is not here; fetch it with `kinora models pull`");
    chosen.push_back({.file = *file,
                      // Hub repositories tell in their names what their files' names do not.
                      .name = id.ends_with(file->stem().string()) ? id : id + "/" + file->filename().string(),
                      .scale = number<double>(adapter, "scale").value_or(1.0),
                      .component = text(adapter, "component")});
  }
  return chosen;
}

base::Result<Generated> write_pictures(const models::GenerationResult& result, const TaskRequest& request) {
  const bool jpeg = text(request.params, "format") == "jpeg";
  Generated made{.files = {}, .seeds = result.seeds, .frames = static_cast<std::int64_t>(result.pictures.size())};
  std::error_code error;
  fs::create_directories(request.output_dir / "images", error);
  if (error) return base::fail(ErrorCode::io, "the output folder cannot be made: " + error.message());
  for (const models::RgbPicture& picture : result.pictures) {
    const std::string name = "images/" + std::to_string(made.files.size()) + (jpeg ? ".jpg" : ".png");
    const auto type = jpeg ? media::ImageType::jpeg : media::ImageType::png;
    KINORA_OK(write_picture((request.output_dir / name).string(), to_still(picture), type));
    made.files.push_back({.slot = "images", .name = name, .mime = jpeg ? "image/jpeg" : "image/png"});
    made.width = picture.width;
    made.height = picture.height;
  }
  return made;
}

base::Result<Generated> write_video(const models::GenerationResult& result, const TaskRequest& request, const std::string& recipe) {
  const auto fps = static_cast<int>(result.fps > 0 ? result.fps : kDefaultFps);
  if (result.pictures.empty()) return base::fail(ErrorCode::internal, "the model made no frame");
  const models::RgbPicture& first = result.pictures.front();
  // Full-range RGB of the sRGB kind, as limited-range BT.709 with its tags.
  const media::ColorTags color{.primaries = 1, .transfer = 1, .matrix = 1, .range = media::ColorRange::limited};
  media::VideoWriterOptions options;
  options.width = static_cast<int>(first.width);
  options.height = static_cast<int>(first.height);
  options.color = color;
  options.time_base = {1, fps};
  options.frame_rate = {fps, 1};
  options.crf = number<int>(request.params, "crf").value_or(18);
  options.preset = "medium";
  options.comment = recipe;
  KINORA_TRY(auto writer, media::VideoWriter::open((request.output_dir / "video.mp4").string(), options));
  media::RgbConverter converter;
  for (std::size_t i = 0; i < result.pictures.size(); ++i) {
    KINORA_TRY(auto frame, converter.to_frame(view(result.pictures[i]), media::PixelFormat::yuv420p, color));
    frame.set_pts({static_cast<std::int64_t>(i), options.time_base});
    frame.set_duration_ticks(1);
    KINORA_OK(writer.write(frame));
  }
  KINORA_OK(writer.finish());
  return Generated{.files = {{.slot = "video", .name = "video.mp4", .mime = "video/mp4"}},
                   .seeds = result.seeds,
                   .width = first.width,
                   .height = first.height,
                   .frames = static_cast<std::int64_t>(result.pictures.size()),
                   .fps = fps};
}

base::Result<std::string> encode_preview(const models::RgbPicture& picture, const fs::path& folder) {
  // Latents are small; only very large pictures have previews beyond the side, and every n-th pixel is enough for those.
  const std::int64_t stride = (std::max(picture.width, picture.height) + kPreviewSide - 1) / kPreviewSide;
  models::RgbPicture small{.width = picture.width / stride, .height = picture.height / stride, .pixels = {}};
  for (std::int64_t y = 0; y < small.height; ++y)
    for (std::int64_t x = 0; x < small.width; ++x) {
      const auto* pixel = picture.pixels.data() + 3 * (y * stride * picture.width + x * stride);
      small.pixels.insert(small.pixels.end(), pixel, pixel + 3);
    }
  const fs::path path = folder / "preview.jpg";
  KINORA_OK(write_picture(path.string(), to_still(small), media::ImageType::jpeg));
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::error_code ignored;
  fs::remove(path, ignored);
  return base::to_base64(base::as_bytes(bytes));
}

}  // namespace kinora::runner

#pragma once
// A loaded generative model: a request in, pictures or the frames of a video out.
//
//   const auto info = models::describe_pipeline(folder);            // reads configurations only
//   const auto faults = models::check_request(info, request);       // every fault of the request, before anything is loaded
//   auto pipeline = models::load_pipeline(folder, {.device = "cuda:0"});
//   const auto result = pipeline->run(request, watch);
//
// One Pipeline is used by one thread at a time and owns the cores or the device that it was given while it runs. No LibTorch type here.
// docs/models.md lists the parameters of every family with their ranges and defaults.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/upscaler.hpp"

namespace kinora::models {

enum class Task { text_to_image, image_to_image, inpaint, image_to_video, text_to_video };
std::string_view name(Task task);  // "text-to-image"

struct RgbPicture {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3], R G B
};
// What a pipeline hands to another of its family: float32 [pictures, channels, height, width].
struct Latents {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};
struct GrayPicture {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // [height, width]
};

struct Size {
  std::int64_t height = 0, width = 0;
};

// A file of low-rank changes to the weights (LoRA), as one request wants them. Others of the same request add up.
struct AdapterChoice {
  std::filesystem::path file;
  std::string name;       // for messages, and to tell adapters for few steps (LCM, Lightning) by their names
  double scale = 1;       // -100 to 100
  std::string component;  // only this part of the model: "text_encoder", "transformer_2"; empty: all that the file names
};

// What to make. An absent value is the model's default (PipelineInfo, docs/models.md); a value that a task has no use for is ignored.
struct GenerationRequest {
  Task task = Task::text_to_image;
  std::vector<std::string> prompts{};                  // each makes `count` pictures (a video: one prompt, one video)
  std::vector<std::string> negative_prompts{};         // none, one for all, or as many as prompts
  std::vector<std::string> prompts_2{}, negative_2{};  // for SDXL's second text encoder; empty: as the first's
  bool prompt_weights = true;                          // brackets set weights, BREAK and long prompts make further rows
  std::int64_t count = 1;
  std::vector<std::uint64_t> seeds{};  // none: a random one; one for all pictures together; or one for each picture
  std::vector<AdapterChoice> adapters{};

  std::optional<std::int64_t> width{}, height{}, steps{}, clip_skip{};
  std::optional<double> guidance_scale{};    // 1 or less: without guidance
  std::optional<double> guidance_rescale{};  // 0..1, arXiv:2305.08891
  std::optional<double> eta{};               // 0..1, DDIM and TCD
  std::optional<double> strength{};          // image-to-image, inpaint: above 0 to 1, the share of the steps that is taken
  std::string scheduler{};                   // JSON object: members that replace those of scheduler_config.json

  std::optional<RgbPicture> picture{};       // image-to-image, inpaint, image-to-video
  std::optional<RgbPicture> last_picture{};  // image-to-video of Wan: the video ends with it
  std::optional<GrayPicture> mask{};         // inpaint: 128 and more is painted anew; of any size

  std::optional<Size> original_size{}, target_size{}, negative_original_size{}, negative_target_size{};  // SDXL
  std::optional<Size> crop{}, negative_crop{};                                                           // SDXL: top (height), left (width)
  std::optional<double> aesthetic_score{}, negative_aesthetic_score{};                                   // SDXL refiner
  std::optional<double> denoising_end{};     // SDXL, 0..1: the share of the noise schedule that is taken; below 1 latents are the result
  std::optional<double> denoising_start{};   // SDXL image-to-image from latents, 0..1: the share that was taken by whoever made them
  std::shared_ptr<const Latents> latents{};  // with denoising_start, in place of the picture

  std::optional<std::int64_t> frames{}, fps{}, motion_bucket{}, decode_chunk{};  // videos; frames decoded at once
  std::optional<double> min_guidance_scale{}, max_guidance_scale{};              // SVD: of the first and of the last frame
  std::optional<double> noise_augmentation{};                                    // SVD: deviation of the noise on the picture
  std::optional<double> guidance_scale_2{};                                      // Wan 2.2: of the second expert; absent: guidance_scale
  // Wan, LTX: of n steps those from int(n start) on and before int(n end) are guided, 0 <= start <= end <= 1 (arXiv:2404.07724).
  std::optional<double> guidance_start{}, guidance_end{};
  std::optional<std::int64_t> max_sequence_length{};              // Wan, LTX: tokens of a prompt
  std::optional<double> decode_timestep{}, decode_noise_scale{};  // LTX: 0..1; noise that the decoder takes away
  std::optional<double> step_cache{};  // Wan, LTX: the threshold of video::StepCache, 0..1; absent or 0: every step is computed whole
  bool strict = false;  // videos of Wan and LTX: refuse sizes and lengths that the model cannot make, instead of rounding them

  bool safety_check = true;        // where the model has a safety checker: flags in the result, pictures stay as they are
  std::int64_t preview_every = 0;  // steps between previews; 0: none
};

struct PipelineInfo {
  std::string family;                                                  // "sd", "sdxl", "sdxl-refiner", "svd", "animatediff", "wan", "ltx"
  std::string pipeline;                                                // model_index.json "_class_name"
  std::string scheduler_config;                                        // scheduler_config.json, as the pipeline uses it
  std::vector<Task> tasks;                                             // that it can do
  std::int64_t width = 0, height = 0, steps = 0, frames = 1, fps = 0;  // defaults
  double guidance_scale = 0;                                           // default; SVD: of the last frame
  double guidance_start = 0, guidance_end = 1;                         // defaults
  std::int64_t size_multiple = 8;                                      // of width and height
  std::int64_t frame_multiple = 0;                                     // n: only 1 + n k frames; sizes and frames are rounded down. 0: any
  std::int64_t max_frames = 1, max_clip_skip = 0;
  bool prompted = true;                                // image-to-video takes a prompt
  bool plans_by_size = false;                          // the noise levels depend on the size of the video (LTX)
  double decode_timestep = 0, decode_noise_scale = 0;  // LTX: defaults
  bool takes_last_picture = false;                     // image-to-video may be given the last frame too
  bool guidance_embedded = false;  // distilled over guidance: the scale is an input of the network, there is no second pass
  bool safety_checker = false;     // its pictures can be checked
  bool few_steps = false;          // Turbo, Lightning, LCM: made for 1 to 8 steps
};

inline constexpr std::int64_t kMaxSide = 4096;
inline constexpr std::int64_t kMaxPictures = 64;  // of one request
inline constexpr std::size_t kMaxPromptBytes = 20'000;

inline constexpr std::size_t kMaxAdapters = 8;  // of one request
inline constexpr double kMaxAdapterScale = 100;

// The model's defaults for a request: an adapter for few steps (LCM, Lightning) brings its scheduler, steps and guidance.
PipelineInfo info_for(const PipelineInfo& info, const GenerationRequest& request);

// The request with sizes and frames rounded to what the model can make, if it rounds (PipelineInfo::frame_multiple) and the request is not
// strict: sizes down to a multiple of size_multiple (at least one), frames n to n / m m + 1 as the reference does. Each change is told in
// notes.
GenerationRequest rounded_request(const PipelineInfo& info, GenerationRequest request, std::vector<std::string>* notes = nullptr);

// Every fault of a request (after rounding), each with the allowed range; empty when it can be run.
std::vector<std::string> check_request(const PipelineInfo& info, const GenerationRequest& request);

// A request that check_request() finds fault with; what() has all of them.
struct InvalidRequest : std::invalid_argument {
  explicit InvalidRequest(std::vector<std::string> all);
  std::vector<std::string> faults;
};
// NaN or infinity in the latents.
struct NotFiniteAtStep : std::runtime_error {
  NotFiniteAtStep(std::int64_t step_, std::int64_t steps);
  std::int64_t step;  // from 1
};
// The device has not enough memory for this request.
struct OutOfMemory : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An adapter whose file is broken, or that does not fit the model; the pipeline is as it was.
struct AdapterRefused : std::runtime_error {
  AdapterRefused(std::string name_, bool broken_, const std::string& why);
  std::string name;
  bool broken;
};

enum class Phase { encoding, denoising, decoding };
struct GenerationProgress {
  Phase phase = Phase::encoding;
  std::int64_t step = 0, steps = 0;     // done, of the denoising
  double done = 0;                      // 0..1 of the whole
  const RgbPicture* preview = nullptr;  // small picture of what is being made (of a video: its middle frame); during the call
};
// Called when a part begins and after every step; false stops the run within a step (models::Stopped).
using GenerationWatch = std::function<bool(const GenerationProgress&)>;

struct GenerationResult {
  std::vector<RgbPicture> pictures;          // in order of prompts, then count; of a video: its frames
  std::shared_ptr<const Latents> latents{};  // instead, of a request with denoising_end below 1
  std::vector<std::uint64_t> seeds;          // as they were used: one, or one for each picture
  // Not safe for work, by the safety checker: one for each picture; of a video one for all of it (of image-to-video for the picture that
  // was given). Empty: not checked.
  std::vector<bool> nsfw;
  std::int64_t fps = 0;                    // of a video
  std::vector<std::string> notes;          // what was changed in the request: "frames 80 became 81 (4 k + 1)"
  std::int64_t passes = 0, shortened = 0;  // of the denoiser, with step_cache: all, and those without the later blocks
  double encoding_s = 0, denoising_s = 0, decoding_s = 0;
};

enum class Number { automatic, fp32, bf16, fp16 };  // automatic: fp32 on the CPU; on a GPU fp16 when stored so, else bf16
enum class Residency {
  whole,          // all components stay on the device
  one_by_one,     // each comes to the device for its part and goes back to host memory: text encoders, denoiser, VAE
  block_by_block  // the same, but of the transformers and text encoders of Wan and LTX-Video a few blocks at a time
};

struct PipelineSettings {
  std::string device = "cpu";  // "cpu" or "cuda:N"
  // Another device, with a copy of the denoiser: there Wan and LTX-Video predict what has no prompt while `device` predicts what has one.
  // Empty: both on `device`.
  std::string guidance_device{};
  Number number = Number::automatic;
  Residency residency = Residency::whole;
  std::optional<std::string> variant{};               // of the weight files ("fp16"); absent: the plain ones, else the fp16 ones
  std::optional<std::filesystem::path> unet{};        // a file of UNet weights instead of the model's, as SDXL-Lightning's
  std::vector<std::filesystem::path> companions{};    // files or components' folders that hold what a file of Wan or LTX-Video lacks
  std::optional<std::filesystem::path> tokenizers{};  // as ModelFiles::borrow_tokenizers() takes it
  std::optional<std::filesystem::path>
      safety_checker{};  // a folder with config.json, weights and preprocessor_config.json, for models without
  std::optional<std::filesystem::path> motion_adapter{};  // AnimateDiff: its folder; makes a text-to-video pipeline of an SD 1.x folder
  std::uint64_t decode_bytes = 4ULL << 30;                // of activations; larger pictures are decoded in blended tiles
};

struct ComponentState {
  std::string name;         // "unet"
  std::uint64_t bytes = 0;  // of its weights
  std::uint64_t most = 0;   // of them on the device at a time
  std::string device;       // where they are used
  bool on_device = false;
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;
  virtual const PipelineInfo& info() const = 0;
  // For people: device, number format.
  virtual std::string description() const = 0;
  virtual std::vector<ComponentState> components() const = 0;
  // All weights to host memory and back, without reading files. run() brings what it needs.
  virtual void to_host() = 0;
  virtual void to_device() = 0;
  // Throws InvalidRequest, AdapterRefused, NotFiniteAtStep, NotFinite (decoding), Stopped, OutOfMemory; c10::Error when the device fails.
  virtual GenerationResult run(const GenerationRequest& request, const GenerationWatch& watch) = 0;
  GenerationResult run(const GenerationRequest& request) { return run(request, {}); }
};

// path: a diffusers folder (model_index.json), or one file in its authors' layout (models/model_files.hpp). Throws nn::LoadError.
PipelineInfo describe_pipeline(const std::filesystem::path& path, const PipelineSettings& settings = {});
// What the model takes on a device at least, block by block and in the number formats that it is stored in; 0: it has no such transformer.
std::uint64_t least_device_bytes(const std::filesystem::path& path, const PipelineSettings& settings = {});
std::unique_ptr<Pipeline> load_pipeline(const std::filesystem::path& path, const PipelineSettings& settings = {});

}  // namespace kinora::models

#include "runner/ai_api.hpp"

#include <boost/asio/this_coro.hpp>
#include <fstream>
#include <random>

#include "base/bytes.hpp"
#include "runner/ai_form.hpp"
#include "runner/ai_models.hpp"
#include "runner/event_box.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/validation.hpp"

namespace kinora::runner {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::size_t kMaxPromptParts = 4;
constexpr std::string_view kTurbo[] = {"stabilityai/sdxl-turbo", "stabilityai/sd-turbo"};

struct Answer {
  int status = 200;
  json::object body;
};
Answer refuse(int status, std::string_view message) { return {status, {{"detail", {{"msg", message}}}}}; }

struct RouteText {
  std::string_view task, failed, out_of_memory;
};
constexpr RouteText kTextToImage{"text-to-image", "Text-to-image pipeline error.",
                                 "Out of memory error. Try reducing output image resolution."};
constexpr RouteText kImageToImage{"image-to-image", "Image-to-image pipeline error.",
                                  "Out of memory error. Try reducing input image resolution."};
constexpr RouteText kImageToVideo{"image-to-video", "Image-to-video pipeline error.",
                                  "Out of memory error. Try reducing input or output video resolution."};

constexpr RouteText kUpscale{"image-upscale", "Upscale pipeline error.", "Out of memory error. Try reducing input image resolution."};
constexpr RouteText kFrameInterpolation{"frame-interpolation", "Frame-interpolation pipeline error.",
                                        "Out of memory error. Try reducing input or output video resolution."};

// A folder of one call under the work folder; gone at the end.
class CallFolder {
 public:
  explicit CallFolder(const fs::path& work_dir) {
    std::string pattern = (work_dir / "ai-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~CallFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  CallFolder(const CallFolder&) = delete;
  CallFolder& operator=(const CallFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "a | b" -> "a", "b": at most four pieces, trimmed, empty ones left out.
std::vector<std::string> split_prompt(std::string_view prompt) {
  std::vector<std::string> parts;
  for (std::size_t cuts = 0;; ++cuts) {
    const auto bar = cuts + 1 < kMaxPromptParts ? prompt.find('|') : std::string_view::npos;
    const auto piece = prompt.substr(0, bar);
    const auto begin = piece.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos) parts.emplace_back(piece.substr(begin, piece.find_last_not_of(" \t\r\n") + 1 - begin));
    if (bar == std::string_view::npos) return parts;
    prompt.remove_prefix(bar + 1);
  }
}

// Calls of all routes; one for the life of the router.
class AiApi {
 public:
  AiApi(const RunnerSettings& settings, Identity identity, std::string token, const ModelStore& models, InferenceQueue& queue)
      : settings_(settings), identity_(std::move(identity)), token_(std::move(token)), models_(models), queue_(queue) {}

  net::Task<Answer> text_to_image(net::Request& request) {
    const auto body = co_await request.body->read_all(kMaxAiJsonBytes);
    AiForm form = AiForm::from_json(body ? std::string_view(*body) : std::string_view());
    json::object params;
    const std::string prompt = form.required_text("prompt"), model = form.text("model_id").value_or("");
    params["height"] = form.integer("height").value_or(576);
    params["width"] = form.integer("width").value_or(1024);
    const auto call = read_common(form, params);
    const std::string negative = form.text("negative_prompt").value_or("");
    params["guidance_scale"] = form.number("guidance_scale").value_or(7.5);
    read_steps(form, params, 50);
    if (form.wrong()) co_return Answer{422, form.body_422()};
    if (prompt.empty()) co_return refuse(400, "Prompt must be provided.");
    if (auto refusal = check_caller(request, model)) co_return *std::move(refusal);
    const auto prompts = split_prompt(prompt), negatives = split_prompt(negative);
    if (prompts.empty()) co_return refuse(400, "Prompt must be provided.");
    params["prompt"] = prompts[0];
    if (prompts.size() > 1) params["prompt_2"] = prompts[1];
    if (!negatives.empty()) params["negative_prompt"] = negatives[0];
    if (negatives.size() > 1) params["negative_prompt_2"] = negatives[1];
    const CallFolder folder(settings_.work_dir);
    co_return co_await run(kTextToImage, model, std::move(params), call, std::string(), folder);
  }

  net::Task<Answer> image_to_image(net::Request& request) {
    AiForm form = co_await AiForm::from_multipart(request);
    json::object params;
    const std::string prompt = form.required_text("prompt"), model = form.text("model_id").value_or("");
    const std::string* image = form.required_file("image");
    params["strength"] = form.number("strength").value_or(0.8);
    (void)form.number("image_guidance_scale");  // of instruct-pix2pix only
    const auto call = read_common(form, params);
    const std::string negative = form.text("negative_prompt").value_or("");
    params["guidance_scale"] = form.number("guidance_scale").value_or(7.5);
    read_steps(form, params, 100);
    if (form.wrong()) co_return Answer{422, form.body_422()};
    if (auto refusal = check_caller(request, model)) co_return *std::move(refusal);
    params["prompt"] = prompt.empty() ? " " : prompt;  // the empty prompt is allowed here
    if (!negative.empty()) params["negative_prompt"] = negative;
    const CallFolder folder(settings_.work_dir);
    co_return co_await run(kImageToImage, model, std::move(params), call, *image, folder);
  }

  net::Task<Answer> image_to_video(net::Request& request) {
    AiForm form = co_await AiForm::from_multipart(request);
    json::object params;
    const std::string* image = form.required_file("image");
    const std::string model = form.text("model_id").value_or("");
    const std::int64_t height = form.integer("height").value_or(576), width = form.integer("width").value_or(1024);
    params["height"] = height;
    params["width"] = width;
    params["fps"] = form.integer("fps").value_or(6);
    params["motion_bucket_id"] = form.integer("motion_bucket_id").value_or(127);
    params["noise_aug_strength"] = form.number("noise_aug_strength").value_or(0.02);
    const auto call = read_common(form, params);
    params.erase("n");
    read_steps(form, params, 25);
    if (form.wrong()) co_return Answer{422, form.body_422()};
    if (auto refusal = check_caller(request, model)) co_return *std::move(refusal);
    if (height % 8 != 0 || width % 8 != 0)
      co_return refuse(
          400, "`height` and `width` have to be divisible by 8 but are " + std::to_string(height) + " and " + std::to_string(width) + ".");
    params["pictures"] = true;
    params["decode_chunk"] = 4;
    const CallFolder folder(settings_.work_dir);
    co_return co_await run(kImageToVideo, model, std::move(params), call, *image, folder);
  }

  // Networks of the upscaling kind take no text and no steps: these fields are read and checked as the reference does, and have no effect.
  net::Task<Answer> upscale(net::Request& request) {
    AiForm form = co_await AiForm::from_multipart(request);
    (void)form.required_text("prompt");
    const std::string* image = form.required_file("image");
    const std::string model = form.text("model_id").value_or("");
    (void)form.boolean("safety_check");
    (void)form.integer("num_inference_steps", /*nullable=*/true);
    // 0 counts as not given.
    const auto seed = form.integer("seed", /*nullable=*/true).value_or(0);
    if (form.wrong()) co_return Answer{422, form.body_422()};
    if (auto refusal = check_caller(request, model)) co_return *std::move(refusal);
    json::object params{{"scale", 4}, {"format", "png"}};
    Common call;
    call.seed = seed != 0 ? static_cast<std::uint64_t>(seed) : std::random_device()();
    const CallFolder folder(settings_.work_dir);
    co_return co_await run(kUpscale, model, std::move(params), call, *image, folder);
  }

  // The reference names the pipeline and never served it; fields and answer are in the manner of the others.
  net::Task<Answer> frame_interpolation(net::Request& request) {
    AiForm form = co_await AiForm::from_multipart(request);
    json::object params;
    const std::string* video = form.required_file("video");
    const std::string model = form.text("model_id").value_or("");
    if (const auto factor = form.integer("factor")) params["factor"] = *factor;
    if (auto rate = form.text("target_fps"); rate && !rate->empty()) params["target_fps"] = *rate;
    if (auto scale = form.text("scale"); scale && !scale->empty()) params["scale"] = *scale;
    if (const auto ensemble = form.boolean("ensemble")) params["ensemble"] = *ensemble;
    if (form.wrong()) co_return Answer{422, form.body_422()};
    if (auto refusal = check_caller(request, model)) co_return *std::move(refusal);
    const CallFolder folder(settings_.work_dir);
    co_return co_await run(kFrameInterpolation, model, std::move(params), {}, *video, folder);
  }

 private:
  struct Common {
    std::uint64_t seed = 0;
    std::string loras;
  };

  // Fields that all routes share; those that a route lacks are absent from its requests.
  Common read_common(AiForm& form, json::object& params) {
    Common call{.seed = std::random_device()(), .loras = form.text("loras").value_or("")};
    params["safety_check"] = form.boolean("safety_check").value_or(true);
    if (const auto seed = form.integer("seed", /*nullable=*/true)) call.seed = static_cast<std::uint64_t>(*seed);
    params["seed"] = static_cast<std::int64_t>(call.seed);
    params["n"] = form.integer("num_images_per_prompt").value_or(1);
    params["preview_every"] = 0;
    return call;
  }
  // null and less than 1: the model's own number.
  static void read_steps(AiForm& form, json::object& params, std::int64_t fallback) {
    if (const auto steps = form.integer("num_inference_steps", /*nullable=*/true))
      params["steps"] = *steps;
    else
      params["steps"] = form.has("num_inference_steps") ? 0 : fallback;
    if (params["steps"].as_int64() < 1) params.erase("steps");
  }

  std::optional<Answer> check_caller(const net::Request& request, const std::string& model) const {
    if (!token_.empty()) {
      const std::string given(request.headers.get("authorization").value_or("")), wanted = "Bearer " + token_;
      if (!base::equal_secret(base::as_bytes(given), base::as_bytes(wanted))) return refuse(401, "Invalid bearer token.");
    }
    if (!model.empty() && !identity_.model_id.empty() && model != identity_.model_id)
      return refuse(400, "pipeline configured with " + identity_.model_id + " but called with " + model + ".");
    return std::nullopt;
  }

  net::Task<Answer> run(const RouteText& route, const std::string& model, json::object params, Common call, const std::string& media,
                        const CallFolder& folder) {
    // The file goes to the task's first input.
    if (folder.path().empty()) co_return refuse(500, route.failed);
    TaskRequest task;
    task.attempt = folder.path().filename();
    task.task = route.task;
    const std::string& id = identity_.model_id.empty() ? model : identity_.model_id;
    if (!id.empty()) task.model = id;
    for (const auto turbo : kTurbo)
      if (id == turbo && params.contains("guidance_scale")) params["guidance_scale"] = 0.0;
    if (const auto steps = lightning_steps(id)) {
      task.model = lightning_model(*steps);
      params["steps"] = *steps;
      params["guidance_scale"] = 0.0;
    }
    if (route.task != kImageToVideo.task) {
      auto adapters = read_ai_loras(call.loras);
      if (!adapters) co_return refuse(400, adapters.error().message + ".");
      for (const json::value& adapter : *adapters)
        if (const std::string name(adapter.at("adapter").as_string()); !models_.adapter(name))
          co_return refuse(400, "LoRa repository '" + name + "' not found.");
      if (!adapters->empty()) params["adapters"] = *std::move(adapters);
    }
    base::FieldErrors errors;
    const tasks::TaskSpec* spec = tasks::find_task(route.task);
    task.params = tasks::validate_params(*spec, params, "", errors);
    if (!errors.empty()) co_return refuse(400, errors.front().pointer.substr(1) + " " + errors.front().detail + ".");
    task.output_dir = folder.path() / "out";
    if (!spec->inputs.empty()) {
      const std::string slot(spec->inputs.front().slot);
      const fs::path file = folder.path() / slot;
      std::ofstream(file, std::ios::binary) << media;
      task.inputs[slot] = file;
    }
    const auto box = std::make_shared<EventBox>(co_await asio::this_coro::executor);
    const auto ticket = queue_.submit(std::move(task), [box](tasks::TaskEvent event) { box->put(std::move(event)); });
    if (!ticket) co_return refuse(500, "The runner is busy.");
    const StopAtEnd stop(ticket);
    for (;;) {
      auto event = co_await box->next(net::Clock::now() + std::chrono::hours(1));
      if (!event || std::holds_alternative<tasks::Progress>(*event)) continue;
      if (const auto* failure = std::get_if<tasks::TaskFailure>(&*event)) co_return failed(route, *failure, id);
      if (const auto* result = std::get_if<tasks::TaskResult>(&*event)) co_return answer(route, *result, folder.path() / "out", call.seed);
    }
  }

  static Answer failed(const RouteText& route, const tasks::TaskFailure& failure, const std::string& base) {
    if (failure.code == "worker_oom") return refuse(500, route.out_of_memory);
    if (failure.code == "canceled") return refuse(500, route.failed);
    if (failure.code == "adapter_incompatible") return refuse(400, "LoRa incompatible with base model: '" + base + "'.");
    if (failure.code == "model_invalid" && failure.detail.starts_with("adapter "))
      return refuse(400, "Unable to load LoRas for " + failure.detail + ".");
    if (failure.code == "input_invalid" || failure.code == "schema_invalid" || failure.code == "unsupported_media" ||
        failure.code == "media_too_large" || failure.code == "model_not_found")
      return refuse(400, failure.detail + ".");
    return refuse(400, "Error during model execution: " + failure.detail + ".");
  }

  // What the safety checker said; empty: there is none, or it was not wanted.
  static json::array flags_of(const tasks::TaskResult& result) {
    for (const auto& [slot, facts] : result.outputs)
      if (const json::value* flags = facts.is_object() ? facts.get_object().if_contains("nsfw") : nullptr; flags != nullptr)
        return flags->as_array();
    return {};
  }

  static Answer answer(const RouteText& route, const tasks::TaskResult& result, const fs::path& folder, std::uint64_t seed) {
    const auto data_url = [&](const tasks::ResultFile& file) {
      return "data:" + file.mime + ";base64," + base::to_base64(base::as_bytes(read_whole(folder / file.name)));
    };
    if (route.task == kFrameInterpolation.task) return {200, {{"video", {{"url", data_url(result.files.front())}}}}};
    const bool video = route.task == kImageToVideo.task;
    const auto unsafe = [flags = flags_of(result), video](std::size_t picture) {
      const std::size_t at = video ? 0 : picture;  // of a video: of the picture that was given
      return at < flags.size() && flags[at].as_bool();
    };
    json::array pictures;
    for (const tasks::ResultFile& file : result.files) {
      const std::uint64_t own_seed = video ? seed : seed + pictures.size();
      pictures.push_back(json::object{{"url", data_url(file)}, {"seed", own_seed}, {"nsfw", unsafe(pictures.size())}});
    }
    if (video) {
      json::array clips;  // one of a batch of one; not braced: a list of one array would be that array
      clips.push_back(std::move(pictures));
      return {200, {{"frames", std::move(clips)}}};
    }
    return {200, {{"images", std::move(pictures)}}};
  }

  const RunnerSettings& settings_;
  const Identity identity_;
  const std::string token_;
  const ModelStore& models_;
  InferenceQueue& queue_;
};

}  // namespace

void add_ai_routes(net::Router& router, const RunnerSettings& settings, const Identity& identity, std::string auth_token,
                   const ModelStore& models, InferenceQueue& queue) {
  const auto api = std::make_shared<AiApi>(settings, identity, std::move(auth_token), models, queue);
  using Call = net::Task<Answer> (AiApi::*)(net::Request&);
  const auto add = [&](std::string_view path, Call call) {
    router.add("POST", std::string(path), [api, call](net::Request& request, net::Response& response) -> net::Task<void> {
      const Answer answer = co_await ((*api).*call)(request);
      net::Headers headers{{"content-type", "application/json"}};
      if (answer.status == 401) headers.add("www-authenticate", "Bearer");
      co_await response.send(answer.status, std::move(headers), json::serialize(answer.body));
    });
  };
  add("/text-to-image", &AiApi::text_to_image);
  add("/image-to-image", &AiApi::image_to_image);
  add("/image-to-video", &AiApi::image_to_video);
  add("/upscale", &AiApi::upscale);
  add("/frame-interpolation", &AiApi::frame_interpolation);
}

}  // namespace kinora::runner

#include "runner/execute.hpp"

#include <cmath>
#include <random>
#include <variant>

#include "media/probe.hpp"
#include "nn/device.hpp"
#include "runner/failures.hpp"
#include "runner/file_hash.hpp"
#include "runner/generate.hpp"
#include "runner/image_upscale.hpp"
#include "runner/reporter.hpp"
#include "runner/run_pipeline.hpp"
#include "runner/unused_params.hpp"
#include "runner/video_enhance.hpp"
#include "runner/video_extend.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/picture_rate.hpp"

namespace kinora::runner {
namespace {

namespace json = base::json;
using Clock = std::chrono::steady_clock;

// What a task leaves behind.
struct Made {
  std::vector<GeneratedFile> files;
  double units = 0;
  json::object facts;
};

std::int64_t integer(const json::object& params, std::string_view key) { return params.at(key).to_number<std::int64_t>(); }
std::string text(const json::object& params, std::string_view key) { return std::string(params.at(key).as_string()); }

Upscaling to_upscaling(const json::object& params) {
  Upscaling how{.scale = params.at("scale").to_number<double>()};
  const std::string accelerate = text(params, "accelerate");
  if (accelerate != "off") how.accelerate = accelerate == "fast" ? Upscaling::Accelerate::fast : Upscaling::Accelerate::automatic;
  return how;
}

base::Result<Interpolation> to_interpolation(const json::object& params, const RunnerSettings& settings) {
  Interpolation how;
  if (const auto* target = params.if_contains("target_fps")) {
    KINORA_TRY(const auto rate, tasks::parse_picture_rate(target->as_string()));
    how.rate = TargetRate{{rate.num, rate.den}};
  } else if (params.contains("factor")) {
    how.rate = Factor{static_cast<int>(integer(params, "factor"))};
  }
  // Where pictures are enlarged as well, "scale" is that of the pictures.
  const auto flow_scale = text(params, params.contains("flow_scale") ? "flow_scale" : "scale");
  if (flow_scale != "auto") how.flow_scale = std::stod(flow_scale);  // one of the catalogue's
  how.ensemble = params.at("ensemble").as_bool();
  how.keep_repeats = text(params, "repeats") == "keep";
  how.memory_bytes = nn::device_memory(settings.device).total_bytes;
  return how;
}

// What a task asks for; `upscale` and `interpolate` are set for the networks that there are. model: the upscaler, or the interpolator where
// there is none.
base::Result<VideoEnhance> to_enhancement(const TaskRequest& request, const Networks& networks, const ModelEntry& model,
                                          const RunnerSettings& settings) {
  const auto& params = request.params;
  VideoEnhance work;
  work.input = request.inputs.at("video");
  work.crf = static_cast<int>(integer(params, "crf"));
  work.preset = text(params, "preset");
  work.video_only = params.at("video_only").as_bool();
  work.limits = settings.limits;
  if (const auto* range = params.if_contains("range"); range != nullptr && range->is_object()) {
    const auto& ticks = range->get_object();
    work.range = VideoEnhance::Range{.start_pts = integer(ticks, "start_pts"), .end_pts = integer(ticks, "end_pts")};
    work.range->origin_pts = ticks.contains("origin_pts") ? integer(ticks, "origin_pts") : work.range->start_pts;
  }
  if (networks.upscaler != nullptr) work.upscale = to_upscaling(params);
  if (networks.interpolator != nullptr) {
    KINORA_TRY(work.interpolate, to_interpolation(params, settings));
  }
  if (work.upscale && work.interpolate) {
    const auto* ops = params.if_contains("ops");
    const auto* factor = std::get_if<Factor>(&work.interpolate->rate);
    work.first = ops == nullptr ? cheaper_first({.upscaler_weights = static_cast<double>(model.bytes) / sizeof(float),
                                                 .scale = work.upscale->scale,
                                                 .factor = factor != nullptr ? factor->factor : 2.0})
                 : ops->as_array().front().as_string() == name(Op::upscale) ? Op::upscale
                                                                            : Op::interpolate;
  }
  return work;
}

json::object facts_of(const VideoEnhanced& done) {
  json::object facts{{"frames", done.frames},
                     {"source_frames", done.source_frames},
                     {"damaged_frames", done.damaged_frames},
                     {"deinterlaced_frames", done.deinterlaced_frames},
                     {"resized_frames", done.resized_frames},
                     {"width", done.width},
                     {"height", done.height}};
  json::array ops;
  for (const Op op : done.ops) ops.emplace_back(name(op));
  facts["ops"] = std::move(ops);
  if (done.alpha_dropped) facts["notes"] = json::array{"the video's transparency was left out"};
  if (done.interpolated) {
    facts["interpolated_frames"] = done.interpolated->made;
    facts["cuts"] = done.interpolated->cuts;
    facts["repeats"] = done.interpolated->repeats;
  }
  if (done.accelerated)
    facts["acceleration"] = {{"frames", done.accelerated->frames},
                             {"whole_frames", done.accelerated->whole},
                             {"tiles", done.accelerated->tiles},
                             {"cells", done.accelerated->cells},
                             {"carried_cells", done.accelerated->carried}};
  return facts;
}

// The networks are loaded before the first report.
base::Result<Made> enhance(const TaskRequest& request, const Networks& networks, const ModelEntry& model, const RunnerSettings& settings,
                           const std::stop_token& stop, const Report& report) {
  KINORA_TRY(auto work, to_enhancement(request, networks, model, settings));
  if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "canceled");
  MediaReporter reporter("frame", report);
  const media::Control control{.stop = stop, .report = std::ref(reporter)};
  const std::string stem = !work.upscale ? "interpolated" : !work.interpolate ? "upscaled" : "enhanced";
  const GeneratedFile file{
      .slot = "video", .name = stem + (work.video_only ? ".nut" : ".mp4"), .mime = work.video_only ? "video/x-nut" : "video/mp4"};
  work.output = (request.output_dir / file.name).string();
  KINORA_TRY(const auto done, enhance_video(work, networks, control));
  return Made{.files = {file}, .units = static_cast<double>(done.frames) * done.width * done.height, .facts = facts_of(done)};
}

base::Result<Made> make_image(const TaskRequest& request, models::Upscaler& upscaler, const RunnerSettings& settings,
                              const std::stop_token& stop, const Report& report) {
  if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "canceled");
  MediaReporter reporter("pixel", report);
  const media::Control control{.stop = stop, .report = std::ref(reporter)};
  const bool jpeg = text(request.params, "format") == "jpeg";
  const GeneratedFile file{.slot = "image", .name = jpeg ? "upscaled.jpg" : "upscaled.png", .mime = jpeg ? "image/jpeg" : "image/png"};
  const ImageUpscale work{.input = request.inputs.at("image"),
                          .output = (request.output_dir / file.name).string(),
                          .type = jpeg ? media::ImageType::jpeg : media::ImageType::png,
                          .scale = request.params.at("scale").to_number<double>(),
                          .limits = settings.limits};
  KINORA_TRY(const auto done, upscale_image(work, upscaler, control));
  return Made{
      .files = {file}, .units = static_cast<double>(done.width) * done.height, .facts = {{"width", done.width}, {"height", done.height}}};
}

// A network for pictures or videos; the denoise strength of the request is set.
base::Result<models::Upscaler*> upscaler_of(const TaskRequest& request, const ModelEntry& model, ModelStore& models) {
  models::Upscaler& upscaler = models.upscaler(model);
  const auto* denoise = request.params.if_contains("denoise");
  if (!upscaler.set_denoise(denoise == nullptr ? 1 : denoise->to_number<double>()))
    return base::fail(base::ErrorCode::conflict,
                      model.id + " has no denoise strength: that needs a second checkpoint, as realesr-general-x4v3 has");
  return &upscaler;
}

// What is needed to make the same again: what the request asked for, with what was rounded as it became and what was left to the model as
// the model has it; the media that it began with by their hashes. Also the comment of a video file.
base::Result<json::object> recipe(const TaskRequest& request, const ModelEntry& model, ModelStore& models,
                                  const models::GenerationRequest& wanted, const models::GenerationResult& result,
                                  const std::stop_token& stop) {
  json::object params = request.params;
  params["seed"] = wanted.seeds.front();
  const auto* task = tasks::find_task(request.task);
  const auto fill = [&](std::string_view key, json::value value) {
    if (task != nullptr && task->find_param(key) != nullptr) params[key] = std::move(value);
  };
  const auto info = models::info_for(*model.pipeline, wanted);
  fill("steps", wanted.steps.value_or(info.steps));
  if (info.family != "svd") fill("guidance_scale", wanted.guidance_scale.value_or(info.guidance_scale));
  if (!result.pictures.empty()) {
    fill("width", result.pictures.front().width);
    fill("height", result.pictures.front().height);
  }
  if (result.fps > 0) fill("fps", result.fps);
  if (result.fps > 0 && request.task != "video-extend") {
    fill("frames", result.pictures.size());
    params.erase("duration_s");
  }
  KINORA_TRY(const auto weights, models.weights_digest(model));
  json::object how{{"model", model.id},
                   {"path", model.path.filename().string()},
                   {"weights", weights},
                   {"task", request.task},
                   {"params", std::move(params)}};
  json::object inputs;
  for (const auto& [slot, file] : request.inputs) {
    KINORA_TRY(const auto hash, file_sha256(file, stop));
    inputs[slot] = "sha256:" + hash;
  }
  if (!inputs.empty()) how["inputs"] = std::move(inputs);
  return how;
}

// The models and files that a request names.
struct Chosen {
  ModelEntry model;
  std::vector<models::AdapterChoice> adapters;
  std::optional<ModelEntry> refiner, interpolator;
};

tasks::TaskFailure missing(const base::Error& error, bool elsewhere) {
  auto failure = tasks::failure(error.code == base::ErrorCode::invalid ? "model_invalid" : "model_not_found", error.message);
  if (!elsewhere) return failure;
  failure.fault = tasks::Fault::worker;  // another node may have it
  failure.retryable = true;
  return failure;
}

std::variant<Chosen, tasks::TaskFailure> choose(const TaskRequest& request, const ModelStore& models) {
  const auto* scale = request.params.if_contains("scale");
  // A network that enlarges at least so much, rather than one whose pictures would be enlarged again.
  const int wanted_scale = scale != nullptr && scale->is_number() ? static_cast<int>(std::ceil(scale->to_number<double>())) : 0;
  auto model = models.choose(request.model, request.task, wanted_scale);
  if (!model) return missing(model.error(), false);
  Chosen chosen{.model = *std::move(model), .adapters = {}, .refiner = std::nullopt, .interpolator = std::nullopt};
  auto adapters = chosen_adapters(request, [&](const std::string& id) { return models.adapter(id); });
  if (!adapters) return missing(adapters.error(), true);
  chosen.adapters = *std::move(adapters);
  if (const auto* id = request.params.if_contains("refiner")) {
    auto refiner = models.choose(std::string(id->as_string()), models::name(models::Task::image_to_image), 0);
    if (!refiner) return missing(refiner.error(), true);
    chosen.refiner = *std::move(refiner);
  }
  if (request.task == "video-enhance") {
    const auto* id = request.params.if_contains("interpolator");
    auto interpolator = models.choose(id != nullptr ? std::optional(std::string(id->as_string())) : std::nullopt, "frame-interpolation", 0);
    if (!interpolator) return missing(interpolator.error(), true);
    chosen.interpolator = *std::move(interpolator);
  }
  return chosen;
}

// The tasks of upscalers and interpolators.
base::Result<Made> run_networks(const TaskRequest& request, const Chosen& chosen, ModelStore& models, const RunnerSettings& settings,
                                const std::stop_token& stop, const Report& report) {
  Networks networks;
  if (request.task == "frame-interpolation") {
    networks.interpolator = &models.interpolator(chosen.model);
    return enhance(request, networks, chosen.model, settings, stop, report);
  }
  KINORA_TRY(networks.upscaler, upscaler_of(request, chosen.model, models));
  if (request.task == "image-upscale") return make_image(request, *networks.upscaler, settings, stop, report);
  const Residency::Hold hold(models.residency(), chosen.model.id);
  if (chosen.interpolator) networks.interpolator = &models.interpolator(*chosen.interpolator);
  return enhance(request, networks, chosen.model, settings, stop, report);
}

base::Result<Made> generate(const TaskRequest& request, const Chosen& chosen, ModelStore& models, const RunnerSettings& settings,
                            const std::stop_token& stop, const Report& report) {
  const ModelEntry& model = chosen.model;
  const auto& refiner = chosen.refiner;
  KINORA_TRY(auto wanted, to_generation(request, std::random_device()(), settings.limits));
  wanted.adapters = chosen.adapters;
  const bool extends = request.task == "video-extend";
  if (extends) KINORA_OK(continue_from(request.inputs.at("video"), *model.pipeline, settings.limits, wanted));
  const auto timed = frames_of_duration(request, *model.pipeline, wanted);
  if (!timed) throw models::InvalidRequest({timed.error().message});
  if (*timed) wanted.frames = *timed;
  const double share = refiner ? request.params.at("refiner_start").to_number<double>() : 1;
  auto faults = refiner ? check_refined(model, *refiner, share, wanted) : models::check_request(*model.pipeline, wanted);
  if (!faults.empty()) throw models::InvalidRequest(std::move(faults));
  models.pipeline(model);  // loaded before the first report
  if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "canceled");

  StepReporter reporter(report, request.output_dir);
  const models::GenerationWatch watch = [&](const models::GenerationProgress& progress) {
    reporter(progress);
    return !stop.stop_requested();
  };
  const auto result = refiner ? run_refined(model, *refiner, share, models, wanted, watch) : run_pipeline(model, models, wanted, watch);
  const auto* pictures = request.params.if_contains("pictures");
  const bool video = (wanted.task == models::Task::image_to_video || wanted.task == models::Task::text_to_video) &&
                     (pictures == nullptr || !pictures->as_bool());
  KINORA_TRY(const json::object how, recipe(request, model, models, wanted, result, stop));
  KINORA_TRY(auto made, extends ? write_continued(result, request, json::serialize(how), settings.limits)
                        : video ? write_video(result, request, json::serialize(how))
                                : write_pictures(result, request));
  json::object facts{
      {"width", made.width},
      {"height", made.height},
      {"seeds", json::value_from(made.seeds)},
      {"recipe", how},
      {"timing", {{"encoding_s", result.encoding_s}, {"denoising_s", result.denoising_s}, {"decoding_s", result.decoding_s}}}};
  if (video) facts["fps"] = made.fps;
  auto notes = result.notes;
  for (auto& note : unused_params(request, *model.pipeline)) notes.push_back(std::move(note));
  if (*timed) notes.insert(notes.begin(), "the duration became " + std::to_string(**timed) + " frames");
  if (!notes.empty()) facts["notes"] = json::value_from(notes);
  if (result.passes > 0) facts["step_cache"] = {{"passes", result.passes}, {"shortened", result.shortened}};
  if (!result.nsfw.empty()) facts["nsfw"] = json::value_from(result.nsfw);
  facts["frames"] = made.frames;
  return Made{
      .files = std::move(made.files), .units = static_cast<double>(made.width * made.height * made.frames), .facts = std::move(facts)};
}

base::Result<tasks::TaskEvent> run(const TaskRequest& request, ModelStore& models, const RunnerSettings& settings,
                                   const std::stop_token& stop, const Report& report) {
  const auto start = Clock::now();
  auto found = choose(request, models);
  if (auto* failure = std::get_if<tasks::TaskFailure>(&found)) return tasks::TaskEvent(std::move(*failure));
  const auto& chosen = std::get<Chosen>(found);
  const ModelEntry& model = chosen.model;
  report(tasks::Progress{.fraction = 0, .stage = "prepare", .units_done = 0, .units_total = 0, .unit = "frame", .fps = {}, .eta_s = {}});
  std::error_code failed;
  std::filesystem::create_directories(request.output_dir, failed);
  if (failed) return base::fail(base::ErrorCode::io, "the output folder cannot be made: " + failed.message());
  KINORA_TRY(Made made, model.pipeline ? generate(request, chosen, models, settings, stop, report)
                                       : run_networks(request, chosen, models, settings, stop, report));

  tasks::TaskResult result;
  for (const GeneratedFile& file : made.files) {
    const auto path = request.output_dir / file.name;
    const auto bytes = std::filesystem::file_size(path, failed);
    if (failed) return base::fail(base::ErrorCode::io, "the result is gone: " + failed.message());
    result.files.push_back({.slot = file.slot,
                            .name = file.name,
                            .bytes = static_cast<std::int64_t>(bytes),
                            .sha256 = {},
                            .mime = file.mime,
                            .media = nullptr});
    if (auto info = media::probe(path.string())) result.files.back().media = media::to_json(*info);
  }
  made.facts["model"] = model.id;
  if (auto digest = models.weights_digest(model)) made.facts["weights"] = *std::move(digest);
  result.outputs[made.files.front().slot] = std::move(made.facts);
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.units = made.units;
  return tasks::TaskEvent(std::move(result));
}

}  // namespace

tasks::TaskEvent execute(const TaskRequest& request, ModelStore& models, const RunnerSettings& settings, std::stop_token stop,
                         const Report& report, bool* device_lost) {
  try {
    auto outcome = run(request, models, settings, stop, report);
    if (!outcome) return to_failure(outcome.error());
    return *std::move(outcome);
  } catch (...) {
    return to_failure(std::current_exception(), device_lost);
  }
}

}  // namespace kinora::runner

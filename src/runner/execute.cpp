#include "runner/execute.hpp"

#include <cmath>
#include <random>
#include <variant>

#include "media/probe.hpp"
#include "nn/device.hpp"
#include "runner/failures.hpp"
#include "runner/generate.hpp"
#include "runner/image_upscale.hpp"
#include "runner/reporter.hpp"
#include "runner/run_pipeline.hpp"
#include "runner/video_extend.hpp"
#include "runner/video_interpolate.hpp"
#include "runner/video_upscale.hpp"
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

base::Result<Made> make_video(const TaskRequest& request, models::Upscaler& upscaler, const RunnerSettings& settings,
                              const media::Control& control) {
  const auto& params = request.params;
  VideoUpscale work;
  work.input = request.inputs.at("video");
  work.scale = params.at("scale").to_number<double>();
  work.crf = static_cast<int>(integer(params, "crf"));
  work.preset = text(params, "preset");
  work.video_only = params.at("video_only").as_bool();
  const std::string accelerate = text(params, "accelerate");
  if (accelerate != "off") work.accelerate = accelerate == "fast" ? VideoUpscale::Accelerate::fast : VideoUpscale::Accelerate::automatic;
  work.limits = settings.limits;
  if (const auto* range = params.if_contains("range"); range != nullptr && range->is_object())
    work.range =
        VideoUpscale::Range{.start_pts = integer(range->get_object(), "start_pts"), .end_pts = integer(range->get_object(), "end_pts")};
  const GeneratedFile file{
      .slot = "video", .name = work.video_only ? "upscaled.nut" : "upscaled.mp4", .mime = work.video_only ? "video/x-nut" : "video/mp4"};
  work.output = (request.output_dir / file.name).string();
  KINORA_TRY(const auto done, upscale_video(work, upscaler, control));
  Made made{.files = {file},
            .units = static_cast<double>(done.frames),
            .facts = {{"frames", done.frames}, {"damaged_frames", done.damaged_frames}, {"width", done.width}, {"height", done.height}}};
  if (done.accelerated)
    made.facts["acceleration"] = {{"frames", done.accelerated->frames},
                                  {"whole_frames", done.accelerated->whole},
                                  {"tiles", done.accelerated->tiles},
                                  {"cells", done.accelerated->cells},
                                  {"carried_cells", done.accelerated->carried}};
  return made;
}

base::Result<VideoInterpolate> to_interpolation(const TaskRequest& request, const RunnerSettings& settings) {
  const auto& params = request.params;
  VideoInterpolate work;
  work.input = request.inputs.at("video");
  if (const auto* target = params.if_contains("target_fps")) {
    KINORA_TRY(const auto rate, tasks::parse_picture_rate(target->as_string()));
    work.rate = TargetRate{{rate.num, rate.den}};
  } else if (params.contains("factor")) {
    work.rate = Factor{static_cast<int>(integer(params, "factor"))};
  }
  if (const auto scale = text(params, "scale"); scale != "auto") work.scale = std::stod(scale);  // one of the catalogue's
  work.ensemble = params.at("ensemble").as_bool();
  work.keep_repeats = text(params, "repeats") == "keep";
  work.crf = static_cast<int>(integer(params, "crf"));
  work.preset = text(params, "preset");
  work.video_only = params.at("video_only").as_bool();
  work.memory_bytes = nn::device_memory(settings.device).total_bytes;
  work.limits = settings.limits;
  if (const auto* range = params.if_contains("range"); range != nullptr && range->is_object())
    work.range = VideoInterpolate::Range{.start_pts = integer(range->get_object(), "start_pts"),
                                         .end_pts = integer(range->get_object(), "end_pts"),
                                         .origin_pts = integer(range->get_object(), "origin_pts")};
  return work;
}

base::Result<Made> interpolate(const TaskRequest& request, const ModelEntry& model, ModelStore& models, const RunnerSettings& settings,
                               const std::stop_token& stop, const Report& report) {
  KINORA_TRY(auto work, to_interpolation(request, settings));
  models::Interpolator& interpolator = models.interpolator(model);
  if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "canceled");
  MediaReporter reporter("frame", report);
  const media::Control control{.stop = stop, .report = std::ref(reporter)};
  const GeneratedFile file{.slot = "video",
                           .name = work.video_only ? "interpolated.nut" : "interpolated.mp4",
                           .mime = work.video_only ? "video/x-nut" : "video/mp4"};
  work.output = (request.output_dir / file.name).string();
  KINORA_TRY(const auto done, interpolate_video(work, interpolator, control));
  return Made{.files = {file},
              .units = static_cast<double>(done.frames) * done.width * done.height,
              .facts = {{"frames", done.frames},
                        {"source_frames", done.source_frames},
                        {"interpolated_frames", done.made},
                        {"cuts", done.cuts},
                        {"repeats", done.repeats},
                        {"damaged_frames", done.damaged_frames},
                        {"width", done.width},
                        {"height", done.height}}};
}

base::Result<Made> make_image(const TaskRequest& request, models::Upscaler& upscaler, const RunnerSettings& settings,
                              const media::Control& control) {
  const bool jpeg = text(request.params, "format") == "jpeg";
  const GeneratedFile file{.slot = "image", .name = jpeg ? "upscaled.jpg" : "upscaled.png", .mime = jpeg ? "image/jpeg" : "image/png"};
  const ImageUpscale work{.input = request.inputs.at("image"),
                          .output = (request.output_dir / file.name).string(),
                          .type = jpeg ? media::ImageType::jpeg : media::ImageType::png,
                          .scale = request.params.at("scale").to_number<double>(),
                          .limits = settings.limits};
  KINORA_TRY(const auto done, upscale_image(work, upscaler, control));
  return Made{.files = {file}, .units = 1, .facts = {{"width", done.width}, {"height", done.height}}};
}

base::Result<Made> upscale(const TaskRequest& request, const ModelEntry& model, ModelStore& models, const RunnerSettings& settings,
                           const std::stop_token& stop, const Report& report) {
  models::Upscaler& upscaler = models.upscaler(model);
  const auto* denoise = request.params.if_contains("denoise");
  if (!upscaler.set_denoise(denoise == nullptr ? 1 : denoise->to_number<double>()))
    return base::fail(base::ErrorCode::invalid,
                      model.id + " has no denoise strength: that needs a second checkpoint, as realesr-general-x4v3 has");
  if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "canceled");
  const bool video = request.task == "video-upscale";
  MediaReporter reporter(video ? "frame" : "pixel", report);
  const media::Control control{.stop = stop, .report = std::ref(reporter)};
  return video ? make_video(request, upscaler, settings, control) : make_image(request, upscaler, settings, control);
}

// What is needed to make the same again; also the comment of a video file.
base::Result<json::object> recipe(const TaskRequest& request, const ModelEntry& model, ModelStore& models,
                                  const models::GenerationRequest& wanted) {
  json::object params = request.params;
  params["seed"] = wanted.seeds.front();
  KINORA_TRY(const auto weights, models.weights_digest(model));
  return json::object{{"model", model.id},
                      {"path", model.path.filename().string()},
                      {"weights", weights},
                      {"task", request.task},
                      {"params", std::move(params)}};
}

// The models and files that a request names.
struct Chosen {
  ModelEntry model;
  std::vector<models::AdapterChoice> adapters;
  std::optional<ModelEntry> refiner;
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
  Chosen chosen{.model = *std::move(model), .adapters = {}, .refiner = std::nullopt};
  auto adapters = chosen_adapters(request, [&](const std::string& id) { return models.adapter(id); });
  if (!adapters) return missing(adapters.error(), true);
  chosen.adapters = *std::move(adapters);
  if (const auto* id = request.params.if_contains("refiner")) {
    auto refiner = models.choose(std::string(id->as_string()), models::name(models::Task::image_to_image), 0);
    if (!refiner) return missing(refiner.error(), true);
    chosen.refiner = *std::move(refiner);
  }
  return chosen;
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
  KINORA_TRY(const json::object how, recipe(request, model, models, wanted));
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
  const auto how = request.task == "frame-interpolation" ? interpolate : upscale;
  KINORA_TRY(Made made, model.pipeline ? generate(request, chosen, models, settings, stop, report)
                                       : how(request, model, models, settings, stop, report));

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

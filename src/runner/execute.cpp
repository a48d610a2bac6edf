#include "runner/execute.hpp"

#include <chrono>
#include <optional>

#include "media/probe.hpp"
#include "runner/failures.hpp"
#include "runner/image_upscale.hpp"
#include "runner/rate.hpp"
#include "runner/video_upscale.hpp"

namespace kinora::runner {
namespace {

using Clock = std::chrono::steady_clock;

// What a task leaves behind.
struct Made {
  std::string slot, name, mime;
  std::int64_t units = 0;
  base::json::object facts;
};

std::int64_t integer(const base::json::object& params, std::string_view key) { return params.at(key).to_number<std::int64_t>(); }
std::string text(const base::json::object& params, std::string_view key) { return std::string(params.at(key).as_string()); }

// Turns the pipeline's progress into events: not more often than kReportEvery, with rate and time left.
class Reporter {
 public:
  Reporter(std::string unit, const std::function<void(tasks::TaskEvent)>& report) : unit_(std::move(unit)), report_(report) {}

  void operator()(const media::Progress& progress) {
    const auto now = Clock::now();
    rate_.add(progress.frames_done, now);
    if (last_ && now - *last_ < kReportEvery) return;
    last_ = now;
    const bool frames = unit_ == "frame";
    report_(tasks::Progress{.fraction = progress.fraction,
                            .stage = "run",
                            .units_done = progress.frames_done,
                            .units_total = progress.frames_total,
                            .unit = unit_,
                            .fps = frames ? rate_.per_second() : std::nullopt,
                            .eta_s = rate_.seconds_left(progress.frames_total)});
  }

 private:
  std::string unit_;
  const std::function<void(tasks::TaskEvent)>& report_;
  Rate rate_;
  std::optional<Clock::time_point> last_;
};

base::Result<Made> make_video(const TaskRequest& request, models::Upscaler& upscaler, const RunnerSettings& settings,
                              const media::Control& control) {
  const auto& params = request.params;
  VideoUpscale work;
  work.input = request.input;
  work.scale = static_cast<int>(integer(params, "scale"));
  work.crf = static_cast<int>(integer(params, "crf"));
  work.preset = text(params, "preset");
  work.video_only = params.at("video_only").as_bool();
  work.limits = settings.limits;
  if (const auto* range = params.if_contains("range"); range != nullptr && range->is_object())
    work.range =
        VideoUpscale::Range{.start_pts = integer(range->get_object(), "start_pts"), .end_pts = integer(range->get_object(), "end_pts")};
  Made made{.slot = "video",
            .name = work.video_only ? "upscaled.nut" : "upscaled.mp4",
            .mime = work.video_only ? "video/x-nut" : "video/mp4",
            .units = 0,
            .facts = {}};
  work.output = (request.output_dir / made.name).string();
  KINORA_TRY(const auto done, upscale_video(work, upscaler, control));
  made.units = done.frames;
  made.facts = {{"frames", done.frames}, {"damaged_frames", done.damaged_frames}, {"width", done.width}, {"height", done.height}};
  return made;
}

base::Result<Made> make_image(const TaskRequest& request, models::Upscaler& upscaler, const RunnerSettings& settings,
                              const media::Control& control) {
  const bool jpeg = text(request.params, "format") == "jpeg";
  Made made{
      .slot = "image", .name = jpeg ? "upscaled.jpg" : "upscaled.png", .mime = jpeg ? "image/jpeg" : "image/png", .units = 1, .facts = {}};
  const ImageUpscale work{.input = request.input,
                          .output = (request.output_dir / made.name).string(),
                          .type = jpeg ? media::ImageType::jpeg : media::ImageType::png,
                          .scale = static_cast<int>(integer(request.params, "scale")),
                          .limits = settings.limits};
  KINORA_TRY(const auto done, upscale_image(work, upscaler, control));
  made.facts = {{"width", done.width}, {"height", done.height}};
  return made;
}

base::Result<tasks::TaskEvent> run(const TaskRequest& request, ModelStore& models, const RunnerSettings& settings, std::stop_token stop,
                                   const std::function<void(tasks::TaskEvent)>& report) {
  const auto start = Clock::now();
  const auto id = models.choose(request.model, request.task, static_cast<int>(integer(request.params, "scale")));
  if (!id) return tasks::failure("model_not_found", id.error().message);
  report(tasks::Progress{.fraction = 0, .stage = "prepare", .units_done = 0, .units_total = 0, .unit = "frame", .fps = {}, .eta_s = {}});
  models::Upscaler& upscaler = models.use(*id);
  if (stop.stop_requested()) return base::fail(base::ErrorCode::canceled, "canceled");

  std::error_code failed;
  std::filesystem::create_directories(request.output_dir, failed);
  if (failed) return base::fail(base::ErrorCode::io, "the output folder cannot be made: " + failed.message());
  const bool video = request.task == "video-upscale";
  Reporter reporter(video ? "frame" : "pixel", report);
  const media::Control control{.stop = stop, .report = std::ref(reporter)};
  KINORA_TRY(Made made, video ? make_video(request, upscaler, settings, control) : make_image(request, upscaler, settings, control));

  const auto path = request.output_dir / made.name;
  const auto bytes = std::filesystem::file_size(path, failed);
  if (failed) return base::fail(base::ErrorCode::io, "the result is gone: " + failed.message());
  made.facts["model"] = *id;
  tasks::TaskResult result;
  result.outputs[made.slot] = std::move(made.facts);
  result.files.push_back(
      {.slot = made.slot, .name = made.name, .bytes = static_cast<std::int64_t>(bytes), .sha256 = {}, .mime = made.mime, .media = nullptr});
  if (auto info = media::probe(path.string())) result.files.back().media = media::to_json(*info);
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.units = static_cast<double>(made.units);
  return tasks::TaskEvent(std::move(result));
}

}  // namespace

tasks::TaskEvent execute(const TaskRequest& request, ModelStore& models, const RunnerSettings& settings, std::stop_token stop,
                         const std::function<void(tasks::TaskEvent)>& report, bool* device_lost) {
  try {
    auto outcome = run(request, models, settings, stop, report);
    if (!outcome) return to_failure(outcome.error());
    return *std::move(outcome);
  } catch (...) {
    return to_failure(std::current_exception(), device_lost);
  }
}

}  // namespace kinora::runner

#include "runner/reporter.hpp"

#include "runner/generate.hpp"

namespace kinora::runner {

void MediaReporter::operator()(const media::Progress& progress) {
  const auto now = Rate::Clock::now();
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

void StepReporter::operator()(const models::GenerationProgress& progress) {
  const auto now = Rate::Clock::now();
  if (progress.phase == models::Phase::denoising) rate_.add(progress.step, now);
  if (progress.preview == nullptr && last_ && now - *last_ < kReportEvery) return;
  last_ = now;
  tasks::Progress event{.fraction = 0.999 * progress.done,  // the rest is the file's
                        .stage = "run",
                        .units_done = progress.step,
                        .units_total = progress.steps,
                        .unit = "step",
                        .fps = std::nullopt,
                        .eta_s = rate_.seconds_left(progress.steps)};
  if (progress.preview != nullptr)
    if (auto preview = encode_preview(*progress.preview, scratch_); preview && preview->size() <= tasks::kMaxPreviewBytes)
      event.preview = *std::move(preview);
  report_(std::move(event));
}

}  // namespace kinora::runner

// Previews of what a job is making (developer-api 5.3.1 `previews`, event job.preview): small JPEG pictures that come with a worker's
// progress, kept as artifacts (engine_state.hpp).
#include <boost/asio/co_spawn.hpp>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

constexpr std::chrono::hours kPreviewKept{24};
constexpr std::string_view kJpegStart = "\xff\xd8\xff";

}  // namespace

void Engine::State::preview(ActiveJob& active, const tasks::Progress& event) {
  if (event.preview.empty() || !active.progress.preview_due(clock_())) return;
  const auto bytes = base::from_base64(event.preview);
  if (!bytes || !base::as_text(*bytes).starts_with(kJpegStart)) return;  // no picture: a worker's fault that costs nothing
  Preview picture{
      .artifact = new_id("art"), .at = active.progress.fraction(), .step = event.units_done, .bytes = std::string(base::as_text(*bytes))};
  const auto [line, alone] = previews_.try_emplace(active.job.id);
  line->second.push_back(std::move(picture));
  if (!alone) return;  // it follows those before it
  boost::asio::co_spawn(
      executor_,
      [self = shared_from_this(), job = active.job.id]() -> Task<void> {
        for (auto& waiting = self->previews_.at(job); !waiting.empty();) {
          Preview next = std::move(waiting.front());
          waiting.pop_front();
          co_await self->keep_preview(job, std::move(next));
        }
        self->previews_.erase(job);  // here, so that none can join a line that nobody serves
      },
      [weak = weak_from_this(), job = active.job.id](std::exception_ptr error) {
        const auto self = weak.lock();
        if (!self) return;
        if (error) {
          base::log::error("jobs", "previews were lost by an exception", {{"job", job}});
          self->previews_.erase(job);
        }
        if (self->previews_.empty()) self->idle_.cancel();
      });
}

Task<void> Engine::State::keep_preview(std::string job, Preview picture) {
  auto writer = co_await blobs_.create(static_cast<std::int64_t>(tasks::kMaxPreviewBytes));
  if (!writer) co_return;  // the disk is full: the job goes on without
  if (const auto written = co_await writer->append(std::move(picture.bytes)); !written) co_return;
  const auto blob = co_await writer->commit();
  ActiveJob* active = find(job);
  // What comes after the end of its job is of no use.
  if (!blob || stopping_ || active == nullptr || active->ending || active->finishing) co_return;
  Artifact artifact;
  artifact.id = picture.artifact;
  artifact.project = active->job.project;
  artifact.kind = "image";
  artifact.mime = "image/jpeg";
  artifact.filename = "preview_" + std::to_string(picture.step) + ".jpg";
  artifact.bytes = blob->bytes();
  artifact.sha256 = blob->sha256();
  artifact.source = {{"job", job}, {"slot", "preview"}};
  artifact.created_at = clock_();
  artifact.expires_at = artifact.created_at + kPreviewKept;
  active->progress.add_preview(picture.artifact, picture.at);
  active->job.progress = active->progress.to_json(clock_());
  Change change = change_of(*active, "");
  change.artifacts.emplace_back(artifact, std::vector{ArtifactFile{"", artifact.sha256, artifact.bytes, artifact.mime}});
  change.events.push_back(event(
      job, active->job.project, "job.preview",
      {{"id", job}, {"object", "job"}, {"artifact", artifact.id}, {"mime", artifact.mime}, {"step", picture.step}, {"at", picture.at}}));
  store(std::move(change));
  // The pin goes with the blob, once the row is there.
  (void)co_await database_.write([](store::Connection&) -> base::Status { return {}; });
}

}  // namespace kinora::jobs

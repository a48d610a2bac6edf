#include "jobs/engine.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "jobs/engine_state.hpp"
#include "jobs/schema.hpp"

namespace kinora::jobs {

namespace asio = boost::asio;

Engine::State::State(asio::any_io_executor executor, store::Database& database, store::Blobs& blobs, Executor& worker, Verifier& verifier,
                     EngineSettings settings, std::function<UnixMillis()> clock)
    : executor_(executor),
      database_(database),
      blobs_(blobs),
      worker_(worker),
      verifier_(verifier),
      settings_(settings),
      clock_(std::move(clock)),
      feed_(executor),
      timer_(executor),
      idle_(executor) {}

ActiveJob* Engine::State::find(const std::string& job) {
  const auto found = active_.find(job);
  return found == active_.end() ? nullptr : &found->second;
}

Job& Engine::State::touch(ActiveJob& active) {
  ++active.job.version;
  return active.job;
}

Event Engine::State::event(std::string_view subject, std::string_view project, std::string_view type, json::value data) {
  Event out;
  out.id = new_id("evt");
  out.project = project;
  out.subject = subject;
  out.type = type;
  out.time = clock_();
  out.data = std::move(data);
  return out;
}

Change Engine::State::change_of(ActiveJob& active, std::string_view event_type) {
  touch(active);
  Change change;
  change.job = active.job;
  if (!event_type.empty()) change.events.push_back(event(active.job.id, active.job.project, event_type, event_data(active.job)));
  return change;
}

void Engine::State::store(Change change) {
  const auto kept = std::make_shared<const Change>(std::move(change));
  database_.post_write([kept](store::Connection& connection) { return apply(connection, *kept); },
                       [weak = weak_from_this(), kept](const base::Result<Applied>& applied) {
                         const auto self = weak.lock();
                         if (!self) return;
                         if (!applied) {
                           // The state goes on in memory; the next change that reaches the disk carries it.
                           base::log::error("jobs", "a change was not stored", {{"error", applied.error().message}});
                           return;
                         }
                         for (std::size_t i = 0; i < kept->events.size(); ++i)
                           self->feed_.announce(kept->events[i].subject, applied->offsets[i]);
                         if (kept->job.parent && self->on_child_) self->on_child_(kept->job);
                       },
                       store::Haste::with_the_next);
}

void Engine::State::collect(std::vector<std::string> sha256s) {
  if (sha256s.empty()) return;
  // On the writer thread, where no row can come to name the blob between the question and the deletion.
  database_.post_write(
      [&blobs = blobs_, names = std::move(sha256s)](store::Connection& connection) -> base::Status {
        for (const std::string& name : names) {
          KINORA_TRY(const bool free, unreferenced(connection, name));
          if (free) blobs.remove_unpinned(name);
        }
        return {};
      },
      [](const base::Status&) {}, store::Haste::with_the_next);
}

Task<base::Status> Engine::State::recover() {
  KINORA_CO_OK(database_.migrate(kSchemaRoom, schema_steps()));
  struct Loaded {
    Job job;
    std::vector<JobInput> inputs;
    std::vector<TaskRow> tasks;
  };
  KINORA_CO_TRY(auto loaded, co_await database_.write([](store::Connection& connection) -> base::Result<std::vector<Loaded>> {
    KINORA_TRY(const auto cut_off, connection.run("DELETE FROM idempotency WHERE done = 0"));  // their requests died with us
    static_cast<void>(cut_off);
    std::vector<Loaded> out;
    KINORA_TRY(auto jobs, unfinished_jobs(connection));
    for (Job& job : jobs) {
      KINORA_TRY(auto inputs, job_inputs(connection, job.id));
      KINORA_TRY(auto tasks, job_tasks(connection, job.id));
      out.push_back({std::move(job), std::move(inputs), std::move(tasks)});
    }
    return out;
  }));
  for (Loaded& one : loaded) adopt(std::move(one.job), std::move(one.inputs), std::move(one.tasks));
  if (!loaded.empty()) base::log::info("jobs", "jobs reloaded", {{"count", loaded.size()}});
  KINORA_CO_TRY(auto awaited, co_await database_.read([](store::Connection& connection) { return awaited_uploads(connection); }));
  for (Upload& upload : awaited) await(std::move(upload));
  // Uploads that finished while nobody listened.
  std::set<std::string> uploads;
  for (const auto& [id, active] : active_)
    for (const JobInput& input : active.inputs)
      if (input.upload && input.sha256.empty()) uploads.insert(*input.upload);
  for (const std::string& id : uploads) {
    KINORA_CO_TRY(auto state,
                  co_await database_.read([id](store::Connection& connection) -> base::Result<std::pair<Upload, std::optional<Artifact>>> {
                    KINORA_TRY(Upload upload, find_upload(connection, id));
                    std::optional<Artifact> artifact;
                    if (upload.artifact) {
                      if (auto found = find_artifact(connection, upload.project, *upload.artifact)) artifact = std::move(*found);
                    }
                    return std::pair(std::move(upload), std::move(artifact));
                  }));
    if (state.second)
      input_ready(id, *state.second);
    else if (state.first.status != UploadStatus::pending && state.first.status != UploadStatus::uploading &&
             state.first.status != UploadStatus::processing)
      input_failed(id, "input_unavailable", "the upload is " + std::string(name(state.first.status)));
  }
  started_ = true;
  next_sweep_ = clock_();
  wake();
  co_return base::Status();
}

Task<void> Engine::State::drain(std::chrono::milliseconds grace) {
  draining_ = true;
  const auto end = asio::steady_timer::clock_type::now() + grace;
  while (!running_.empty() && asio::steady_timer::clock_type::now() < end) {
    idle_.expires_at(end);
    boost::system::error_code ignored;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Task<void> Engine::State::stop() {
  stopping_ = true;
  timer_.cancel();
  for (const auto* attempts : {&running_, &late_})
    for (const auto& [id, attempt] : *attempts) attempt->cancel->emit(asio::cancellation_type::terminal);
  while (!running_.empty() || !late_.empty() || sweeping_ || !previews_.empty()) {
    idle_.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code ignored;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  // Everything queued before this is on the disk after it.
  static_cast<void>(co_await database_.write([](store::Connection&) -> base::Status { return {}; }));
}

Engine::Engine(asio::any_io_executor executor, store::Database& database, store::Blobs& blobs, Executor& worker, Verifier& verifier,
               EngineSettings settings, std::function<UnixMillis()> clock)
    : state_(std::make_shared<State>(std::move(executor), database, blobs, worker, verifier, settings, std::move(clock))) {}

Engine::~Engine() {
  state_->stopping_ = true;
  state_->timer_.cancel();
  for (const auto* attempts : {&state_->running_, &state_->late_})
    for (const auto& [id, attempt] : *attempts) attempt->cancel->emit(asio::cancellation_type::terminal);
}

// Coroutines hold the state themselves: the engine may be destroyed while they are suspended.
Task<base::Status> Engine::recover() {
  const auto state = state_;
  co_return co_await state->recover();
}
Task<void> Engine::drain(std::chrono::milliseconds grace) {
  const auto state = state_;
  co_await state->drain(grace);
}
Task<void> Engine::stop() {
  const auto state = state_;
  co_await state->stop();
}
void Engine::wake() { state_->wake(); }
Task<Outcome<SubmitAnswer>> Engine::submit(SubmitRequest request) {
  const auto state = state_;
  co_return co_await state->submit(std::move(request));
}
Task<base::Status> Engine::sweep() {
  const auto state = state_;
  co_return co_await state->sweep();
}
void Engine::on_sweep(std::function<base::Result<std::int64_t>(store::Connection&, UnixMillis)> also) {
  state_->on_sweep_ = std::move(also);
}
void Engine::set_url_media(UrlMedia url_media) { state_->url_media_ = std::move(url_media); }
void Engine::on_child(std::function<void(const Job&)> listener) { state_->on_child_ = std::move(listener); }
EventFeed& Engine::feed() { return state_->feed_; }
std::int64_t Engine::queue_position(std::string_view job) const { return state_->queue_position(job); }

Outcome<void> Engine::check_disk() const { return state_->check_disk(); }
std::optional<double> Engine::queue_eta_s(std::string_view job) const { return state_->queue_eta_s(job); }
const EtaAccuracy& Engine::eta_accuracy() const { return state_->eta_.accuracy(); }
std::optional<double> Engine::mean_seconds(std::string_view task, std::string_view model) const {
  return state_->eta_.seconds(capability_of(task, model));
}

Engine::Counts Engine::counts() const {
  Counts out;
  out.running_attempts = state_->running_.size();
  out.active_jobs = state_->active_.size();
  for (const auto& [capability, waiting] : state_->waiting_) out.queued += waiting.queue.size();
  return out;
}

}  // namespace kinora::jobs

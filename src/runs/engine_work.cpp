// The jobs and child runs of items: made once, watched, stopped (engine_state.hpp).
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "jobs/admission.hpp"
#include "jobs/job_rows.hpp"
#include "runs/engine_state.hpp"
#include "runs/step_key.hpp"

namespace kinora::runs {

namespace asio = boost::asio;
using store::Connection;

namespace {

ItemNews failure(const tasks::Problem& problem) {
  ItemNews news;
  news.status = ItemStatus::failed;
  news.error = tasks::to_json(problem);
  return news;
}

ItemNews news_of(const jobs::Job& job) {
  ItemNews news;
  switch (job.status) {
    case jobs::Status::succeeded:
      news.status = ItemStatus::succeeded;
      news.output = job.output;
      break;
    case jobs::Status::failed: news.status = ItemStatus::failed; break;
    case jobs::Status::expired: news.status = ItemStatus::expired; break;
    case jobs::Status::canceled: news.status = ItemStatus::canceled; break;
    default: break;
  }
  news.error = job.error;
  return news;
}

ItemNews news_of(const Run& child) {
  ItemNews news;
  news.error = child.error;
  switch (child.status) {
    case RunStatus::succeeded:
      news.status = ItemStatus::succeeded;
      news.output = child.outputs;
      news.error = nullptr;
      break;
    case RunStatus::canceled: news.status = ItemStatus::canceled; break;
    case RunStatus::expired: news.status = ItemStatus::expired; break;
    default: news.status = ItemStatus::failed;
  }
  return news;
}

bool later(const tasks::Problem& problem) {
  const int status = tasks::http_status(problem.code);
  return status == 429 || status >= 500;
}

}  // namespace

void Engine::State::start(const std::string& run, std::size_t step, std::size_t index) {
  ActiveRun* active = find(run);
  if (active == nullptr || stopping_) return;
  const std::string work = active->run.steps[step].items[index].work;
  if (!starting_.insert(work).second) return;
  const bool child = active->definition.steps[step].child.has_value();
  asio::co_spawn(
      executor_,
      [self = shared_from_this(), run, step, index, work, child]() {
        return child ? self->start_child(run, step, index, work) : self->start_item(run, step, index, work);
      },
      [weak = weak_from_this(), work](std::exception_ptr error) {
        const auto self = weak.lock();
        if (!self) return;
        self->starting_.erase(work);
        if (error) base::log::error("runs", "a step could not be started", {{"work", work}});
      });
}

Task<void> Engine::State::start_item(std::string run, std::size_t step, std::size_t index, std::string work) {
  for (;;) {
    ActiveRun* active = find(run);
    if (active == nullptr || stopping_ || active->run.steps[step].items[index].work != work) co_return;
    auto body = job_body(active->definition, active->run, step, index, clock_());
    if (!body) co_return news(run, step, index, work, failure(body.error()));
    const std::string project = active->run.project;
    const Reuse reuse = active->definition.steps[step].reuse;
    if (reuse != Reuse::never) {
      auto known = co_await known_result(run, step, work, *body);
      if (known) {
        ItemNews found;
        found.status = ItemStatus::reused;
        found.output = std::move(known->output);
        found.reused_from = std::move(known->job);
        co_return news(run, step, index, work, std::move(found));
      }
    }
    active = find(run);
    if (active == nullptr || stopping_) co_return;
    const bool exists = (co_await jobs_.get(project, work)).has_value();
    active = find(run);
    if (active == nullptr || stopping_) co_return;
    if (reuse == Reuse::only && !exists)
      co_return news(run, step, index, work,
                     failure(jobs::refuse("requirements_unsatisfiable", "no stored result fits this step (reuse: only)").value()));
    // A fallback does not wait for a model that nobody has.
    const Step& what = active->definition.steps[step];
    const auto variant = static_cast<std::size_t>(active->run.steps[step].items[index].variant);
    if (!exists && what.on_failure == OnFailure::fallback && variant + 1 < what.variants.size()) {
      const auto missing = co_await missing_model(*body);
      if (missing) co_return news(run, step, index, work, failure(jobs::no_model(*missing)));
    }
    auto node = exists ? std::nullopt : co_await preferred_node(run, step);
    active = find(run);
    if (active == nullptr || stopping_) co_return;
    // Canceled before it was made: it never is.
    if (!exists && active->run.steps[step].items[index].stop != Stop::none) {
      ItemNews never;
      never.status = ItemStatus::canceled;
      co_return news(run, step, index, work, std::move(never));
    }
    jobs::SubmitRequest request;
    request.project = project;
    request.key = active->run.key;
    request.body = std::move(*body);
    request.trace_id = active->run.trace_id;
    request.id = work;
    request.parent = jobs::JobParent{run, active->definition.steps[step].id, static_cast<int>(index)};
    request.prefer_node = std::move(node);
    auto made = co_await jobs_.submit(std::move(request));
    if (made) {
      on_job(made->job);
      active = find(run);
      starting_.erase(work);  // made: what was asked of it meanwhile is done now
      if (active != nullptr && active->run.steps[step].items[index].work == work && active->run.steps[step].items[index].stop != Stop::none)
        stop_item(run, step, index);
      co_return;
    }
    if (!later(made.error())) co_return news(run, step, index, work, failure(made.error()));
    asio::steady_timer pause(executor_, settings_.submit_again);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

Task<void> Engine::State::start_child(std::string run, std::size_t step, std::size_t index, std::string work) {
  for (;;) {
    ActiveRun* active = find(run);
    if (active == nullptr || stopping_ || active->run.steps[step].items[index].work != work) co_return;
    const Step& what = active->definition.steps[step];
    if (active->run.depth >= kMaxDepth)
      co_return news(run, step, index, work, failure(jobs::refuse("fanout_too_large", "runs inside runs go 4 deep at most").value()));
    auto args = child_args(active->definition, active->run, step, index);
    if (!args) co_return news(run, step, index, work, failure(args.error()));
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(active->run.deadline_at - clock_()).count();
    json::object body{
        {"workflow", what.child->workflow}, {"args", std::move(*args)}, {"deadline_s", std::clamp<std::int64_t>(left, 1, kMaxDeadlineS)}};
    if (what.child->version) body["version"] = *what.child->version;
    if (active->run.end_user) body["end_user"] = *active->run.end_user;
    CreateRequest request{
        .project = active->run.project, .key = active->run.key, .body = std::move(body), .trace_id = active->run.trace_id};
    const jobs::JobParent parent{run, what.id, static_cast<int>(index)};
    auto made = co_await create(std::move(request), work, parent, active->run.depth + 1);
    if (made) {
      if (terminal(made->run.status)) co_return child_ended(made->run);
      news(run, step, index, work, {});
      active = find(run);
      starting_.erase(work);  // made: what was asked of it meanwhile is done now
      if (active != nullptr && active->run.steps[step].items[index].work == work && active->run.steps[step].items[index].stop != Stop::none)
        stop_item(run, step, index);
      co_return;
    }
    if (!later(made.error())) co_return news(run, step, index, work, failure(made.error()));
    asio::steady_timer pause(executor_, settings_.submit_again);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

Task<std::optional<StepResult>> Engine::State::known_result(std::string run, std::size_t step, std::string work, json::object body) {
  const tasks::TaskSpec* task = tasks::find_task(std::string_view(body.at("task").as_string()));
  const json::value* input = body.if_contains("input");
  if (task == nullptr || input == nullptr || !input->is_object() || !may_be_used_again(*task, input->get_object())) co_return std::nullopt;
  std::optional<std::string> weights;
  if (task->has_models) {
    const json::value* model = body.if_contains("model");
    if (settings_.weights_digest)
      weights =
          co_await settings_.weights_digest(std::string(task->name), model != nullptr ? std::string(model->as_string()) : std::string());
    if (!weights) co_return std::nullopt;
  }
  ActiveRun* active = find(run);
  if (active == nullptr) co_return std::nullopt;
  const std::string project = active->run.project;
  const UnixMillis keep_until = clock_() + std::chrono::hours(24 * 7);
  struct Looked {
    std::string key;
    std::optional<StepResult> result;
  };
  auto looked = co_await database_.write([&](Connection& connection) -> base::Result<Looked> {
    Looked out;
    const auto parts = key_parts(*task, input->get_object(), weights, [&](std::string_view id) {
      const auto artifact = jobs::find_artifact(connection, project, id);
      return artifact ? artifact->sha256 : std::string();
    });
    if (!parts) return out;
    json::object whole = *parts;
    if (const json::value* options = body.if_contains("output")) whole["output"] = *options;
    out.key = step_key(std::move(whole));
    if (jobs::find_job(connection, work)) return out;  // begun already: its own result counts
    KINORA_TRY(out.result, find_result(connection, project, out.key, keep_until));
    return out;
  });
  active = find(run);
  if (!looked || active == nullptr) co_return std::nullopt;
  if (!looked->key.empty() && active->definition.steps[step].keep) active->keys[work] = {looked->key, weights};
  co_return std::move(looked->result);
}

// Where the step it wants to be near ran; a hint.
Task<std::optional<std::string>> Engine::State::preferred_node(std::string run, std::size_t step) {
  ActiveRun* active = find(run);
  if (active == nullptr) co_return std::nullopt;
  const Step& what = active->definition.steps[step];
  std::string near;
  for (std::size_t i = 0; i < active->definition.steps.size() && near.empty(); ++i) {
    const Step& other = active->definition.steps[i];
    const bool wanted = other.id == what.same_worker_as || (i != step && !what.group.empty() && other.group == what.group);
    if (wanted && !other.child && !other.gate && !active->run.steps[i].items.empty()) near = active->run.steps[i].items.front().work;
  }
  if (near.empty()) co_return std::nullopt;
  const auto attempts = co_await jobs_.attempts(active->run.project, near);
  if (!attempts) co_return std::nullopt;
  for (auto at = attempts->rbegin(); at != attempts->rend(); ++at)
    if (at->node && at->state == "delivered") co_return at->node;
  co_return std::nullopt;
}

void Engine::State::stop_item(const std::string& run, std::size_t step, std::size_t index) {
  ActiveRun* active = find(run);
  if (active == nullptr || stopping_) return;
  const Item& item = active->run.steps[step].items[index];
  if (terminal(item.status) || starting_.contains(item.work)) return;  // start_item() looks at `stop` when it is through
  const bool child = active->definition.steps[step].child.has_value();
  asio::co_spawn(
      executor_,
      [self = shared_from_this(), project = active->run.project, work = item.work, child, why = item.stop]() -> Task<void> {
        const std::string reason = why == Stop::expire ? "deadline_exceeded" : "the run was canceled";
        if (child)
          static_cast<void>(
              co_await self->change(project, work, [&](ActiveRun& one) { return runs::cancel(one.run, reason, one.pending); }));
        else
          static_cast<void>(co_await self->jobs_.cancel(project, work, reason));
      },
      asio::detached);
}

void Engine::State::news(const std::string& run, std::size_t step, std::size_t index, const std::string& work, ItemNews what) {
  ActiveRun* active = find(run);
  if (active == nullptr || stopping_ || active->run.steps[step].items[index].work != work) return;
  if (const auto key = active->keys.find(work); key != active->keys.end() && terminal(what.status)) {
    if (what.status == ItemStatus::succeeded) active->results.emplace_back(key->second.step_key, StepResult{work, what.output});
    active->keys.erase(key);
  }
  item_news(active->definition, active->run, step, index, std::move(what), clock_(), active->pending);
  advance(*active);
}

void Engine::State::on_job(const jobs::Job& job) {
  if (stopping_ || !job.parent) return;
  if (!started_) {
    early_.push_back(job);
    return;
  }
  ActiveRun* active = find(job.parent->run);
  if (active == nullptr) return;
  const Step* what = active->definition.find(job.parent->step);
  const auto index = static_cast<std::size_t>(job.parent->index);
  if (what == nullptr) return;
  const std::size_t step = active->definition.index_of(what->id);
  StepState& state = active->run.steps[step];
  if (index >= state.items.size() || state.items[index].work != job.id) return;
  // A model was replaced after the key was made: the result is not that of the key.
  if (const auto key = active->keys.find(job.id);
      key != active->keys.end() && jobs::terminal(job.status) && key->second.weights != job.weights)
    active->keys.erase(key);
  if (jobs::terminal(job.status) || job.running_at) {
    if (jobs::terminal(job.status) || state.items[index].status == ItemStatus::queued)
      return news(job.parent->run, step, index, job.id, news_of(job));
    const json::value* fraction = job.progress.if_contains("fraction");
    if (fraction == nullptr || !fraction->is_number()) return;
    state.items[index].fraction = fraction->to_number<double>();
    UnixMillis& told = active->told[step];
    const UnixMillis now = clock_();
    if (now - told < settings_.progress_every) return;
    told = now;
    double sum = 0;
    for (const Item& item : state.items) sum += terminal(item.status) ? 1 : item.fraction;
    json::object data = step_event_data(active->definition, active->run, step);
    data["fraction"] = sum / static_cast<double>(state.items.size());
    active->pending.events.push_back({"step.progress", std::move(data)});
    advance(*active);
  }
}

void Engine::State::child_ended(const Run& child) {
  ActiveRun* active = find(child.parent->run);
  if (active == nullptr) return;
  const Step* what = active->definition.find(child.parent->step);
  if (what == nullptr) return;
  const std::size_t step = active->definition.index_of(what->id);
  news(child.parent->run, step, static_cast<std::size_t>(child.parent->index), child.id, news_of(child));
}

}  // namespace kinora::runs

#include "runs/engine.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "runs/engine_state.hpp"
#include "runs/eta.hpp"

namespace kinora::runs {

namespace asio = boost::asio;
using store::Connection;

Engine::State::State(asio::any_io_executor executor, store::Database& database, jobs::Engine& jobs, EngineSettings settings,
                     std::function<UnixMillis()> clock)
    : executor_(executor), database_(database), jobs_(jobs), settings_(settings), clock_(std::move(clock)), timer_(executor) {}

ActiveRun* Engine::State::find(std::string_view id) {
  const auto found = active_.find(std::string(id));
  return found == active_.end() ? nullptr : &found->second;
}

ActiveRun& Engine::State::adopt(Run run, Definition definition) {
  ActiveRun& active = active_[run.id];
  active.run = std::move(run);
  active.definition = std::move(definition);
  derive(active.definition, active.run);
  active.root = root_of(active.run);
  active.counted = instances(active.run);
  return active;
}

std::string Engine::State::root_of(const Run& run) {
  const ActiveRun* parent = run.parent ? find(run.parent->run) : nullptr;
  return parent == nullptr ? run.id : parent->root;
}

void Engine::State::settle_in_tree(ActiveRun& active) {
  std::size_t& all = instances_[active.root];
  active.run.elsewhere = all - std::min(all, active.counted);
  settle(active.definition, active.run, clock_(), active.pending);
  active.counted = instances(active.run);
  all = active.run.elsewhere + active.counted;
}

Task<base::Status> Engine::State::count_tree(std::string root) {
  KINORA_CO_TRY(const std::size_t all,
                co_await database_.read([&](Connection& connection) { return instances_of_tree(connection, root); }));
  instances_[root] = all;
  co_return base::Status();
}

void Engine::State::forget(const std::string& id) {
  active_.erase(id);
  instances_.erase(id);
}

Change take_change(ActiveRun& active, const std::function<std::string(std::string_view)>& new_id, UnixMillis now) {
  Change out;
  ++active.run.version;
  out.now = now;
  // What is stored already, and may be large, is not copied for every transition.
  const bool whole = active.run.version == 1 || std::exchange(active.rewritten, false);
  std::vector<StepState> steps = std::move(active.run.steps);
  json::object definition, args;
  if (!whole) {
    definition.swap(active.run.definition);
    args.swap(active.run.args);
  }
  out.run = active.run;
  active.run.steps = std::move(steps);
  if (!whole) {
    definition.swap(active.run.definition);
    args.swap(active.run.args);
  }
  Touched touched = std::exchange(active.pending, {});
  for (const std::size_t i : touched.steps) {
    StepState& state = active.run.steps[i];
    std::vector<Item> items = std::move(state.items);
    StepState row = state;
    row.items.resize(items.size());
    state.items = std::move(items);
    out.steps.emplace_back(i, std::move(row));
  }
  for (const auto& [step, index] : touched.items)
    if (index < active.run.steps[step].items.size()) out.items.emplace_back(step, index, active.run.steps[step].items[index]);
  for (RunEvent& told : touched.events) {
    jobs::Event event;
    event.id = new_id("evt");
    event.project = active.run.project;
    event.subject = active.run.id;
    event.type = std::move(told.type);
    event.time = now;
    event.data = std::move(told.data);
    out.events.push_back(std::move(event));
  }
  for (const std::size_t step : touched.release)
    for (const Item& item : active.run.steps[step].items)
      if (item.status == ItemStatus::succeeded && !active.definition.steps[step].child) out.released.push_back(item.work);
  out.results = std::exchange(active.results, {});
  out.start = std::move(touched.start);
  out.stop = std::move(touched.stop);
  active.changed = false;
  return out;
}

base::Status write_details(Connection& connection, const Change& change, std::vector<std::int64_t>& offsets) {
  constexpr std::chrono::hours kReleasedLife{1};
  for (const auto& [ordinal, state] : change.steps) KINORA_OK(put_step(connection, change.run.id, ordinal, state));
  for (const auto& [step, index, item] : change.items) KINORA_OK(put_item(connection, change.run.id, step, index, item));
  for (const auto& [key, result] : change.results) KINORA_OK(put_result(connection, change.run.project, key, result, change.now));
  KINORA_OK(expire_artifacts_of(connection, change.released, change.now + kReleasedLife));
  for (const jobs::Event& event : change.events) {
    KINORA_TRY(const auto offset, jobs::append_event(connection, event));
    offsets.push_back(offset);
  }
  return {};
}

void Engine::State::advance(ActiveRun& active) {
  settle_in_tree(active);
  active.changed = active.changed || active.pending.any();
  if (active.due) due_.erase({*active.due, active.run.id});
  active.due = next_due(active.definition, active.run);
  if (active.due) due_.emplace(*active.due, active.run.id);
  flush(active);
  arm();
}

void Engine::State::flush(ActiveRun& active) {
  if (active.storing || !active.changed || stopping_) return;
  active.storing = true;
  const auto change = std::make_shared<Change>(take_change(active, [this](std::string_view prefix) { return new_id(prefix); }, clock_()));
  database_.post_write(
      [change](Connection& connection) -> base::Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> offsets;
        KINORA_OK(update_run(connection, change->run));
        KINORA_OK(write_details(connection, *change, offsets));
        return offsets;
      },
      [weak = weak_from_this(), id = active.run.id, change](const base::Result<std::vector<std::int64_t>>& offsets) {
        if (const auto self = weak.lock()) self->stored(id, change, offsets);
      });
}

void Engine::State::stored(const std::string& id, const std::shared_ptr<Change>& change,
                           const base::Result<std::vector<std::int64_t>>& offsets) {
  ActiveRun* active = find(id);
  if (active == nullptr || stopping_) return;
  if (!offsets) {
    base::log::error("runs", "a change was not stored; it is written again", {{"run", id}, {"error", offsets.error().message}});
    auto timer = std::make_shared<asio::steady_timer>(executor_, settings_.store_again);
    timer->async_wait([weak = weak_from_this(), id, change, timer](const boost::system::error_code&) {
      const auto self = weak.lock();
      if (!self || self->stopping_) return;
      self->database_.post_write(
          [change](Connection& connection) -> base::Result<std::vector<std::int64_t>> {
            std::vector<std::int64_t> out;
            KINORA_OK(update_run(connection, change->run));
            KINORA_OK(write_details(connection, *change, out));
            return out;
          },
          [weak, id, change](const base::Result<std::vector<std::int64_t>>& again) {
            if (const auto same = weak.lock()) same->stored(id, change, again);
          });
    });
    return;
  }
  active->storing = false;
  for (const std::int64_t offset : *offsets) jobs_.feed().announce(id, offset);
  for (const auto& [step, index] : change->start) start(id, step, index);
  for (const auto& [step, index] : change->stop) stop_item(id, step, index);
  active = find(id);
  if (active == nullptr) return;
  if (active->changed) return flush(*active);
  if (!terminal(active->run.status)) return;
  if (active->due) due_.erase({*active->due, id});
  const Run run = std::move(active->run);
  forget(id);
  if (run.parent) child_ended(run);
}

void Engine::State::arm() {
  if (due_.empty() || stopping_ || !started_) return;
  const auto left = std::max(due_.begin()->first - clock_(), UnixMillis::duration(1));
  timer_.expires_after(std::min<std::chrono::milliseconds>(left, std::chrono::hours(1)));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->tick();
  });
}

void Engine::State::tick() {
  if (stopping_ || !started_) return;
  const UnixMillis now = clock_();
  std::vector<std::string> late;
  for (auto at = due_.begin(); at != due_.end() && at->first <= now; ++at) late.push_back(at->second);
  for (const std::string& id : late)
    if (ActiveRun* active = find(id)) advance(*active);
  arm();
}

Task<void> Engine::State::settled(std::string id) {
  for (;;) {
    const ActiveRun* active = find(id);
    if (active == nullptr || stopping_ || (!active->storing && !active->changed)) co_return;
    static_cast<void>(co_await database_.write([](Connection&) -> base::Status { return {}; }));
  }
}

Task<Outcome<Run>> Engine::State::change(std::string project, std::string id, std::function<Outcome<void>(ActiveRun&)> what) {
  if (stopping_) co_return jobs::refuse("maintenance", "the gateway is shutting down");
  co_await settled(id);  // a run that is just ending has ended then
  if (find(id) == nullptr) {
    auto loaded = co_await database_.read([&](Connection& connection) { return find_run(connection, project, id); });
    if (!loaded) co_return jobs::refuse(loaded.error());
    auto definition = parse_definition(loaded->definition);
    if (!definition) co_return tl::unexpected(std::move(definition).error());
    if (find(id) == nullptr) {
      ActiveRun& again = adopt(std::move(*loaded), std::move(*definition));
      if (again.root == id) instances_[id] = again.counted;
    }
  }
  ActiveRun& active = *find(id);
  const int generation = active.run.generation;
  if (active.run.project != project) co_return jobs::refuse("not_found", "no run of that id");
  const auto done = what(active);
  if (!done) {
    if (terminal(active.run.status) && !active.storing && !active.changed) forget(id);
    co_return tl::unexpected(done.error());
  }
  active.changed = active.changed || active.pending.any();
  if (active.run.generation != generation && active.root == id) instances_[id] = active.counted = instances(active.run);  // counts anew
  advance(active);
  if (ActiveRun* same = find(id); same != nullptr && terminal(same->run.status) && !same->storing && !same->changed) forget(id);
  co_await settled(id);
  auto stored_run = co_await database_.read([&](Connection& connection) { return find_run(connection, project, id); });
  if (!stored_run) co_return jobs::refuse(stored_run.error());
  co_return std::move(*stored_run);
}

Engine::Engine(asio::any_io_executor executor, store::Database& database, jobs::Engine& jobs, EngineSettings settings,
               std::function<UnixMillis()> clock)
    : state_(std::make_shared<State>(std::move(executor), database, jobs, settings, std::move(clock))) {}

Engine::~Engine() {
  state_->stopping_ = true;
  state_->timer_.cancel();
  state_->jobs_.on_child({});
  state_->jobs_.on_sweep({});
}

base::Status Engine::prepare() {
  state_->jobs_.on_child([weak = std::weak_ptr(state_)](const jobs::Job& job) {
    if (const auto state = weak.lock()) state->on_job(job);
  });
  static constexpr std::chrono::hours kRunsKept{24 * 90};
  static constexpr std::int64_t kBatch = 100;  // runs have many rows
  state_->jobs_.on_sweep([](Connection& connection, UnixMillis now) { return drop_old_runs(connection, now - kRunsKept, kBatch); });
  return state_->database_.migrate(kSchemaRoom, schema_steps());
}

Task<base::Status> Engine::recover() {
  const auto state = state_;
  co_return co_await state->recover();
}

Task<void> Engine::stop() {
  const auto state = state_;
  state->timer_.cancel();
  while (std::any_of(state->active_.begin(), state->active_.end(), [](const auto& one) { return one.second.storing; }))
    static_cast<void>(co_await state->database_.write([](Connection&) -> base::Status { return {}; }));
  state->stopping_ = true;
}

void Engine::wake() { state_->tick(); }
std::size_t Engine::active() const { return state_->active_.size(); }

double Engine::fraction(std::string_view run, std::size_t step, std::size_t index) const {
  const ActiveRun* active = state_->find(run);
  if (active == nullptr || step >= active->run.steps.size() || index >= active->run.steps[step].items.size()) return 0;
  return active->run.steps[step].items[index].fraction;
}

std::optional<double> Engine::eta_s(const Run& run, const Definition& definition) const {
  return runs::eta_s(
      definition, run, [&](std::size_t step, std::size_t index) { return fraction(run.id, step, index); },
      [&](std::string_view task, std::string_view model) { return state_->jobs_.mean_seconds(task, model); },
      [&](const std::string& child) -> std::optional<double> {
        const ActiveRun* active = state_->find(child);
        return active == nullptr ? std::nullopt : eta_s(active->run, active->definition);
      });
}

}  // namespace kinora::runs

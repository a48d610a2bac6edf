// Admission: from a request to a durable job, and inputs that come later (engine_state.hpp).
#include <algorithm>

#include "jobs/admission.hpp"
#include "jobs/engine_state.hpp"

namespace kinora::jobs {
namespace {

Job job_of(Submission&& wanted, const SubmitRequest& request, const EngineSettings& settings, std::string id, UnixMillis now) {
  Job job;
  job.id = std::move(id);
  job.project = request.project;
  job.key = request.key;
  job.task = wanted.task->name;
  job.model = wanted.model;
  if (wanted.model && !wanted.model->starts_with("auto")) job.resolved_model = wanted.model;
  job.priority = wanted.priority;
  job.input = std::move(wanted.input);
  job.params = std::move(wanted.params);
  job.requirements = std::move(wanted.requirements);
  job.output_options = std::move(wanted.output_options);
  job.metadata = std::move(wanted.metadata);
  job.retry = std::move(wanted.retry);
  job.tags = std::move(wanted.tags);
  job.client_ref = std::move(wanted.client_ref);
  job.end_user = std::move(wanted.end_user);
  job.trace_id = request.trace_id;
  job.parent = request.parent;
  job.ephemeral = wanted.ephemeral;
  job.retention_s = job.ephemeral ? kEphemeralS : wanted.retention_s.value_or(settings.result_retention_s);
  job.created_at = now;
  job.deadline_at =
      wanted.deadline ? *wanted.deadline : now + std::chrono::seconds(wanted.deadline_s.value_or(settings.default_deadline_s));
  job.start_deadline_at = now + std::chrono::seconds(wanted.start_timeout_s.value_or(settings.default_start_timeout_s));
  return job;
}

// What makes the part of a media value that a job asks for: a job of its own, kept as long as this one may run.
json::object part_body(const Job& job, const MediaRef& ref) {
  const json::value& slot = job.input.at(ref.slot);
  json::object source = (slot.is_array() ? slot.get_array()[static_cast<std::size_t>(ref.ordinal)] : slot).as_object();
  for (const std::string_view key : {"start_s", "end_s", "frame"}) source.erase(key);
  json::object input = ref.part->params;
  input[ref.part->slot] = std::move(source);
  const auto left = std::chrono::ceil<std::chrono::seconds>(job.deadline_at - job.created_at).count();
  constexpr std::int64_t kLeastRetentionS = 3600;
  json::object body{{"task", ref.part->task},
                    {"input", std::move(input)},
                    {"requirements", {{"deadline_s", std::clamp<std::int64_t>(left, 1, kMaxDeadlineS)}, {"priority", name(job.priority)}}},
                    {"output", {{"retention_s", std::max(left, kLeastRetentionS)}}},
                    {"metadata", {{"part_for", job.id}}}};
  if (job.end_user) body["end_user"] = *job.end_user;
  return body;
}

struct AdmittedAll {
  Admitted job;
  std::vector<Admitted> parts;
};

// The job first: when it was there already nothing is made for it.
base::Result<AdmittedAll> admit_all(store::Connection& connection, const Admission& admission, const std::vector<Admission>& parts,
                                    std::optional<tasks::Problem>& problem) {
  AdmittedAll out;
  KINORA_TRY(out.job, admit(connection, admission, problem));
  if (out.job.earlier) return out;
  for (const Admission& part : parts) {
    KINORA_TRY(auto made, admit(connection, part, problem));
    out.parts.push_back(std::move(made));
  }
  return out;
}

}  // namespace

Task<Outcome<Admission>> Engine::State::admission_of(Submission wanted, const SubmitRequest& request, std::string id) {
  Admission admission;
  admission.media = std::move(wanted.media);
  admission.webhook = std::move(wanted.webhook);
  // Inline media is written first; the pins keep the blobs until the rows are there.
  for (std::size_t i = 0; i < admission.media.size(); ++i) {
    auto* data = std::get_if<media_ref::Inline>(&admission.media[i].value);
    if (data == nullptr) continue;
    auto writer = co_await blobs_.create(static_cast<std::int64_t>(kMaxInlineBytes));
    if (!writer) co_return refuse(writer.error());
    if (const auto written = co_await writer->append(std::move(data->bytes)); !written) co_return refuse(written.error());
    auto blob = co_await writer->commit();
    if (!blob) co_return refuse(blob.error());
    admission.inlined.emplace(i, std::move(*blob));
  }
  const UnixMillis now = clock_();
  admission.job = job_of(std::move(wanted), request, settings_, std::move(id), now);
  if (admission.job.deadline_at <= now) co_return refuse("invalid_field", "/requirements/deadline has passed already");
  admission.free_slots = worker_.free_slots(admission.job.task, admission.job.resolved_model.value_or(""));
  admission.plan = settings_.plan;
  admission.input_retention_s = settings_.input_retention_s;
  admission.upload_lifetime_s = settings_.upload_lifetime_s;
  admission.check_url = url_media_.check;
  admission.new_id = [this, now](std::string_view prefix) { return ids_.next_id(prefix, now); };
  co_return admission;
}

Task<Outcome<SubmitAnswer>> Engine::State::submit(SubmitRequest request) {
  auto wanted = parse_submission(request.body);
  if (!wanted) {
    if (request.no_model) wanted.error().errors.push_back(jobs::no_model(*request.no_model).errors.front());
    co_return tl::unexpected<tasks::Problem>(std::move(wanted.error()));
  }
  if (stopping_) co_return refuse("maintenance", "the gateway is shutting down");
  if (active_.size() + admitting_ >= settings_.max_active_jobs) {
    auto full = refuse("queue_full", "too many jobs are waiting; try again later");
    full.value().retry_after_ms = 5000;
    co_return full;
  }
  if (auto room = check_disk(); !room) co_return tl::unexpected<tasks::Problem>(std::move(room.error()));
  struct Entered {
    explicit Entered(std::size_t& count_) : count(count_) { ++count; }
    ~Entered() { --count; }
    std::size_t& count;
  } const entered(admitting_);

  auto made = co_await admission_of(std::move(*wanted), request, request.id ? *request.id : new_id("job"));
  if (!made) co_return tl::unexpected<tasks::Problem>(std::move(made.error()));
  Admission& admission = *made;
  admission.job.retry_of = request.retry_of;
  admission.idempotency = request.idempotency;
  admission.sdk = request.sdk;
  admission.no_model = request.no_model;
  admission.chosen_id = request.id.has_value();
  admission.prefer_node = request.prefer_node;
  std::vector<Admission> parts;
  for (MediaRef& ref : admission.media) {
    if (!ref.part) continue;
    auto part = parse_submission(part_body(admission.job, ref));
    if (!part) co_return tl::unexpected<tasks::Problem>(std::move(part.error()));
    for (MediaRef& source : part->media) source.pointer = ref.pointer;  // where the client wrote it
    SubmitRequest asked{.project = request.project, .key = request.key, .body = {}, .idempotency = {}, .trace_id = request.trace_id};
    auto admitted = co_await admission_of(std::move(*part), asked, new_id("job"));
    if (!admitted) co_return tl::unexpected<tasks::Problem>(std::move(admitted.error()));
    ref.value = media_ref::ResultOf{admitted->job.id, {ref.part->output, std::nullopt}};
    admission.parts.push_back(admitted->job.id);
    parts.push_back(std::move(*admitted));
  }

  // The problem travels beside the error that undoes the closure's savepoint.
  auto problem = std::make_shared<std::optional<tasks::Problem>>();
  auto admitted =
      co_await database_.write([&](store::Connection& connection) { return admit_all(connection, admission, parts, *problem); });
  if (*problem) co_return tl::unexpected<tasks::Problem>(std::move(**problem));
  if (!admitted) co_return refuse(admitted.error());
  Admitted& first = admitted->job;
  if (first.earlier) {
    if (std::holds_alternative<idempotent::Mismatch>(*first.earlier))
      co_return refuse("idempotency_mismatch", "this idempotency key was used with another request");
    if (std::holds_alternative<idempotent::InProgress>(*first.earlier))
      co_return refuse("idempotency_in_progress", "the first request with this idempotency key is still running");
    co_return SubmitAnswer{std::move(first.job), true, first.implicit};
  }
  SubmitAnswer answer{.job = first.job};
  for (Admitted& part : admitted->parts) begin(std::move(part));
  begin(std::move(first));
  if (const auto eta = queue_eta_s(answer.job.id)) eta_.promise(answer.job.id, *eta, admission.job.created_at);
  co_return answer;
}

void Engine::State::begin(Admitted admitted) {
  for (const std::int64_t offset : admitted.offsets) feed_.announce(admitted.job.id, offset);
  adopt(std::move(admitted.job), std::move(admitted.inputs), std::move(admitted.tasks));
  for (Upload& upload : admitted.awaited) await(std::move(upload));
}

void Engine::State::adopt(Job job, std::vector<JobInput> inputs, std::vector<TaskRow> tasks) {
  ActiveJob& active = active_[job.id];
  active.job = std::move(job);
  active.inputs = std::move(inputs);
  active.progress.restore_previews(active.job.progress);
  watch_deadlines(active.job);
  for (TaskRow& task : tasks) {
    const TaskKey key{task.step, task.ordinal};
    active.progress.add(key, task.weight);
    if (task.state == TaskState::succeeded) active.progress.finish(key);
    active.tasks.emplace(key, std::move(task));
  }
  if (active.job.cancel_requested) {
    end_job(active, {Status::canceled, "job.canceled", nullptr, active.job.status_reason});
    return;
  }
  const auto failed = [](const auto& entry) { return entry.second.state == TaskState::failed; };
  const bool hopeless = is_replicated(active)
                            ? choose(redundancy_of(active.job.requirements), replicas_of(active)).kind == Choice::Kind::hopeless
                            : std::any_of(active.tasks.begin(), active.tasks.end(), failed);
  if (hopeless) {
    end_job(active, {Status::failed, "job.failed", active.job.error, active.job.status_reason});
    return;
  }
  if (is_replicated(active)) {
    release_replicas(active);
  } else {
    for (auto& [key, task] : active.tasks)
      if (task.state == TaskState::queued || task.state == TaskState::running) enqueue(active, task);
  }
  wake();
}

void Engine::State::input_ready(const std::string& upload, const Artifact& artifact) {
  for (auto& [id, active] : active_) {
    if (active.ending || active.job.phase != Phase::awaiting_input) continue;
    std::vector<JobInput> changed;
    const tasks::TaskSpec& task = *tasks::find_task(active.job.task);
    bool wrong = false;
    for (JobInput& input : active.inputs) {
      if (input.upload != upload || !input.sha256.empty()) continue;
      wrong = wrong || !tasks::accepts(task.find_input(input.slot)->kind, artifact.kind);
      input = input_of(input.slot, input.ordinal, artifact);
      input.upload = upload;
      changed.push_back(input);
    }
    if (changed.empty()) continue;
    if (wrong) {
      input_failed(upload, "input_invalid", "the input is of kind " + artifact.kind);
      continue;
    }
    const bool ready = std::none_of(active.inputs.begin(), active.inputs.end(), [](const JobInput& input) { return input.sha256.empty(); });
    if (ready) {
      active.job.phase = Phase::queued;
      active.job.queued_at = clock_();
    }
    Change change = change_of(active, ready ? "job.queued" : "");
    change.inputs = std::move(changed);
    if (ready) {
      const auto new_one = [this](std::string_view prefix) { return new_id(prefix); };
      auto first = first_tasks(active.job, active.inputs, artifact.media,
                               worker_.free_slots(active.job.task, active.job.resolved_model.value_or("")), settings_.plan, new_one);
      for (TaskRow& row : first) {
        change.tasks.push_back(row);
        const TaskKey key{row.step, row.ordinal};
        active.progress.add(key, row.weight);
        active.tasks.emplace(key, std::move(row));
      }
      if (is_replicated(active))
        release_replicas(active);
      else
        enqueue(active, active.tasks.begin()->second);
    }
    store(std::move(change));
  }
  wake();
}

void Engine::State::input_failed(const std::string& upload, const std::string& code, const std::string& detail) {
  std::vector<std::string> hit;
  for (const auto& [id, active] : active_)
    if (active.job.phase == Phase::awaiting_input &&
        std::any_of(active.inputs.begin(), active.inputs.end(), [&](const JobInput& input) { return input.upload == upload; }))
      hit.push_back(id);
  for (const std::string& id : hit) {
    tasks::Problem problem;
    problem.code = code;
    problem.detail = detail;
    problem.job = id;
    end_job(active_.at(id), {Status::failed, "job.failed", tasks::to_json(problem), std::nullopt});
  }
}

}  // namespace kinora::jobs

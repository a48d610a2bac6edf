#include "gateway/event_subject.hpp"

namespace kinora::gateway {

Task<tl::expected<SubjectView, Problem>> view_subject(const Services& services, std::string project, std::string subject) {
  if (base::is_id("run", subject)) {
    const auto run = co_await services.runs.get(std::move(project), std::move(subject));
    if (!run) co_return tl::unexpected(run.error());
    auto shown = public_run(services, *run);
    if (!shown) co_return tl::unexpected(std::move(shown).error());
    co_return SubjectView{std::move(*shown), runs::terminal(run->status)};
  }
  if (!base::is_id("job", subject)) co_return refuse("not_found", "there is nothing of that id whose events can be followed");
  const auto job = co_await services.engine.get(std::move(project), std::move(subject));
  if (!job) co_return tl::unexpected(job.error());
  co_return SubjectView{jobs::to_json(*job, services.links, services.clock(), services.engine.queue_position(job->id)),
                        jobs::terminal(job->status)};
}

}  // namespace kinora::gateway

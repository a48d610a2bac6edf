// kinora jobs list|show|cancel|events
#include <fmt/format.h>

#include <cstdio>

#include "kinora/job_input.hpp"
#include "kinora/session.hpp"
#include "net/url.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

void print_table(const json::array& jobs) {
  std::printf("%-30s %-10s %-16s %6s  %s\n", "id", "status", "task", "done", "created");
  for (const json::value& job : jobs) {
    double fraction = 0;
    if (const json::value* progress = job.as_object().if_contains("progress"); progress != nullptr && progress->is_object())
      if (const json::value* value = progress->get_object().if_contains("fraction"); value != nullptr && value->is_number())
        fraction = value->to_number<double>();
    std::printf("%-30s %-10s %-16s %5.0f%%  %s\n", job.at("id").as_string().c_str(), job.at("status").as_string().c_str(),
                job.at("task").as_string().c_str(), fraction * 100, job.at("timing").at("created_at").as_string().c_str());
  }
}

}  // namespace

void add_jobs_commands(CLI::App& app, Context& context) {
  CLI::App* jobs = app.add_subcommand("jobs", "Jobs of the gateway");
  jobs->require_subcommand(1);
  struct Options {
    std::string id;
    std::string status;
    int limit = 20;
  };
  const auto options = std::make_shared<Options>();

  CLI::App* list = jobs->add_subcommand("list", "The newest jobs");
  list->add_option("--status", options->status, "queued, running, succeeded, failed, canceled or expired");
  list->add_option("--limit", options->limit, "how many")->check(CLI::Range(1, 100));
  list->callback([&context, options] {
    context.action = [&context, options] {
      return with_api(context, [&](ApiClient& api) -> net::Task<base::Status> {
        std::string path = fmt::format("/v1/jobs?limit={}", options->limit);
        if (!options->status.empty()) path += "&status=" + net::percent_encode(options->status);
        KINORA_CO_TRY(const json::value page, co_await api.get(path));
        if (context.json)
          std::printf("%s\n", json::serialize(page).c_str());
        else
          print_table(page.at("data").as_array());
        co_return base::Status{};
      });
    };
  });

  CLI::App* show = jobs->add_subcommand("show", "One job, whole");
  show->add_option("id", options->id, "job_...")->required();
  show->callback([&context, options] {
    context.action = [&context, options] {
      return with_api(context, [&](ApiClient& api) -> net::Task<base::Status> {
        KINORA_CO_TRY(const json::value job, co_await api.get("/v1/jobs/" + net::percent_encode(options->id)));
        std::printf("%s\n", (context.json ? json::serialize(job) : pretty_json(job)).c_str());
        co_return base::Status{};
      });
    };
  });

  CLI::App* cancel = jobs->add_subcommand("cancel", "Stops a job");
  cancel->add_option("id", options->id, "job_...")->required();
  cancel->callback([&context, options] {
    context.action = [&context, options] {
      return with_api(context, [&](ApiClient& api) -> net::Task<base::Status> {
        KINORA_CO_TRY(const json::value job, co_await api.post("/v1/jobs/" + net::percent_encode(options->id) + "/cancel", json::object{}));
        if (context.json)
          std::printf("%s\n", json::serialize(job).c_str());
        else
          std::printf("%s %s\n", job.at("id").as_string().c_str(), job.at("status").as_string().c_str());
        co_return base::Status{};
      });
    };
  });

  CLI::App* events = jobs->add_subcommand("events", "Follows a job's events until it ends, one JSON object a line");
  events->add_option("id", options->id, "job_...")->required();
  events->callback([&context, options] {
    context.action = [&context, options] {
      return with_api(context, [&](ApiClient& api) -> net::Task<base::Status> {
        co_return co_await api.follow("/v1/jobs/" + net::percent_encode(options->id) + "/events", [](const net::SseEvent& event) {
          std::printf("%s\n", event.data.c_str());
          std::fflush(stdout);
        });
      });
    };
  });
}

}  // namespace kinora::cli

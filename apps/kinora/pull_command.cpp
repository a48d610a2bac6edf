// kinora models pull|rm: models of a hub on this machine, in KINORA_HOME/models.
#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <thread>

#include "hub/pull.hpp"
#include "kinora/command.hpp"
#include "kinora/home.hpp"
#include "kinora/progress_line.hpp"
#include "kinora/version.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;
using Clock = std::chrono::steady_clock;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

// Asks for a stop at SIGINT or SIGTERM, for the life of the object. The signals are taken by a thread of its own, so that what a
// stop sets off need not be safe in a signal handler.
class StopAtSignal {
 public:
  explicit StopAtSignal(std::stop_source& stop) {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    thread_ = std::jthread([this, &stop](const std::stop_token& end) {
      const timespec tick{.tv_sec = 0, .tv_nsec = 100'000'000};
      while (!end.stop_requested())
        if (sigtimedwait(&signals_, nullptr, &tick) > 0) stop.request_stop();
    });
  }
  ~StopAtSignal() {
    thread_ = {};
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  StopAtSignal(const StopAtSignal&) = delete;
  StopAtSignal& operator=(const StopAtSignal&) = delete;

 private:
  sigset_t signals_{}, before_{};
  std::jthread thread_;
};

std::string size_text(std::uint64_t bytes) {
  return bytes >= 1'000'000'000 ? fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9)
                                : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

struct PullOptions {
  std::string repository;
  std::string revision;
  hub::Selection selection;
  int connections = 8;
};

hub::PullSettings settings_of(const PullOptions& options) {
  hub::PullSettings settings;
  if (auto endpoint = environment("HF_ENDPOINT"); !endpoint.empty()) settings.endpoint = std::move(endpoint);
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  settings.http.token = environment("HF_TOKEN");
  settings.http.user_agent = std::string("kinora/") + kVersion;
  settings.connections = options.connections;
  return settings;
}

int pull(const Context& context, const PullOptions& options) {
  auto repository = hub::Repository::parse(options.revision.empty() ? options.repository : options.repository + "@" + options.revision);
  if (!repository) {
    report(context, repository.error());
    return kExitUsage;
  }
  const auto home = Home::open();
  if (!home) return report(context, home.error());
  const hub::Cache cache(home->models());
  std::stop_source stop;
  const StopAtSignal at_signal(stop);
  ProgressLine line(stderr, "pull " + repository->id, context.json);
  const auto began = Clock::now();
  std::uint64_t there = 0;  // before this pull
  bool first = true;
  const auto pulled = hub::pull(
      cache, *repository, options.selection, settings_of(options),
      [&](const hub::PullProgress& progress) {
        if (std::exchange(first, false)) there = progress.bytes_done;
        const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
        const double rate = seconds > 0 ? static_cast<double>(progress.bytes_done - std::min(there, progress.bytes_done)) / seconds : 0;
        const double left = static_cast<double>(progress.bytes_total - std::min(progress.bytes_done, progress.bytes_total));
        line.show(
            {.fraction =
                 progress.bytes_total == 0 ? 1.0 : static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes_total),
             .stage = fmt::format("{}/{} files, {} of {}, {}/s", progress.files_done, progress.files_total, size_text(progress.bytes_done),
                                  size_text(progress.bytes_total), size_text(static_cast<std::uint64_t>(rate))),
             .eta_s = rate > 0 ? left / rate : -1});
      },
      stop.get_token());
  line.finish("");
  if (!pulled) {
    const int status = report(context, pulled.error());
    return pulled.error().code == base::ErrorCode::canceled ? kExitInterrupted : status;
  }
  const hub::LocalModel& model = pulled->model;
  if (context.json)
    std::printf("%s\n", json::serialize(json::object{{"id", model.id},
                                                     {"commit", model.commit},
                                                     {"path", model.snapshot.string()},
                                                     {"files", model.files},
                                                     {"bytes", model.bytes},
                                                     {"bytes_fetched", pulled->bytes_fetched}})
                            .c_str());
  else
    std::printf("%s: %zu files, %s (%s fetched) in %s\n", model.id.c_str(), model.files, size_text(model.bytes).c_str(),
                size_text(pulled->bytes_fetched).c_str(), model.snapshot.c_str());
  return kExitOk;
}

int remove(const Context& context, const std::string& id) {
  const auto repository = hub::Repository::parse(id);
  if (!repository) {
    report(context, repository.error());
    return kExitUsage;
  }
  const auto home = Home::open();
  if (!home) return report(context, home.error());
  const auto freed = hub::Cache(home->models()).remove(repository->id);
  if (!freed) return report(context, freed.error());
  if (context.json)
    std::printf("%s\n", json::serialize(json::object{{"id", repository->id}, {"bytes_freed", *freed}}).c_str());
  else
    std::printf("%s removed, %s free\n", repository->id.c_str(), size_text(*freed).c_str());
  return kExitOk;
}

}  // namespace

void add_pull_commands(CLI::App& models, Context& context) {
  const auto options = std::make_shared<PullOptions>();
  CLI::App* pull_app =
      models.add_subcommand("pull", "Fetch a model from the Hugging Face hub (HF_ENDPOINT, HF_TOKEN); an interrupted pull goes on");
  pull_app->add_option("repository", options->repository, "OWNER/NAME, OWNER/NAME@REVISION or the address of its page")->required();
  pull_app->add_option("--revision", options->revision, "branch, tag or commit (default: main)");
  pull_app->add_option("--include", options->selection.include, "only files that match, such as 'unet/*' (may be given again)");
  pull_app->add_option("--exclude", options->selection.exclude, "not these files (may be given again)");
  pull_app->add_flag("--all", options->selection.everything, "every file, not only what a runner loads");
  pull_app->add_flag("--full-precision", options->selection.full_precision, "32-bit files where fp16 ones are offered beside them");
  pull_app->add_option("--connections", options->connections, "parts fetched at once")
      ->check(CLI::Range(1, hub::kMaxConnections))
      ->capture_default_str();
  pull_app->callback([&context, options] { context.action = [&context, options] { return pull(context, *options); }; });

  const auto id = std::make_shared<std::string>();
  CLI::App* remove_app = models.add_subcommand("rm", "Delete a pulled model from this machine");
  remove_app->add_option("repository", *id, "OWNER/NAME")->required();
  remove_app->callback([&context, id] { context.action = [&context, id] { return remove(context, *id); }; });
}

}  // namespace kinora::cli

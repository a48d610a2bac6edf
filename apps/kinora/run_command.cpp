// kinora run <task> [input...] -o out --set key=value: uploads, submits, shows progress, downloads.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>

#include "base/nearest.hpp"
#include "base/time.hpp"
#include "kinora/job_input.hpp"
#include "kinora/progress_line.hpp"
#include "kinora/session.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;

struct RunOptions {
  std::string task;
  std::vector<std::string> inputs;
  std::vector<std::string> sets;
  std::string model;
  std::string output;
  std::string key;
  bool quiet = false;
};

// The job as the stream of its events tells it.
struct Followed {
  std::string id;
  bool canceling = false;
};

ProgressState progress_of(const json::object& data) {
  ProgressState state;
  const json::value* progress = data.if_contains("progress");
  const json::object& from = progress != nullptr && progress->is_object() ? progress->get_object() : data;
  const auto number = [&](std::string_view key, double absent) {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_number() ? found->to_number<double>() : absent;
  };
  state.fraction = number("fraction", 0);
  state.fps = number("fps", 0);
  state.eta_s = number("eta_s", -1);
  if (const json::value* stage = from.if_contains("stage"); stage != nullptr && stage->is_string())
    state.stage = std::string(stage->get_string());
  return state;
}

int exit_status(const json::object& job) {
  const std::string status(job.at("status").as_string());
  if (status == "succeeded") return kExitOk;
  if (status == "canceled") return kExitInterrupted;
  if (const json::value* error = job.if_contains("error"); error != nullptr && error->is_object()) {
    const std::string code(error->at("code").as_string());
    if (code == "no_capacity" || code == "no_worker_offers" || code == "start_timeout") return kExitCapacity;
  }
  return kExitFailed;
}

net::Task<base::Result<std::vector<std::string>>> save_outputs(ApiClient& api, const json::object& job, const std::string& output) {
  std::vector<std::string> saved;
  const json::value* value = job.if_contains("output");
  if (value == nullptr || !value->is_object()) co_return saved;
  std::vector<OutputItem> items = output_items(value->get_object());
  for (OutputItem& item : items) {
    if (!item.several) continue;
    KINORA_CO_TRY(const json::value files, co_await api.get("/v1/artifacts/" + item.artifact + "/files"));
    for (const json::value& file : files.at("data").as_array()) item.names.emplace_back(file.at("name").as_string());
  }
  KINORA_CO_TRY(const std::vector<Download> downloads, plan_downloads(items, output));
  for (const Download& item : downloads) {
    KINORA_CO_OK(co_await api.download(item.url, item.file));
    saved.push_back(item.file.string());
  }
  co_return saved;
}

// A worker that has just started needs a moment to offer its tasks; after that nobody doing the task is an answer.
net::Task<base::Status> wait_for_offer(ApiClient& api, const std::string& task) {
  constexpr auto kPatience = std::chrono::seconds(20);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  boost::asio::steady_timer pause(co_await boost::asio::this_coro::executor);
  for (;;) {
    KINORA_CO_TRY(const json::value offered, co_await api.get("/v1/capabilities"));
    for (const json::value& offer : offered.at("tasks").as_array())
      if (offer.at("task").as_string() == task && offer.at("nodes").to_number<int>() > 0) co_return base::Status{};
    if (std::chrono::steady_clock::now() > deadline)
      co_return base::fail(base::ErrorCode::exhausted,
                           "no node offers " + task + " now; `kinora doctor` on the worker's machine tells what it lacks");
    pause.expires_after(std::chrono::milliseconds(250));
    co_await pause.async_wait(boost::asio::use_awaitable);
  }
}

net::Task<base::Result<int>> run_job(Session& session, const Context& context, const RunOptions& options, Followed& followed) {
  ApiClient& api = session.api();
  const tasks::TaskSpec* task = tasks::find_task(options.task);
  if (task == nullptr || task->internal) {
    std::vector<std::string> names;
    for (const tasks::TaskSpec& spec : tasks::catalogue())
      if (!spec.internal) names.emplace_back(spec.name);
    const auto meant = base::nearest(options.task, names);
    co_return base::fail(base::ErrorCode::invalid, fmt::format("there is no task \"{}\"{}; the tasks are: {}", options.task,
                                                               meant ? "; did you mean \"" + *meant + "\"?" : "", fmt::join(names, ", ")));
  }
  KINORA_CO_TRY(JobInput input, read_job_input(*task, options.inputs, options.sets));

  KINORA_CO_OK(co_await wait_for_offer(api, options.task));
  ProgressLine line(stderr, options.task, options.quiet);
  for (const JobInput::File& file : input.files) {
    auto artifact = co_await api.upload(file.path, [&](std::uint64_t sent, std::uint64_t total) {
      line.show({.fraction = total == 0 ? 1.0 : static_cast<double>(sent) / static_cast<double>(total), .stage = "upload"});
    });
    if (!artifact) co_return base::fail(artifact.error());
    input.put(file, *artifact);
  }

  json::object body{{"task", options.task}, {"input", input.value}};
  if (!options.model.empty()) body["model"] = options.model;
  base::UlidSource ulids;
  const std::string key = options.key.empty() ? "cli-" + ulids.next(base::wall_clock()) : options.key;
  KINORA_CO_TRY(json::value submitted, co_await api.post("/v1/jobs", body, {{"idempotency-key", key}}));
  followed.id = std::string(submitted.at("id").as_string());

  const auto started = std::chrono::steady_clock::now();
  KINORA_CO_OK(co_await api.follow("/v1/jobs/" + followed.id + "/events", [&](const net::SseEvent& event) {
    const auto envelope = base::parse_json(event.data);
    if (!envelope || !envelope->is_object()) return;
    const json::value* data = envelope->get_object().if_contains("data");
    if (data != nullptr && data->is_object() && (event.type == "job.progress" || event.type == "snapshot"))
      line.show(progress_of(data->get_object()));
  }));
  KINORA_CO_TRY(const json::value value, co_await api.get("/v1/jobs/" + followed.id));
  const json::object& job = value.as_object();
  const int status = exit_status(job);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();

  std::vector<std::string> saved;
  if (status == kExitOk && !options.output.empty()) {
    KINORA_CO_TRY(saved, co_await save_outputs(api, job, options.output));
  }
  if (status == kExitOk)
    line.finish(fmt::format("{} done in {:.1f} s{}", options.task, seconds,
                            saved.empty()       ? ""
                            : saved.size() == 1 ? ": " + saved[0]
                                                : fmt::format(": {} files in {}", saved.size(), options.output)));
  else if (const json::value* error = job.if_contains("error"); error != nullptr && error->is_object())
    line.finish(fmt::format("{} {}: {} ({})", options.task, std::string(job.at("status").as_string()),
                            std::string(error->at("detail").as_string()), std::string(error->at("code").as_string())));
  else
    line.finish(fmt::format("{} {}", options.task, std::string(job.at("status").as_string())));

  if (context.json) {
    std::printf("%s\n", json::serialize(job).c_str());
  } else if (status == kExitOk && options.output.empty()) {
    std::printf("%s\n", pretty_output(job).c_str());
  }
  co_return status;
}

}  // namespace

void add_run_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("run", "Runs one task: kinora run video-upscale clip.mp4 -o big.mp4 --set scale=2");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("task", options->task, "task of the catalogue (kinora models list shows them)")->required();
  command->add_option("inputs", options->inputs, "media files, in the order of the task's inputs; a text that is no file is the prompt");
  command->add_option("-o,--output", options->output, "file for the result, or a folder when there are several");
  command->add_option("--set", options->sets, "a parameter of the task, key=value (may be repeated)");
  command->add_option("--model", options->model, "model id");
  command->add_option("--idempotency-key", options->key, "submitting again with the same key gives the same job");
  command->add_flag("--quiet", options->quiet, "no progress");
  command->callback([&context, options] {
    context.action = [&context, options] {
      auto session = Session::open(context, Session::Start::when_none_runs);
      if (!session) return report(context, session.error());
      Session& open = **session;
      Followed followed;
      const auto cancel = [&] {
        if (followed.id.empty()) std::_Exit(kExitInterrupted);  // nothing was submitted yet
        followed.canceling = true;
        open.spawn([&]() -> net::Task<void> {
          (void)co_await open.api().post("/v1/jobs/" + followed.id + "/cancel", json::object{{"reason", "interrupted"}});
        });
      };
      return open.run(
          [&]() -> net::Task<int> {
            auto status = co_await run_job(open, context, *options, followed);
            co_return status ? *status : report(context, status.error());
          },
          cancel);
    };
  });
}

}  // namespace kinora::cli

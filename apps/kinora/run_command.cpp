// kinora run <task> [input...] -o out --set key=value: uploads, submits, shows progress, downloads. With --workflow: workflow_run.cpp.
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include <chrono>

#include "base/nearest.hpp"
#include "base/time.hpp"
#include "kinora/downloads.hpp"
#include "kinora/follow.hpp"
#include "kinora/job_input.hpp"
#include "kinora/preview_file.hpp"
#include "kinora/progress_line.hpp"
#include "kinora/run_options.hpp"
#include "kinora/session.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

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

net::Task<base::Result<int>> run_job(Session& session, const Context& context, const RunOptions& options, Submitted& submitted) {
  ApiClient& api = session.api();
  const std::string& name = options.words.front();
  const tasks::TaskSpec* task = tasks::find_task(name);
  if (task == nullptr || task->internal) {
    std::vector<std::string> names;
    for (const tasks::TaskSpec& spec : tasks::catalogue())
      if (!spec.internal) names.emplace_back(spec.name);
    const auto meant = base::nearest(name, names);
    co_return report_usage(
        context, {base::ErrorCode::invalid, fmt::format("there is no task \"{}\"{}; the tasks are: {}", name,
                                                        meant ? "; did you mean \"" + *meant + "\"?" : "", fmt::join(names, ", "))});
  }
  auto read = read_job_input(*task, {options.words.begin() + 1, options.words.end()}, options.sets);
  if (!read) co_return report_usage(context, read.error());
  JobInput input = *std::move(read);
  if (!options.outputs.empty()) input.take_format(*task, options.outputs.front());

  const std::vector<std::string> needed{name};
  KINORA_CO_OK(co_await wait_for_offers(api, needed));
  ProgressLine line(stderr, name, options.quiet);
  for (const JobInput::File& file : input.files) {
    if (!file.named.is_null()) {
      input.put(file, file.named);
      continue;
    }
    auto artifact = co_await api.upload(file.path, [&](std::uint64_t sent, std::uint64_t total) {
      line.show({.fraction = total == 0 ? 1.0 : static_cast<double>(sent) / static_cast<double>(total), .stage = "upload"});
    });
    if (!artifact) co_return base::fail(artifact.error());
    input.put(file, {{"artifact", *artifact}});
  }

  json::object body{{"task", name}, {"input", input.value}};
  if (!options.model.empty()) body["model"] = options.model;
  if (!options.loras.empty()) {
    KINORA_CO_TRY(body["adapters"], read_adapters(options.loras));
  }
  base::UlidSource ulids;
  const std::string key = options.key.empty() ? "cli-" + ulids.next(base::wall_clock()) : options.key;
  KINORA_CO_TRY(const json::value made, co_await api.post("/v1/jobs", body, {{"idempotency-key", key}}));
  submitted.path = "/v1/jobs/" + std::string(made.at("id").as_string());

  std::shared_ptr<PreviewFile> preview;
  if (!options.preview.empty())
    preview = std::make_shared<PreviewFile>(co_await boost::asio::this_coro::executor, session, options.preview);
  const auto started = std::chrono::steady_clock::now();
  KINORA_CO_OK(co_await api.follow(submitted.path + "/events", [&](const net::SseEvent& event) {
    const auto envelope = base::parse_json(event.data);
    if (!envelope || !envelope->is_object()) return;
    const json::value* data = envelope->get_object().if_contains("data");
    if (data != nullptr && event.type == "job.preview" && preview) preview->show(std::string(data->at("artifact").as_string()));
    if (data != nullptr && data->is_object() && (event.type == "job.progress" || event.type == "snapshot"))
      line.show(progress_of(data->get_object()));
  }));
  if (preview) co_await preview->settled();
  KINORA_CO_TRY(const json::value value, co_await api.get(submitted.path));
  const json::object& job = value.as_object();
  const int status = exit_status(job);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();

  std::vector<std::string> saved;
  if (status == kExitOk && !options.outputs.empty()) {
    if (const json::value* output = job.if_contains("output"); output != nullptr && output->is_object()) {
      KINORA_CO_TRY(saved, co_await download_items(api, output_items(output->get_object()), options.outputs.front()));
    }
  }
  if (status == kExitOk)
    line.finish(fmt::format("{} done in {:.1f} s{}", name, seconds,
                            saved.empty()       ? ""
                            : saved.size() == 1 ? ": " + saved[0]
                                                : fmt::format(": {} files in {}", saved.size(), options.outputs.front())));
  else if (const json::value* error = job.if_contains("error"); error != nullptr && error->is_object())
    line.finish(fmt::format("{} {}: {} ({})", name, std::string(job.at("status").as_string()), std::string(error->at("detail").as_string()),
                            std::string(error->at("code").as_string())),
                /*failed=*/true);
  else
    line.finish(fmt::format("{} {}", name, std::string(job.at("status").as_string())), /*failed=*/true);
  if (!options.quiet)
    for (const std::string& note : notes_of(job)) std::fprintf(stderr, "note: %s\n", note.c_str());

  if (context.json) {
    std::printf("%s\n", json::serialize(job).c_str());
  } else if (status == kExitOk && options.outputs.empty()) {
    std::printf("%s\n", pretty_output(job).c_str());
  }
  co_return status;
}

}  // namespace

void add_run_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("run",
                                         "Runs one task, or a workflow of them:\n"
                                         "  kinora run video-upscale clip.mp4 -o big.mp4 --set scale=2\n"
                                         "  kinora run --workflow file.json clip.mp4 -o out.mp4 --arg scale=2");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("words", options->words,
                      "the task (kinora models list shows them) and its media in the order of its inputs: files, https URLs, ids of "
                      "artifacts; a text that is none is "
                      "the prompt. With --workflow: files and the prompt");
  command
      ->add_option("-o,--output", options->outputs,
                   "file for the result, or a folder when there are several; of a workflow also name=path, again for each output")
      ->take_all();
  CLI::Option* workflow =
      command->add_option("--workflow", options->workflow, "a workflow's file: a body of POST /v1/runs (examples/workflows)");
  command->add_option("--arg", options->args, "an argument of the workflow, name=value or name=file (may be repeated)")->needs(workflow);
  command->add_option("--set", options->sets, "a parameter of the task, key=value (may be repeated)")->excludes(workflow);
  command->add_option("--model", options->model, "model id")->excludes(workflow);
  command->add_option("--lora", options->loras, "a LoRA with its scale, ID or ID:0.8 (may be repeated; kinora models list shows them)")
      ->excludes(workflow);
  command->add_option("--preview", options->preview, "file for small pictures of what is being made, each over the one before (JPEG)")
      ->excludes(workflow);
  command->add_option("--idempotency-key", options->key, "submitting again with the same key gives the same job or run");
  command->add_flag("--quiet", options->quiet, "no progress");
  command->callback([&context, options] {
    const bool task = options->workflow.empty();
    if (task && options->words.empty()) throw CLI::RequiredError("a task, or --workflow file.json,");
    if (task && options->outputs.size() > 1) throw CLI::ValidationError("-o", "a task's result goes to one place");
    context.action = [&context, options, task] {
      auto session = Session::open(context, Session::Start::when_none_runs);
      if (!session) return report(context, session.error());
      Session& open = **session;
      Submitted submitted;
      const auto cancel = [&] {
        if (submitted.path.empty()) std::_Exit(kExitInterrupted);  // nothing was submitted yet
        open.spawn([&]() -> net::Task<void> {
          (void)co_await open.api().post(submitted.path + "/cancel", json::object{{"reason", "interrupted"}});
        });
      };
      return open.run(
          [&]() -> net::Task<int> {
            auto status = task ? co_await run_job(open, context, *options, submitted)
                               : co_await run_workflow(open.api(), context, *options, submitted);
            co_return status ? *status : report(context, status.error());
          },
          cancel);
    };
  });
}

}  // namespace kinora::cli

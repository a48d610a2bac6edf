// kinora runs list|show|watch|cancel|pause|resume|retry|approve|reject|signal
#include <fmt/format.h>

#include <cstdio>

#include "kinora/follow.hpp"
#include "kinora/job_input.hpp"
#include "kinora/progress_line.hpp"
#include "kinora/session.hpp"
#include "net/url.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

struct Options {
  std::string id, step, status, workflow, tag, reason, comment, payload;
  std::vector<std::string> from;
  int limit = 20;
  bool quiet = false;
};
using Shared = std::shared_ptr<Options>;

std::string run_path(const Options& options) { return "/v1/runs/" + net::percent_encode(options.id); }

void print_table(const json::array& runs) {
  std::printf("%-30s %-20s %-24s %s\n", "id", "status", "created", "name");
  for (const json::value& run : runs)
    std::printf("%-30s %-20s %-24s %s\n", run.at("id").as_string().c_str(), run.at("status").as_string().c_str(),
                run.at("timing").at("created_at").as_string().c_str(), run.at("name").as_string().c_str());
}

void print_run(const Context& context, const json::value& run) {
  if (context.json) {
    std::printf("%s\n", json::serialize(run).c_str());
    return;
  }
  for (const std::string& line : RunTree(run.as_object()).lines(terminal_columns(stdout))) std::printf("%s\n", line.c_str());
}

net::Task<base::Status> list(ApiClient& api, const Context& context, const Options& options) {
  std::string path = fmt::format("/v1/runs?limit={}", options.limit);
  for (const auto& [name, value] :
       {std::pair("status", options.status), std::pair("workflow", options.workflow), std::pair("tag", options.tag)})
    if (!value.empty()) path += fmt::format("&{}={}", name, net::percent_encode(value));
  KINORA_CO_TRY(const json::value page, co_await api.get(path));
  if (context.json)
    std::printf("%s\n", json::serialize(page).c_str());
  else
    print_table(page.at("data").as_array());
  co_return base::Status{};
}

net::Task<base::Status> show(ApiClient& api, const Context& context, const Options& options) {
  KINORA_CO_TRY(const json::value run, co_await api.get(run_path(options)));
  print_run(context, run);
  if (context.json) co_return base::Status{};
  std::printf("outputs %s\n", pretty_json(run.at("outputs")).c_str());
  if (!run.at("error").is_null() || !run.at("failures").as_array().empty()) std::printf("%s\n", ending_text(run.as_object()).c_str());
  co_return base::Status{};
}

// A POST below the run; the run as it is then.
net::Task<base::Status> act(ApiClient& api, const Context& context, const Options& options, std::string what, json::value body) {
  KINORA_CO_TRY(const json::value run, co_await api.post(run_path(options) + "/" + what, std::move(body)));
  print_run(context, run);
  co_return base::Status{};
}

json::value payload_of(const Options& options) {
  if (options.payload.empty()) return nullptr;
  const auto value = base::parse_json(options.payload);
  return value ? *value : json::value(options.payload);  // a word is a text
}

net::Task<base::Status> answer(ApiClient& api, const Context& context, const Options& options, std::string_view what) {
  json::object body;
  if (!options.comment.empty()) body["comment"] = options.comment;
  if (!options.payload.empty()) body["payload"] = payload_of(options);
  co_return co_await act(api, context, options, fmt::format("steps/{}/{}", net::percent_encode(options.step), what), std::move(body));
}

int watch(const Context& context, const Options& options) {
  auto session = Session::open(context);
  if (!session) return report(context, session.error());
  return (*session)->run([&]() -> net::Task<int> {
    RunDisplay display(stderr, options.quiet);
    const auto run = co_await follow_run((*session)->api(), context, net::percent_encode(options.id), display);
    if (!run) co_return report(context, run.error());
    if (context.json) std::printf("%s\n", json::serialize(*run).c_str());
    co_return exit_status(*run);
  });
}

using Call = net::Task<base::Status> (*)(ApiClient&, const Context&, const Options&);

CLI::App* add(CLI::App& runs, Context& context, const Shared& options, const std::string& name, const std::string& help, Call call) {
  CLI::App* command = runs.add_subcommand(name, help);
  command->callback([&context, options, call] {
    context.action = [&context, options, call] { return with_api(context, [&](ApiClient& api) { return call(api, context, *options); }); };
  });
  return command;
}

}  // namespace

void add_runs_commands(CLI::App& app, Context& context) {
  CLI::App* runs = app.add_subcommand("runs", "Runs of workflows");
  runs->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto with_id = [&](CLI::App* command) {
    command->add_option("id", options->id, "run_...")->required();
    return command;
  };

  CLI::App* listing = add(*runs, context, options, "list", "The newest runs", list);
  listing->add_option("--status", options->status, "queued, running, paused, succeeded, partially_succeeded, failed, canceled or expired");
  listing->add_option("--workflow", options->workflow, "wf_...: of a saved workflow");
  listing->add_option("--tag", options->tag, "with this tag");
  listing->add_option("--limit", options->limit, "how many")->check(CLI::Range(1, 100));

  with_id(add(*runs, context, options, "show", "One run: its steps and outputs", show));

  CLI::App* watching = with_id(runs->add_subcommand("watch", "Follows a run until it ends; the exit status is the run's"));
  watching->add_flag("--quiet", options->quiet, "no progress");
  watching->callback([&context, options] { context.action = [&context, options] { return watch(context, *options); }; });

  CLI::App* cancel =
      with_id(add(*runs, context, options, "cancel", "Stops a run", [](ApiClient& api, const Context& all, const Options& of) {
        return act(api, all, of, "cancel", of.reason.empty() ? json::object() : json::object{{"reason", of.reason}});
      }));
  cancel->add_option("--reason", options->reason, "is kept with the run");

  with_id(add(*runs, context, options, "pause", "Lets running steps finish and starts no more",
              [](ApiClient& api, const Context& all, const Options& of) { return act(api, all, of, "pause", json::object()); }));
  with_id(add(*runs, context, options, "resume", "Goes on with a paused run",
              [](ApiClient& api, const Context& all, const Options& of) { return act(api, all, of, "resume", json::object()); }));

  CLI::App* retry =
      with_id(add(*runs, context, options, "retry", "Runs again what failed, and what comes after it",
                  [](ApiClient& api, const Context& all, const Options& of) {
                    return act(api, all, of, "retry", of.from.empty() ? json::object() : json::object{{"from", json::value_from(of.from)}});
                  }));
  retry->add_option("--from", options->from, "a step that runs again although it succeeded (may be repeated)");

  const auto gate = [&](CLI::App* command) {
    with_id(command)->add_option("step", options->step, "the gate's step")->required();
    command->add_option("--comment", options->comment, "is kept with the answer");
    command->add_option("--payload", options->payload, "JSON or text, as steps.<gate>.output.payload for later steps");
  };
  gate(add(*runs, context, options, "approve", "Opens a manual gate",
           [](ApiClient& api, const Context& all, const Options& of) { return answer(api, all, of, "approve"); }));
  gate(add(*runs, context, options, "reject", "Fails a manual gate",
           [](ApiClient& api, const Context& all, const Options& of) { return answer(api, all, of, "reject"); }));

  CLI::App* signal = with_id(
      add(*runs, context, options, "signal", "Tells a run's event gates", [](ApiClient& api, const Context& all, const Options& of) {
        return act(api, all, of, "signals/" + net::percent_encode(of.step), payload_of(of));
      }));
  signal->add_option("name", options->step, "of the signal")->required();
  signal->add_option("payload", options->payload, "JSON or text (default: null)");
}

}  // namespace kinora::cli

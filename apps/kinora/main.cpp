// kinora: every network role and the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "base/log.hpp"
#include "kinora/command.hpp"
#include "kinora/version.hpp"

int main(int count, char** arguments) {
  using namespace kinora;
  CLI::App app{"Kinora: an open network for video work. `kinora up` starts all of it on this machine."};
  app.set_version_flag("--version", std::string("kinora ") + cli::kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  cli::Context context;
  bool verbose = false;
  bool log_json = false;
  app.add_flag("--json", context.json, "data on stdout as JSON");
  app.add_flag("--verbose", verbose, "more talk on stderr");
  app.add_flag("--log-json", log_json, "logs on stderr as JSON lines");
  app.add_option("--api", context.api, "address of a gateway (default: the node running in KINORA_HOME)")->envname("KINORA_API");
  cli::add_role_commands(app, context);
  cli::add_run_command(app, context);
  cli::add_jobs_commands(app, context);
  cli::add_runs_commands(app, context);
  cli::add_models_commands(app, context);
  cli::add_keys_commands(app, context);
  cli::add_status_command(app, context);
  cli::add_doctor_command(app, context);
  cli::add_measure_command(app, context);

  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kExitOk : cli::kExitUsage;
  }
  const auto least = context.serves ? base::log::Level::info : base::log::Level::warn;
  base::log::configure(verbose ? base::log::Level::debug : least, log_json);
  try {
    return context.action();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kinora: %s\n", error.what());
    return cli::kExitFailed;
  }
}

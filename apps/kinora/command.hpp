#pragma once
// The commands of `kinora`. Each adds its subcommand to the parser and, when chosen, sets `action`, which main runs.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace kinora::cli {

// Exit statuses, the same for every command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCapacity = 3;
inline constexpr int kExitInterrupted = 130;

struct Context {
  bool json = false;            // data on stdout as JSON
  std::string api;              // --api URL: use this gateway; empty: the running node of KINORA_HOME
  std::function<int()> action;  // of the chosen command
  bool serves = false;          // it is a role, whose log is for its operator; a command for a person tells of trouble only
  // The stable code (developer API 5.14) of the gateway's last answer; empty: that was no error.
  std::shared_ptr<std::string> problem = std::make_shared<std::string>();
};

void add_role_commands(CLI::App& app, Context& context);  // up, gateway, orchestrator, worker
void add_run_command(CLI::App& app, Context& context);
void add_runs_commands(CLI::App& app, Context& context);
void add_jobs_commands(CLI::App& app, Context& context);
void add_models_commands(CLI::App& app, Context& context);
void add_pull_commands(CLI::App& models, Context& context);  // models pull|rm
void add_ps_command(CLI::App& models, Context& context);
void add_keys_commands(CLI::App& app, Context& context);
void add_status_command(CLI::App& app, Context& context);
void add_doctor_command(CLI::App& app, Context& context);
void add_measure_command(CLI::App& app, Context& context);

// Prints "kinora: <message>" to stderr (with --json also {"error": {"code", "detail"}} to stdout, the code as stable as the gateway's);
// gives the exit status that fits the code.
int report(const Context& context, const base::Error& error);
// The same of words that cannot be meant: exit status 2.
int report_usage(const Context& context, const base::Error& error);

}  // namespace kinora::cli

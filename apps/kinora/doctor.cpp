#include "kinora/doctor.hpp"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/json.hpp"
#include "kinora/device_names.hpp"
#include "kinora/home.hpp"
#include "kinora/model_folders.hpp"
#include "kinora/settings.hpp"
#include "net/client.hpp"
#include "proc/media_tool.hpp"
#include "proc/programs.hpp"

namespace kinora::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = base::json;
using State = Finding::State;

constexpr double kGiB = 1024.0 * 1024 * 1024;

Finding machine() {
  struct sysinfo info{};
  ::sysinfo(&info);
  const double memory = static_cast<double>(info.totalram) * info.mem_unit / kGiB;
  Finding finding{"machine", State::good,
                  fmt::format("{} processor threads, {:.1f} GiB memory", std::thread::hardware_concurrency(), memory), ""};
  if (memory < 2) finding = {"machine", State::missing, finding.detail, "models need at least 2 GiB of memory"};
  return finding;
}

Finding home_folder() {
  const auto home = Home::open();
  if (!home) return {"home", State::missing, home.error().message, "set KINORA_HOME to a folder that can be written"};
  std::error_code error;
  const auto space = fs::space(home->root(), error);
  const double free = error ? 0 : static_cast<double>(space.available) / kGiB;
  Finding finding{"home", State::good, fmt::format("{}, {:.1f} GiB free", home->root().string(), free), ""};
  if (free < 2) finding = {"home", State::note, finding.detail, "less than 2 GiB: make room, or set KINORA_HOME to a larger disk"};
  return finding;
}

Finding settings() {
  const auto home = Home::open();
  if (!home) return {"settings", State::note, "not looked at: there is no home", ""};
  if (const auto config = load_settings(*home, {}); !config)
    return {"settings", State::missing, config.error().message, "mend " + home->config_file().string() + " or the environment"};
  return {"settings", State::good, home->config_file().string() + " and KINORA_* variables", ""};
}

asio::awaitable<Finding> media(asio::any_io_executor executor) {
  const auto program = proc::find_program("kinora-media");
  if (!program) co_return Finding{"media", State::missing, program.error().message, "build it: make build"};
  const proc::MediaTool tool(executor, {.program = *program});
  const proc::ToolOutcome outcome = co_await tool.run("version", {});
  if (const auto* error = outcome.error())
    co_return Finding{"media", State::missing, error->detail, "reinstall FFmpeg's libraries: make setup"};
  co_return Finding{"media", State::good, json::serialize(*outcome.result()), ""};
}

// Starts a runner for a moment, as the worker would, and asks what it found on its device.
asio::awaitable<std::vector<Finding>> runner(asio::any_io_executor executor, std::string device, std::vector<fs::path> models) {
  std::vector<Finding> findings;
  const std::string check = "runner " + device;
  const auto program = proc::find_program("kinora-runner");
  if (!program) co_return std::vector{Finding{check, State::missing, program.error().message, "build it: make build"}};
  const fs::path work = fs::temp_directory_path() / fmt::format("kinora-doctor-{}", ::getpid());
  fs::create_directories(work);
  proc::ProcessOptions options{.program = *program,
                               .arguments = {"--listen", "127.0.0.1:0", "--work-dir", work.string(), "--device", device}};
  for (const fs::path& folder : models) options.arguments.insert(options.arguments.end(), {"--models", folder.string()});
  auto process = proc::Process::start(executor, options);
  if (!process) co_return std::vector{Finding{check, State::missing, process.error().message, "run it by hand to see more"}};
  const auto line = co_await process->read_line();
  const auto hello = line && *line ? base::parse_json(**line) : base::Result<json::value>(base::fail(base::ErrorCode::unavailable, ""));
  if (!hello || !hello->is_object() || !hello->get_object().contains("url")) {
    const proc::Exit exit = co_await process->terminate(std::chrono::seconds(1));
    findings.push_back({check, State::missing, exit.text() + ": " + process->stderr_tail(),
                        device == "cpu" ? "LibTorch may be missing: make setup" : "name the devices that there are in worker.devices"});
  } else {
    net::Client client(executor);
    const std::string url(hello->at("url").as_string());
    for (const auto& [asked, path] : {std::pair{check, "/hardware/info"}, std::pair{std::string("models"), "/models"}}) {
      auto answer = co_await client.send({.url = url + path, .deadline = std::chrono::minutes(1)});
      auto body = answer ? co_await answer->read_all(4 << 20) : base::Result<std::string>(base::fail(answer.error()));
      if (body)
        findings.push_back({asked, State::good, *body, ""});
      else
        findings.push_back({asked, State::missing, body.error().message, "run kinora-runner by hand to see more"});
      if (body && asked == "models" && *body == "[]")
        findings.back() = {asked, State::missing, "no model found",
                           "the starter models lie in weights/ of the repository; or put model folders into KINORA_HOME/models"};
    }
    client.close();
    (void)co_await process->terminate(std::chrono::seconds(2));
  }
  std::error_code ignored;
  fs::remove_all(work, ignored);
  co_return findings;
}

// Those of worker.devices, each with its runner; the models once, for all have the same.
asio::awaitable<std::vector<Finding>> devices(asio::any_io_executor executor) {
  const auto home = Home::open();
  const auto config = home ? load_settings(*home, {}) : base::Result<base::Config>(base::fail(home.error()));
  if (!config) co_return std::vector{Finding{"devices", State::note, "not looked at: the settings cannot be read", ""}};
  const auto names = device_names(config->list("worker.devices"));
  if (!names)
    co_return std::vector{
        Finding{"devices", State::missing, names.error().message, "mend " + home->config_file().string() + " or KINORA_WORKER_DEVICES"}};
  if (names->empty()) co_return std::vector{Finding{"devices", State::note, "worker.devices names none: no models run here", ""}};
  std::vector<Finding> findings;
  bool told_models = false;
  for (const std::string& name : *names)
    for (Finding& finding : co_await runner(executor, name, model_folders(*config))) {
      if (finding.check == "models" && std::exchange(told_models, true)) continue;
      findings.push_back(std::move(finding));
    }
  co_return findings;
}

Finding node() {
  const auto home = Home::open();
  const auto running = home ? home->running_node() : std::nullopt;
  if (!running) return {"node", State::note, "no node runs here", "start one: kinora up"};
  return {"node", State::good, "API at " + running->api, ""};
}

}  // namespace

asio::awaitable<std::vector<Finding>> examine(asio::any_io_executor executor) {
  std::vector<Finding> findings{machine(), home_folder(), settings(), co_await media(executor)};
  for (Finding& finding : co_await devices(executor)) findings.push_back(std::move(finding));
  findings.push_back(node());
  co_return findings;
}

}  // namespace kinora::cli

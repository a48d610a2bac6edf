// kinora-runner: the model host. Options -> settings -> service -> run until SIGTERM.
#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/log.hpp"
#include "nn/load_error.hpp"
#include "runner/service.hpp"

namespace {

namespace asio = boost::asio;
using kinora::runner::Identity;
using kinora::runner::RunnerSettings;
using kinora::runner::Service;

constexpr const char* kVersion = "0.1.0";

std::string environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

// "127.0.0.1:0" -> address and port; false when it is not of that form.
bool parse_listen(const std::string& text, RunnerSettings& settings) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  unsigned port = 0;
  if (!CLI::detail::lexical_cast(text.substr(colon + 1), port) || port > 65535) return false;
  settings.address = text.substr(0, colon);
  settings.port = static_cast<std::uint16_t>(port);
  return true;
}

int serve(const RunnerSettings& settings, const Identity& identity) {
  asio::io_context context(1);
  Service service(context.get_executor(), settings, identity);
  if (const auto listening = service.listen(); !listening) {
    std::cerr << "kinora-runner: " << listening.error().message << '\n';
    return 1;
  }
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& failed, int) {
    if (!failed) service.stop();
  });
  std::cout << boost::json::serialize(boost::json::object{{"url", service.url()}}) << std::endl;
  int code = 0;
  asio::co_spawn(context, service.run(), [&](const std::exception_ptr& thrown) {
    signals.cancel();
    if (thrown) code = 1;
  });
  context.run();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  RunnerSettings settings;
  std::string listen = "127.0.0.1:0";
  std::uint64_t memory_mib = settings.memory_bytes >> 20;
  std::uint64_t model_memory_mib = 0;
  bool json_logs = false;
  settings.auth_token = environment("AUTH_TOKEN", "");
  CLI::App app("Hosts models: upscales videos and pictures for a Kinora worker, or behind a Livepeer orchestrator.", "kinora-runner");
  app.set_version_flag("--version", kVersion);
  app.add_option("--listen", listen, "ADDRESS:PORT; port 0 picks a free one, and the address is printed as JSON")->capture_default_str();
  app.add_option("--work-dir", settings.work_dir, "inputs and outputs of tasks lie under this folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--models", settings.models_dirs, "folder of model folders, or a hub cache (may be given again; default: MODEL_DIR)")
      ->check(CLI::ExistingDirectory);
  app.add_option("--device", settings.device,
                 "cpu or cuda:N; cuda:N+cuda:M: guidance of Wan and LTX-Video on the second, with a copy of the transformer")
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "cores of the network, 0: all")->check(CLI::Range(0, 1024))->capture_default_str();
  app.add_option("--memory-mib", memory_mib, "activations of one network call, 0: from the free memory; larger pictures run in tiles")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--model-memory-mib", model_memory_mib, "weights on the device, 0: three quarters of its memory")->capture_default_str();
  app.add_option("--pin", settings.pinned, "a model that is not evicted for others (may be given again)");
  app.add_option("--max-pixels", settings.limits.max_pixels, "largest source picture")
      ->check(CLI::Range(std::int64_t{1}, kinora::media::kMaxPixels))
      ->capture_default_str();
  app.add_flag("--json-logs", json_logs, "logs as JSON lines");
  try {
    app.parse(argc, argv);
    if (const auto plus = settings.device.find('+'); plus != std::string::npos) {
      settings.guidance_device = settings.device.substr(plus + 1);
      settings.device.resize(plus);
      if (settings.guidance_device.empty()) throw CLI::ValidationError("--device", "names no device after the +");
    }
    if (!parse_listen(listen, settings)) throw CLI::ValidationError("--listen", "must be ADDRESS:PORT");
    if (const auto folder = environment("MODEL_DIR", ""); settings.models_dirs.empty() && !folder.empty()) settings.models_dirs = {folder};
    if (settings.models_dirs.empty()) throw CLI::ValidationError("--models", "is needed, or MODEL_DIR");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  settings.memory_bytes = memory_mib << 20;
  settings.model_bytes = model_memory_mib << 20;
  kinora::base::log::configure(kinora::base::log::Level::info, json_logs);
  try {
    return serve(settings, {.pipeline = environment("PIPELINE", "upscale"),
                            .model_id = environment("MODEL_ID", ""),
                            .version = environment("VERSION", kVersion)});
  } catch (const kinora::nn::LoadError& error) {
    std::cerr << "kinora-runner: " << error.what() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "kinora-runner: " << error.what() << '\n';
  }
  return 1;
}

// kinora up|gateway|orchestrator|worker: run roles until SIGTERM or Ctrl-C.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "kinora/command.hpp"
#include "kinora/node.hpp"
#include "kinora/settings.hpp"

namespace kinora::cli {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kRefresh{2};  // how old the announced state of the devices may be

void print_started(const Context& context, const Node& node) {
  if (context.json) {
    const RunningNode& running = node.running();
    std::printf("%s\n", base::json::serialize(base::json::object{{"api", running.api},
                                                                 {"pin", running.pin},
                                                                 {"roles", base::json::value_from(running.roles)},
                                                                 {"started", base::json::value_from(node.started())}})
                            .c_str());
  } else {
    for (const std::string& line : node.started()) std::printf("%s\n", line.c_str());
    if (!node.running().api.empty()) std::printf("ready. Try: kinora run video-upscale clip.mp4 -o big.mp4 --set scale=2\n");
  }
  std::fflush(stdout);
}

net::Task<int> run_node(Context& context, Node& node, asio::signal_set& signals) {
  const base::Status started = co_await node.start();
  if (!started)
    co_return started.error().code == base::ErrorCode::invalid ? report_usage(context, started.error()) : report(context, started.error());
  print_started(context, node);
  bool told_to_stop = false;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  signals.async_wait([&](boost::system::error_code, int) {
    told_to_stop = true;
    timer.cancel();
  });
  while (!told_to_stop) {
    boost::system::error_code ignored;
    timer.expires_after(kRefresh);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    node.refresh();
  }
  std::fprintf(stderr, "kinora: stopping; running work may end first. A second signal stops at once.\n");
  signals.async_wait([](boost::system::error_code error, int) {
    if (!error) std::_Exit(kExitInterrupted);
  });
  co_await node.stop();
  signals.cancel();
  co_return kExitOk;
}

int run_roles(Context& context, Roles roles, const std::map<std::string, std::string>& flags) {
  auto home = Home::open();
  if (!home) return report(context, home.error());
  auto config = load_settings(*home, flags);
  // With all roles in one process the orchestrator is only for its own gateway: any free port will do.
  if (config && roles.gateway && roles.orchestrator && config->origin("orchestrator.listen") == "default") {
    auto more = flags;
    more["orchestrator.listen"] = "127.0.0.1:0";
    config = load_settings(*home, more);
  }
  if (!config) {
    report(context, config.error());
    return kExitUsage;
  }
  asio::io_context io(1);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  Node node(io.get_executor(), *std::move(home), *std::move(config), roles);
  int status = kExitFailed;
  std::exception_ptr failure;
  asio::co_spawn(io, run_node(context, node, signals), [&](std::exception_ptr thrown, int result) {
    failure = thrown;
    status = result;
    io.stop();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return status;
}

// A flag that stands for a setting.
struct Flag {
  std::string name;
  std::string key;
  std::string doc;
};

void add_role(CLI::App& app, Context& context, const std::string& name, const std::string& doc, Roles roles,
              const std::vector<Flag>& flags) {
  CLI::App* command = app.add_subcommand(name, doc);
  const auto values = std::make_shared<std::map<std::string, std::string>>();
  for (const Flag& flag : flags) {
    command->add_option_function<std::vector<std::string>>(
        flag.name,
        [values, key = flag.key](const std::vector<std::string>& words) {
          std::string all;
          for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
          (*values)[key] = all;
        },
        flag.doc);
  }
  command->callback([&context, roles, values] {
    context.serves = true;
    context.action = [&context, roles, values] { return run_roles(context, roles, *values); };
  });
}

}  // namespace

void add_role_commands(CLI::App& app, Context& context) {
  const Flag grace{"--grace", "node.grace_s", "seconds that running work may take after SIGTERM"};
  const Flag name{"--name", "worker.name", "name of this machine"};
  const Flag devices{"--device", "worker.devices", "device for models: auto, none, cpu, cuda:0, cuda:0+cuda:1 (repeat for several)"};
  const Flag models{"--models", "worker.models", "a folder that holds model folders (repeat for several)"};
  const Flag slots{"--media-slots", "worker.media_slots", "media processes at once"};
  const Flag threads{"--threads", "worker.threads", "processor threads of a model runner"};
  add_role(app, context, "up", "Gateway, orchestrator and worker on this machine, on loopback",
           {.gateway = true, .orchestrator = true, .worker = true},
           {{"--listen", "gateway.listen", "address:port of the API (port 0: a free one)"},
            {"--orchestrator-listen", "orchestrator.listen", "address:port of the orchestrator"},
            {"--orchestrator", "gateway.orchestrators", "a further orchestrator to use (repeat for several)"},
            name,
            devices,
            models,
            slots,
            threads,
            grace});
  add_role(app, context, "gateway", "The public API; sends work to orchestrators", {.gateway = true},
           {{"--listen", "gateway.listen", "address:port of the API (port 0: a free one)"},
            {"--orchestrator", "gateway.orchestrators", "https://host:port#sha256/... (repeat for several)"},
            {"--public-url", "gateway.public_url", "how workers reach the API"},
            {"--chunk-s", "gateway.chunk_s", "seconds of video a piece"},
            {"--max-price-wei", "gateway.max_price_wei", "most to pay for a second of compute"},
            grace});
  add_role(app, context, "orchestrator", "Takes jobs from gateways and hands them to its workers", {.orchestrator = true},
           {{"--listen", "orchestrator.listen", "address:port (port 0: a free one)"},
            {"--service-url", "orchestrator.service_url", "address announced to gateways"},
            grace});
  add_role(app, context, "worker", "Offers this machine's devices to an orchestrator", {.worker = true},
           {{"--orchestrator", "worker.orchestrators", "https://host:port#sha256/... (repeat for several)"},
            {"--listen", "worker.listen", "address:port where orchestrators reach this worker"},
            {"--url", "worker.url", "address given to orchestrators"},
            {"--secret-file", "worker.secret_file", "file with the orchestrator's secret"},
            name,
            devices,
            models,
            slots,
            threads,
            grace});
}

}  // namespace kinora::cli

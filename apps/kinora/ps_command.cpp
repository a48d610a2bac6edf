// kinora models ps: what lies on this machine's devices, as each runner measured it.
#include <cstdio>

#include "kinora/command.hpp"
#include "kinora/local_runners.hpp"
#include "kinora/run_coroutine.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

void print(const std::string& device, const json::object& models) {
  std::printf("%s: %lld MiB for models\n", device.c_str(),
              static_cast<long long>(models.at("device_budget_bytes").to_number<std::int64_t>() >> 20));
  for (const json::value& row : models.at("resident").as_array()) {
    const char* where =
        row.at("on_device").as_bool() ? (row.at("one_by_one").as_bool() ? "device, piece by piece" : "device") : "host memory";
    std::printf("  %-44s %8lld MiB  %s%s\n", row.at("id").as_string().c_str(),
                static_cast<long long>(row.at("bytes").to_number<std::int64_t>() >> 20), where,
                row.at("pinned").as_bool() ? ", pinned" : "");
  }
}

}  // namespace

void add_ps_command(CLI::App& models, Context& context) {
  CLI::App* command = models.add_subcommand("ps", "Models that are loaded on this machine's devices, with measured sizes");
  command->callback([&context] {
    context.action = [&context] {
      const auto home = Home::open();
      if (!home) return report(context, home.error());
      const auto found = local_runners(*home);
      if (found.empty()) return report(context, {base::ErrorCode::not_found, "no runner runs on this machine; start one with `kinora up`"});
      return run_coroutine([&](boost::asio::any_io_executor executor) -> net::Task<int> {
        net::Client client(executor);
        json::array all;
        for (const auto& [device, url] : found) {
          const auto stats = co_await ask_runner(client, url + "/hardware/stats");
          if (!stats || !stats->is_object() || !stats->get_object().contains("models")) continue;  // it has just ended
          const json::object& resident = stats->at("models").as_object();
          if (!context.json) print(device, resident);
          all.push_back(json::object{{"device", device}, {"models", resident}});
        }
        if (context.json) std::printf("%s\n", json::serialize(json::object{{"devices", all}}).c_str());
        co_return kExitOk;
      });
    };
  });
}

}  // namespace kinora::cli

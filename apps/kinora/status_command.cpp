// kinora status: the node that runs in KINORA_HOME.
#include <cstdio>

#include "kinora/session.hpp"

namespace kinora::cli {

namespace json = base::json;

void add_status_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("status", "The running node: address, roles, devices");
  command->callback([&context] {
    context.action = [&context] {
      const auto home = Home::open();
      if (!home) return report(context, home.error());
      const auto node = home->running_node();
      if (!node)
        return report(context, {base::ErrorCode::not_found, "no node runs in " + home->root().string() + "; start one with `kinora up`"});
      const json::object status{
          {"api", node->api}, {"pin", node->pin}, {"pid", node->pid}, {"roles", json::value_from(node->roles)}, {"devices", node->devices}};
      if (context.json) {
        std::printf("%s\n", json::serialize(status).c_str());
        return kExitOk;
      }
      std::printf("api      %s\nroles   ", node->api.c_str());
      for (const std::string& role : node->roles) std::printf(" %s", role.c_str());
      std::printf("\ndevices ");
      for (const json::value& device : node->devices) std::printf(" %s", json::serialize(device).c_str());
      std::printf("\n");
      return kExitOk;
    };
  });
}

}  // namespace kinora::cli

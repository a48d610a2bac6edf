// kinora doctor: what this machine has, what is missing and how to get it.
#include <cstdio>

#include "base/json.hpp"

#include "kinora/command.hpp"
#include "kinora/doctor.hpp"
#include "kinora/run_coroutine.hpp"

namespace kinora::cli {

void add_doctor_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("doctor", "Checks this machine: what is missing and how to get it");
  command->callback([&context] {
    context.action = [&context] {
      return run_coroutine([&](boost::asio::any_io_executor executor) -> boost::asio::awaitable<int> {
        const std::vector<Finding> findings = co_await examine(executor);
        bool missing = false;
        base::json::array list;
        for (const Finding& finding : findings) {
          missing = missing || finding.state == Finding::State::missing;
          const char* state = finding.state == Finding::State::good ? "ok" : finding.state == Finding::State::note ? "note" : "missing";
          list.push_back(
              base::json::object{{"check", finding.check}, {"state", state}, {"detail", finding.detail}, {"remedy", finding.remedy}});
          if (context.json) continue;
          std::printf("%-8s %-14s %s\n", state, finding.check.c_str(), finding.detail.c_str());
          if (!finding.remedy.empty()) std::printf("%-23s -> %s\n", "", finding.remedy.c_str());
        }
        if (context.json) std::printf("%s\n", base::json::serialize(base::json::object{{"ok", !missing}, {"checks", list}}).c_str());
        co_return missing ? kExitFailed : kExitOk;
      });
    };
  });
}

}  // namespace kinora::cli

// kinora models list|show: what the network of the API offers.
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <map>

#include "kinora/job_input.hpp"
#include "kinora/local_runners.hpp"
#include "kinora/session.hpp"
#include "net/url.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

std::string text_of(const json::value& value, std::string_view key) {
  const json::value* found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  if (found == nullptr || found->is_null()) return "-";
  return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

// What only this machine's runners know of: by kind ("adapter": LoRA files; "unusable": what cannot be loaded) and id.
struct Here {
  json::array adapters, unusable;
};
net::Task<Here> models_here(boost::asio::any_io_executor executor) {
  std::map<std::string, json::value> adapters, unusable;
  net::Client client(executor);
  const auto home = Home::open();
  if (!home) co_return Here();
  for (const auto& [device, url] : local_runners(*home)) {
    const auto models = co_await ask_runner(client, url + "/models");
    if (!models || !models->is_array()) continue;  // it has just ended
    for (const json::value& model : models->get_array()) {
      if (text_of(model, "kind") == "adapter") adapters.emplace(text_of(model, "id"), model);
      if (text_of(model, "kind") == "unusable") unusable.emplace(text_of(model, "id"), model);
    }
  }
  Here here;
  for (auto& [id, adapter] : adapters) here.adapters.push_back(std::move(adapter));
  for (auto& [id, model] : unusable) here.unusable.push_back(std::move(model));
  co_return here;
}

}  // namespace

void add_models_commands(CLI::App& app, Context& context) {
  CLI::App* models = app.add_subcommand("models", "Models and tasks that can be used");
  models->require_subcommand(1);
  add_pull_commands(*models, context);
  add_ps_command(*models, context);
  const auto id = std::make_shared<std::string>();

  CLI::App* list = models->add_subcommand("list", "Models, and the tasks of the catalogue");
  list->callback([&context] {
    context.action = [&context] {
      auto session = Session::open(context, Session::Start::when_none_runs);
      if (!session) return report(context, session.error());
      (*session)->settle();
      ApiClient& api = (*session)->api();
      return (*session)->run([&]() -> net::Task<int> {
        const auto found = co_await api.get("/v1/models");
        if (!found) co_return report(context, found.error());
        const auto tasks = co_await api.get("/v1/tasks");
        if (!tasks) co_return report(context, tasks.error());
        const Here here = co_await models_here(co_await boost::asio::this_coro::executor);
        if (context.json) {
          const json::object all{
              {"models", found->at("data")}, {"adapters", here.adapters}, {"unusable", here.unusable}, {"tasks", tasks->at("data")}};
          std::printf("%s\n", json::serialize(all).c_str());
          co_return kExitOk;
        }
        std::printf("%-28s %s\n", "model", "tasks");
        for (const json::value& model : found->at("data").as_array())
          std::printf("%-28s %s\n", text_of(model, "id").c_str(), text_of(model, "tasks").c_str());
        if (!here.adapters.empty()) std::printf("\n%-28s %s\n", "adapter (LoRA)", "licence");
        for (const json::value& adapter : here.adapters)
          std::printf("%-28s %s\n", text_of(adapter, "id").c_str(), text_of(adapter, "license").c_str());
        if (!here.unusable.empty()) std::printf("\n%-28s %s\n", "cannot be used", "because");
        for (const json::value& model : here.unusable)
          std::printf("%-28s %s\n", text_of(model, "id").c_str(), text_of(model, "reason").c_str());
        std::printf("\n%-28s %s\n", "task", "what it does");
        for (const json::value& task : tasks->at("data").as_array())
          std::printf("%-28s %s\n", text_of(task, "name").c_str(), text_of(task, "summary").c_str());
        co_return kExitOk;
      });
    };
  });

  CLI::App* show = models->add_subcommand("show", "One model with the schema of its input");
  show->add_option("id", *id, "model id")->required();
  show->callback([&context, id] {
    context.action = [&context, id] {
      auto session = Session::open(context, Session::Start::when_none_runs);
      if (!session) return report(context, session.error());
      (*session)->settle();
      ApiClient& api = (*session)->api();
      return (*session)->run([&]() -> net::Task<int> {
        const std::string path = "/v1/models/" + net::percent_encode(*id);
        const auto model = co_await api.get(path);
        if (!model) co_return report(context, model.error());
        const auto schema = co_await api.get(path + "/schema");
        if (!schema) co_return report(context, schema.error());
        const json::object both{{"model", *model}, {"schema", *schema}};
        std::printf("%s\n", (context.json ? json::serialize(both) : pretty_json(both)).c_str());
        co_return kExitOk;
      });
    };
  });
}

}  // namespace kinora::cli

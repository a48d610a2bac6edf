// kinora keys create|list|revoke
#include <cstdio>

#include "kinora/session.hpp"
#include "net/url.hpp"

namespace kinora::cli {

namespace json = base::json;

void add_keys_commands(CLI::App& app, Context& context) {
  CLI::App* keys = app.add_subcommand("keys", "API keys of the gateway");
  keys->require_subcommand(1);
  struct Options {
    std::string name = "cli";
    std::vector<std::string> scopes{"jobs:read", "jobs:write", "media:*", "models:read"};
    std::string id;
  };
  const auto options = std::make_shared<Options>();
  const auto with_api = [&context](std::function<net::Task<base::Status>(ApiClient&)> call) {
    auto session = Session::open(context);
    if (!session) return report(context, session.error());
    return (*session)->run([&]() -> net::Task<int> {
      const auto done = co_await call((*session)->api());
      co_return done ? kExitOk : report(context, done.error());
    });
  };

  CLI::App* create = keys->add_subcommand("create", "Makes a key; its secret is shown this once");
  create->add_option("--name", options->name, "what the key is for");
  create->add_option("--scope", options->scopes, "what it may do (repeat for several)");
  create->callback([&context, options, with_api] {
    context.action = [&context, options, with_api] {
      return with_api([&](ApiClient& api) -> net::Task<base::Status> {
        KINORA_CO_TRY(const json::value made,
                      co_await api.post("/v1/keys", json::object{{"name", options->name}, {"scopes", json::value_from(options->scopes)}}));
        if (context.json)
          std::printf("%s\n", json::serialize(json::object{{"id", made.at("id")}, {"key", made.at("key")}}).c_str());
        else
          std::printf("%s\n%s\n", made.at("id").as_string().c_str(), made.at("key").as_string().c_str());
        co_return base::Status{};
      });
    };
  });

  CLI::App* list = keys->add_subcommand("list", "The keys, without their secrets");
  list->callback([&context, with_api] {
    context.action = [&context, with_api] {
      return with_api([&](ApiClient& api) -> net::Task<base::Status> {
        KINORA_CO_TRY(const json::value page, co_await api.get("/v1/keys"));
        if (context.json)
          std::printf("%s\n", json::serialize(page).c_str());
        else
          for (const json::value& key : page.at("data").as_array())
            std::printf("%s  %-16s %s\n", key.at("id").as_string().c_str(), key.at("name").as_string().c_str(),
                        json::serialize(key.at("scopes")).c_str());
        co_return base::Status{};
      });
    };
  });

  CLI::App* revoke = keys->add_subcommand("revoke", "Ends a key");
  revoke->add_option("id", options->id, "key_...")->required();
  revoke->callback([&context, options, with_api] {
    context.action = [options, with_api] {
      return with_api([&](ApiClient& api) -> net::Task<base::Status> {
        co_return co_await api.remove("/v1/keys/" + net::percent_encode(options->id));
      });
    };
  });
}

}  // namespace kinora::cli

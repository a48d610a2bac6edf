#pragma once
// What a client command needs: an event loop, an HTTP client, the API it talks to, and Ctrl-C.
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "kinora/api_client.hpp"
#include "kinora/command.hpp"
#include "kinora/home.hpp"

namespace kinora::cli {

class Background;
class Node;

class Session {
 public:
  enum class Start { never, when_none_runs };

  // Finds the API: --api, else the node running in KINORA_HOME, else (when allowed) a node of its own that lives as long
  // as the session. The key comes from KINORA_API_KEY, else from the home.
  static base::Result<std::unique_ptr<Session>> open(const Context& context, Start start = Start::never);
  ~Session();

  // Of a node of its own: waits until it knows its models. A node that runs already is as it is.
  void settle();
  ApiClient& api() { return *api_; }
  const std::string& api_url() const { return api_url_; }
  // Runs beside what run() runs; ends with the session.
  void spawn(std::function<net::Task<void>()> body);
  // Runs the coroutine to its end; the first Ctrl-C calls on_interrupt, a second one ends at once with status 130.
  int run(std::function<net::Task<int>()> body, std::function<void()> on_interrupt = {});

 private:
  Session() = default;
  boost::asio::io_context io_{1};
  std::unique_ptr<Node> node_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<Background> background_;
  std::unique_ptr<ApiClient> api_;
  std::string api_url_;
};

// Opens the API of the running node and runs one call; its status is the command's.
int with_api(const Context& context, const std::function<net::Task<base::Status>(ApiClient&)>& call);

}  // namespace kinora::cli

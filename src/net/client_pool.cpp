#include "net/client_pool.hpp"

#include <algorithm>

namespace kinora::net {

namespace asio = boost::asio;
using base::ErrorCode;
using base::fail;

namespace {
constexpr std::size_t kMaxContexts = 256;  // pins of servers come and go; a context is cheap to make again
constexpr std::size_t kMaxHosts = 4096;
}  // namespace

Client::Pool::Pool(asio::any_io_executor executor, ClientSettings settings)
    : executor_(executor), settings_(std::move(settings)), tasks_(executor) {
  if (!settings_.resolver) settings_.resolver = system_resolver(executor_, settings_.connect);
}

std::shared_ptr<Client::Pool::Host> Client::Pool::host(const Key& key) {
  auto& host = hosts_[key];
  if (!host) host = std::make_shared<Host>(executor_);
  const auto kept = host;
  if (hosts_.size() > kMaxHosts) {
    std::erase_if(hosts_, [&](const auto& entry) {
      return entry.second != kept && entry.second.use_count() == 1 && entry.second->connections.empty();
    });
  }
  return kept;
}

std::shared_ptr<asio::ssl::context> Client::Pool::context(const TlsTrust& trust) {
  if (contexts_.size() >= kMaxContexts && !contexts_.contains(trust)) contexts_.clear();
  auto& context = contexts_[trust];
  if (!context) context = make_client_context(trust);
  return context;
}

void Client::Pool::prune(Host& host) {
  const auto now = Clock::now();
  std::size_t idle = 0;
  std::erase_if(host.connections, [&](const auto& connection) {
    if (connection->ended()) return true;
    if (connection->busy()) return false;
    // The newest are at the end and are used first, so the ones in front are the ones that grow old.
    if (now - connection->idle_since() < settings_.idle_connection && ++idle <= settings_.idle_connections_per_host) return false;
    connection->shut_down();
    return true;
  });
}

std::shared_ptr<ClientConnection> Client::Pool::usable(Host& host, bool fresh) {
  for (auto at = host.connections.rbegin(); at != host.connections.rend(); ++at)
    if ((*at)->can_submit() && !(fresh && (*at)->used && !(*at)->busy())) return *at;
  return nullptr;
}

Task<base::Result<std::shared_ptr<ClientConnection>>> Client::Pool::acquire(const Url& url, const TlsTrust& trust, Reach reach, bool fresh,
                                                                            Clock::time_point deadline) {
  const auto self = shared_from_this();
  const auto host = this->host({url.authority(), url.tls(), url.tls() ? trust : TlsTrust{}, reach});
  for (;;) {
    prune(*host);
    if (auto connection = usable(*host, fresh)) co_return connection;
    // One dial at a time until it is known what the server speaks, and for HTTP/2: its connection will serve all.
    const bool wait_for_dial = host->dialing > 0 && (host->http2 || !host->known) && url.tls();
    if (!wait_for_dial && host->connections.size() + host->dialing < settings_.connections_per_host) break;
    const auto failures = host->failed_dials;
    co_await host->freed.wait(deadline);
    if (wait_for_dial && host->failed_dials != failures) co_return fail(host->failure);
    if (Clock::now() >= deadline) co_return fail(ErrorCode::timeout, "no connection to " + url.authority() + " in time");
  }

  struct Dialing {
    explicit Dialing(Host& host_) : host(host_) { ++host.dialing; }
    ~Dialing() {
      --host.dialing;
      host.freed.notify();
    }
    Host& host;
  };
  const Dialing dialing(*host);
  const auto until = std::min(deadline, Clock::now() + settings_.connect);
  Destination to{url, trust, reach, settings_.resolver};
  auto transport = co_await dial(executor_, std::move(to), url.tls() ? context(trust) : nullptr, until);
  if (!transport) {
    ++host->failed_dials;
    host->failure = transport.error();
    co_return fail(std::move(transport).error());
  }
  auto connection = std::make_shared<ClientConnection>(std::move(*transport), settings_);
  host->known = true;
  host->http2 = connection->multiplexes();
  host->connections.push_back(connection);
  tasks_.spawn(carry(host, connection));
  co_return connection;
}

Task<void> Client::Pool::carry(std::shared_ptr<Host> host, std::shared_ptr<ClientConnection> connection) {
  struct Leave {
    ~Leave() {
      std::erase(host->connections, connection);
      host->freed.notify();
    }
    std::shared_ptr<Host> host;
    std::shared_ptr<ClientConnection> connection;
  };
  const Leave leave{host, connection};
  co_await connection->run();
}

void Client::Pool::changed(const std::shared_ptr<ClientConnection>& connection) {
  connection->wake();
  for (const auto& [key, host] : hosts_) {
    if (std::ranges::find(host->connections, connection) == host->connections.end()) continue;
    prune(*host);
    host->freed.notify();
  }
}

void Client::Pool::close() {
  tasks_.cancel();
  for (const auto& [key, host] : hosts_) host->connections.clear();
}

}  // namespace kinora::net

#include "kinora/settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <fstream>
#include <iterator>

extern char** environ;

namespace kinora::cli {

using base::ErrorCode;

const std::vector<base::ConfigKey>& config_keys() {
  using List = std::vector<std::string>;
  static const std::vector<base::ConfigKey> keys = {
      {"gateway.listen", std::string("127.0.0.1:9935"), "address and port of the API; port 0 picks a free one"},
      {"gateway.public_url", std::string(), "how workers and clients reach the API, when that differs from the listening address"},
      {"gateway.orchestrators", List{}, "orchestrators to use, https://host:port#sha256/<key>; kinora up adds its own"},
      {"gateway.max_price_wei", std::int64_t{0}, "most to pay for a second of compute, in wei; 0: any price", 0},
      {"gateway.disk_reserve_mb", std::int64_t{1024},
       "with less room than this on its disk the gateway takes no new jobs and uploads; 0: always", 0, 1 << 20},
      {"gateway.chunk_s", std::int64_t{10}, "length of the pieces that a long video is cut into, in seconds", 1, 600},
      {"gateway.private_targets", false,
       "webhooks may go to, and media by URL may come from, private addresses and over plain http: for machines of your own only"},
      {"gateway.verify", true, "decode and check every result before it is delivered"},
      {"orchestrator.listen", std::string("127.0.0.1:8935"), "address and port of the orchestrator"},
      {"orchestrator.service_url", std::string(), "address announced to gateways, when that differs from the listening address"},
      {"orchestrator.max_jobs", std::int64_t{4096}, "jobs at once over all workers", 1, 1'000'000},
      {"worker.name", std::string(), "name of this machine; empty: its host name"},
      {"worker.listen", std::string("127.0.0.1:0"), "address and port where orchestrators reach this worker"},
      {"worker.url", std::string(), "address given to orchestrators, when that differs from the listening address"},
      {"worker.orchestrators", List{}, "orchestrators to offer this machine to; kinora up adds its own"},
      {"worker.devices", List{"auto"}, "devices for models: auto, none, cpu, cuda:0 ..."},
      {"worker.models", List{}, "more folders that hold model folders"},
      {"worker.media_slots", std::int64_t{0}, "media processes at once; 0: one a processor", 0, 1024},
      {"worker.threads", std::int64_t{0}, "threads of a model runner; 0: all processors", 0, 1024},
      {"worker.cache_gib", std::int64_t{20}, "disk space for downloaded inputs, in GiB", 1, 100'000},
      {"worker.disk_reserve_mb", std::int64_t{1024}, "with less room than this on its disk the worker takes no orders; 0: always", 0,
       1 << 20},
      {"worker.private_targets", false, "media may come from and go to gateways at private addresses: for a network of your own only"},
      {"worker.price_wei", std::int64_t{0}, "price of a second of compute, in wei", 0},
      {"worker.secret_file", std::string(), "file with the orchestrator's secret; empty: this home's"},
      {"node.grace_s", std::int64_t{20}, "how long running work may go on after SIGTERM, in seconds", 0, 3600},
  };
  return keys;
}

base::Result<base::Config> load_settings(const Home& home, const std::map<std::string, std::string>& flags) {
  std::ifstream in(home.config_file(), std::ios::binary);
  const std::string toml = in ? std::string{std::istreambuf_iterator<char>(in), {}} : std::string();
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
  }
  static const std::vector<std::string> others{"KINORA_ORCHESTRATOR_SECRET"};  // a credential, not a setting
  return base::Config::load(config_keys(), toml, home.config_file().string(), environment, others, flags);
}

base::Result<Endpoint> parse_endpoint(std::string_view text, std::string_view what) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(host), error);
    const auto [end, number] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), endpoint.port);
    if (!error && number == std::errc{} && end == text.data() + text.size()) {
      endpoint.address = address.to_string();
      endpoint.loopback = address.is_loopback();
      return endpoint;
    }
  }
  return base::fail(ErrorCode::invalid, fmt::format("{} must be an IP address and a port such as 127.0.0.1:9935, not \"{}\"", what, text));
}

}  // namespace kinora::cli

#pragma once
// Media that jobs name by URL (developer-api 5.3.5): fetched into the store, hashed on the way, looked at, handed to the engine as a
// complete upload. The URL is a stranger's: https and public addresses only (or, on-prem, anywhere), every redirect judged again, and the
// header fields that came with it stay with its origin.
//
// Threading: one executor. Everything handed in outlives stop().
#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "gateway/media_check.hpp"
#include "gateway/slots.hpp"
#include "jobs/engine.hpp"
#include "net/client.hpp"
#include "net/sync.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

struct FetchSettings {
  net::Reach reach = net::Reach::public_only;
  unsigned at_once = 32;
  int redirects = 5;
  int tries = 3;                          // of what may go better the next time: no connection, a broken one, 429, 5xx
  std::chrono::milliseconds pause{1000};  // before the second try; twice as long before the next
  std::chrono::milliseconds total{600'000};
  std::chrono::milliseconds idle{30'000};  // longest silence
  std::int64_t max_bytes = jobs::kMaxUploadBytes;
};

class InputFetcher {
 public:
  InputFetcher(boost::asio::any_io_executor executor, jobs::Engine& engine, store::Blobs& blobs, MediaCheck& media, FetchSettings settings);

  base::Status check(std::string_view url) const { return net::check_reach(url, settings_.reach); }
  void fetch(jobs::Upload upload);  // begins
  void stop(const std::string& upload);
  net::Task<void> stop();  // what is on its way is fetched again after the next start

 private:
  struct Fetched {
    store::Blob blob;
    std::string mime;  // as the server calls it
  };
  struct Failure {
    Problem problem;
    bool again = false;
  };
  using Outcome = tl::expected<Fetched, Failure>;
  net::Task<void> bring(jobs::Upload upload);
  net::Task<Outcome> bring_in_time(const jobs::Upload& upload);
  net::Task<Outcome> download(const jobs::Upload& upload, net::Clock::time_point until);
  net::Task<Outcome> receive(net::ClientResponse& answer, const jobs::Upload& upload, net::Clock::time_point until);

  boost::asio::any_io_executor executor_;
  jobs::Engine& engine_;
  store::Blobs& blobs_;
  MediaCheck& media_;
  FetchSettings settings_;
  net::Client client_;
  Slots slots_;
  net::TaskGroup work_;
  std::map<std::string, std::shared_ptr<net::TaskGroup::Member>> at_work_;  // by upload
};

}  // namespace kinora::gateway

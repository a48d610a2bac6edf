// Small requests over loopback TLS: our server against nginx, both driven by h2load in the same run.
//   net_bench [requests]      needs h2load (nghttp2-client); nginx is the peer when it is installed.
// Prints requests/s, and p50 and p99 measured by our own client, for HTTP/2 and HTTP/1.1.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "net/client.hpp"
#include "net/server.hpp"

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace kinora::net;

constexpr int kRounds = 7;

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  std::array<char, 4096> buffer{};
  for (std::size_t n; pipe && (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), n);
  if (pipe) ::pclose(pipe);
  return out;
}

bool installed(const char* program) { return !output_of(std::string("command -v ") + program).empty(); }

// h2load's "finished in 1.23s, 8123.45 req/s, ...".
std::optional<double> requests_per_second(std::uint16_t port, bool http1, int requests) {
  const std::string text = output_of("h2load -n " + std::to_string(requests) + (http1 ? " --h1 -c 16" : " -c 4 -m 16") +
                                     " https://127.0.0.1:" + std::to_string(port) + "/hello");
  const auto at = text.find("s, ");
  if (at == std::string::npos || text.find(" 0 failed") == std::string::npos) return std::nullopt;
  return std::strtod(text.c_str() + at + 3, nullptr);
}

// The server in a process of its own: numbers are those of one thread that does nothing else.
class OurServer {
 public:
  explicit OurServer(const TlsIdentity& identity) {
    int pipe[2];
    if (::pipe(pipe) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      asio::io_context loop(1);
      ServerSettings settings;
      settings.tls = identity;
      Server server(loop.get_executor(), settings, [](Request&, Response& response) -> Task<void> {
        (void)co_await response.send(200, Headers().with("content-type", "text/plain"), "hello\n");
      });
      if (!server.listen()) std::_Exit(1);
      port = server.port();
      if (::write(pipe[1], &port, sizeof port) != sizeof port) std::_Exit(1);
      asio::co_spawn(loop, server.run(), [](std::exception_ptr) {});
      loop.run();
      std::_Exit(0);
    }
    ::close(pipe[1]);
    if (::read(pipe[0], &port, sizeof port) != sizeof port) std::abort();
    ::close(pipe[0]);
  }
  ~OurServer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  OurServer(const OurServer&) = delete;
  OurServer& operator=(const OurServer&) = delete;
  std::uint16_t port = 0;

 private:
  pid_t child_ = 0;
};

// nginx with one worker that returns the same answer.
class Nginx {
 public:
  explicit Nginx(const TlsIdentity& identity) {
    std::string name = fs::temp_directory_path() / "kinora-bench-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    std::ofstream(folder_ / "cert.pem") << identity.certificate_pem;
    std::ofstream(folder_ / "key.pem") << identity.key_pem;
    asio::io_context loop;
    port = asio::ip::tcp::acceptor(loop, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
    std::ofstream(folder_ / "nginx.conf") << "worker_processes 1; daemon off; pid nginx.pid; error_log stderr crit; events {}\n"
                                          << "http { access_log off; keepalive_requests 1000000; server { listen 127.0.0.1:" << port
                                          << " ssl http2; ssl_certificate cert.pem; ssl_certificate_key key.pem;\n"
                                          << "location / { default_type text/plain; return 200 'hello\\n'; } } }\n";
    child_ = ::fork();
    if (child_ == 0) {
      ::execlp("nginx", "nginx", "-p", folder_.c_str(), "-c", "nginx.conf", nullptr);
      std::_Exit(1);
    }
    // Until it answers.
    for (int i = 0; i < 100 && !requests_per_second(port, false, 1); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ~Nginx() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
    fs::remove_all(folder_);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  std::uint16_t port = 0;

 private:
  fs::path folder_;
  pid_t child_ = 0;
};

// Time of one request after the other by our client, in microseconds.
std::pair<double, double> latency(std::uint16_t port, const std::string& pin, int requests) {
  std::vector<double> times;
  asio::io_context loop(1);
  asio::co_spawn(
      loop,
      [&]() -> Task<void> {
        Client client(loop.get_executor());
        for (int i = 0; i < requests; ++i) {
          ClientRequest request;
          request.url = "https://127.0.0.1:" + std::to_string(port) + "/hello";
          request.trust = TlsTrust::pinned(pin);
          const auto began = std::chrono::steady_clock::now();
          auto response = co_await client.send(std::move(request));
          if (!response || !co_await response->read_all(100)) std::abort();
          times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count());
        }
      },
      [](std::exception_ptr failure) {
        if (failure) std::abort();
      });
  loop.run();
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

}  // namespace

int main(int argc, char** argv) {
  const int requests = argc > 1 ? std::max(1, std::atoi(argv[1])) : 20'000;
  const TlsIdentity identity = generate_identity("127.0.0.1").value();
  const OurServer ours(identity);
  std::printf("cores %u, %d requests, one server thread\n", std::thread::hardware_concurrency(), requests);
  const auto [p50, p99] = latency(ours.port, identity.pin, std::min(requests, 5000));
  std::printf("one request after the other, our client and server, HTTP/2: p50 %.0f us, p99 %.0f us\n", p50, p99);
  if (!installed("h2load")) {
    std::printf("h2load missing: no throughput\n");
    return 1;
  }
  std::optional<Nginx> nginx;
  if (installed("nginx")) nginx.emplace(identity);
  // In turns, and the best of each: on a machine that others use too, the best is what the program can do.
  for (const bool http1 : {false, true}) {
    double mine = 0;
    double peer = 0;
    for (int round = 0; round < kRounds; ++round) {
      mine = std::max(mine, requests_per_second(ours.port, http1, requests).value_or(0));
      if (nginx) peer = std::max(peer, requests_per_second(nginx->port, http1, requests).value_or(0));
    }
    if (mine == 0) return 1;
    std::printf("%s: best of %d: %.0f requests/s", http1 ? "HTTP/1.1" : "HTTP/2", kRounds, mine);
    if (peer > 0) {
      std::printf(", nginx %.0f, ratio %.2f\n", peer, mine / peer);
    } else {
      std::printf(", peer missing (nginx)\n");
    }
  }
  return 0;
}

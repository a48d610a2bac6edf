#include "worker/runner_call.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/json.hpp"
#include "net/sse.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::worker {
namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::size_t kMaxRefusalBytes = 64 * 1024;
constexpr std::chrono::seconds kAnswerDeadline{30};  // its HTTP thread always answers at once
constexpr std::chrono::seconds kEndWait{2};          // for the reason of a broken stream

struct Call {
  Runner& runner;
  net::Client& client;
  const ProgressReport& report;
  net::Clock::time_point moved = net::Clock::now();  // when it last said something new; it repeats itself while it works
  std::string last_said{};

  net::Task<Outcome<tasks::TaskResult>> talk(net::ClientRequest request);
};

// A refusal carries the failure that a stream would have carried.
tasks::TaskFailure refusal(int status, const base::Result<std::string>& body) {
  if (body) {
    auto event = tasks::parse_event(*body);
    if (event && *event) {
      if (auto* failure = std::get_if<tasks::TaskFailure>(&**event)) return std::move(*failure);
    }
  }
  return tasks::failure("worker_error", "kinora-runner answered " + std::to_string(status));
}

net::Task<Outcome<tasks::TaskResult>> Call::talk(net::ClientRequest request) {
  const unsigned generation = runner.generation();
  auto answer = co_await client.send(std::move(request));
  std::string broken = "the connection to kinora-runner was lost";
  if (answer && answer->status() != 200) {
    const auto body = co_await answer->read_all(kMaxRefusalBytes);
    co_return failed(refusal(answer->status(), body));
  }
  if (answer) {
    net::SseParser parser(tasks::kMaxEventBytes);
    for (;;) {
      auto piece = co_await answer->read();
      if (!piece || piece->empty()) break;
      const auto events = parser.feed(*piece);
      if (!events) co_return failed("worker_error", "kinora-runner sent too much at once");
      for (const net::SseEvent& sse : *events) {
        if (sse.data == "[DONE]") continue;
        if (sse.data != last_said) {
          last_said = sse.data;
          moved = net::Clock::now();
        }
        auto event = tasks::parse_event(sse.data);
        if (!event) co_return failed("worker_error", "kinora-runner sent no proper event: " + event.error().message);
        if (!*event) continue;
        if (auto* progress = std::get_if<tasks::Progress>(&**event)) report(*progress);
        if (auto* result = std::get_if<tasks::TaskResult>(&**event)) co_return std::move(*result);
        if (auto* failure = std::get_if<tasks::TaskFailure>(&**event)) co_return failed(std::move(*failure));
      }
    }
  }
  co_await runner.wait_for_end(generation, kEndWait);
  if (!runner.detail().empty()) broken = runner.detail();
  co_return failed("worker_error", broken);
}

net::Task<void> hang(const Call& call, std::chrono::milliseconds silence) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (net::Clock::now() < call.moved + silence) {
    timer.expires_at(call.moved + silence);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

boost::json::object runner_request(const tasks::TaskOrder& order, const LocalInputs& inputs, const std::filesystem::path& output_dir) {
  const tasks::TaskSpec* spec = tasks::find_task(order.task);
  boost::json::object files;
  for (const auto& [slot, path] : inputs) {
    const auto* input = spec ? spec->find_input(slot) : nullptr;
    if (input && input->many) {
      if (!files.contains(slot)) files[slot] = boost::json::array();
      files[slot].get_array().emplace_back(path.string());
    } else {
      files[slot] = path.string();
    }
  }
  boost::json::object body{
      {"attempt", order.attempt}, {"params", order.params}, {"inputs", std::move(files)}, {"output_dir", output_dir.string()}};
  body["model"] = order.model ? boost::json::value(*order.model) : boost::json::value(nullptr);
  return body;
}

net::Task<Outcome<tasks::TaskResult>> call_runner(Runner& runner, net::Client& client, const tasks::TaskOrder& order,
                                                  const LocalInputs& inputs, std::filesystem::path output_dir,
                                                  std::chrono::milliseconds silence, ProgressReport report) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = runner.url() + "/tasks/" + order.task;
  request.headers = {{"content-type", "application/json"}, {"accept", "text/event-stream"}};
  request.body = boost::json::serialize(runner_request(order, inputs, output_dir));
  request.deadline = kAnswerDeadline;
  request.idle = silence * 2;  // silence is watched here, by events
  Call call{runner, client, report};
  struct Ended {
    Runner& runner;
    ~Ended() { runner.models_may_differ(); }
  };
  const Ended ended{runner};
  auto first = co_await (call.talk(std::move(request)) || hang(call, silence));
  if (first.index() == 0) co_return std::move(std::get<0>(first));
  const std::string why = "kinora-runner made no progress and was restarted";
  runner.restart(why);
  co_return failed("worker_error", why);
}

}  // namespace kinora::worker

#pragma once
// What the engine needs from whoever carries tasks to workers (the gateway, over room market) and from whoever judges results.
//
// Threading: all calls come from the engine's executor, and answers are expected there.
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "tasks/event.hpp"
#include "tasks/order.hpp"

namespace kinora::jobs {

template <class T>
using Task = boost::asio::awaitable<T>;

// One attempt at one task of a job.
struct AttemptRequest {
  std::string job;  // job_..., for logs
  std::string project;
  // order.inputs name their blob by `sha256` and have an empty `url`: the executor signs URLs, and fills in `upload` and `tls_pin`.
  tasks::TaskOrder order;
  std::vector<std::string> avoid_nodes;    // failed this task before; used only when there is no other
  std::optional<std::string> prefer_node;  // worked on this very attempt before a restart: ask it first, it may still have it
};

struct AttemptObserver {
  std::function<void(std::string_view node)> on_node;           // the node that got the order, before its first event
  std::function<void(const tasks::TaskEvent& event)> on_event;  // Accepted, Progress; TaskFailure: the node has gone silent
};

namespace outcome {
struct Succeeded {
  tasks::TaskResult result;
  std::string node;
};
struct Failed {  // the worker said so
  tasks::TaskFailure failure;
  std::string node;
};
struct Refused {  // nobody took it; it never ran. Not counted as an attempt
  std::chrono::milliseconds retry_after{500};
  std::string reason;  // "no capacity", "no node offers video-upscale:x"
};
struct Lost {  // a node took it and went silent, or the connection broke
  std::string node;
  std::string reason;
};
}  // namespace outcome
using AttemptOutcome = std::variant<outcome::Succeeded, outcome::Failed, outcome::Refused, outcome::Lost>;

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs one attempt to its end. The engine cancels the coroutine (asio cancellation, terminal) when the job is canceled or expires:
  // close the stream to the worker and return or throw operation_aborted within a second.
  virtual Task<AttemptOutcome> run(AttemptRequest request, AttemptObserver observer) = 0;
  // How many more attempts could start now, those that run already counted out. The engine asks before each start;
  // an empty model means any. Call Engine::wake() when it may have grown.
  virtual unsigned free_slots(std::string_view task, std::string_view model) const = 0;
};

// A file that a worker delivered for an attempt.
struct DeliveredFile {
  std::string slot;
  std::string name;
  std::string mime;
  std::string sha256;  // of the bytes that arrived
  std::int64_t bytes = 0;
};

// How much of a result is judged beyond its hashes (developer-api 5.3.1 "verification"): perceptual compares it with its source as well.
enum class Strictness { structural, perceptual };

class Verifier {
 public:
  virtual ~Verifier() = default;
  // Called after declared and arrived sha256 and bytes have been found equal. An error makes the attempt fail with
  // `verification_failed` and run again elsewhere. May be cancelled.
  virtual Task<base::Status> verify(const tasks::TaskOrder& order, const tasks::TaskResult& result, const std::vector<DeliveredFile>& files,
                                    Strictness strictness) = 0;
  // Of results of one order that have verified. Are they equal to the eye and the ear? For a quorum.
  virtual Task<base::Result<bool>> same(const tasks::TaskOrder& order, const tasks::TaskResult& a, const tasks::TaskResult& b) = 0;
  // How good is this one, against the others of the same order? Higher is better.
  virtual Task<base::Result<double>> score(const tasks::TaskOrder& order, const tasks::TaskResult& result) = 0;
};

}  // namespace kinora::jobs

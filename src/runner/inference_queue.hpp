#pragma once
// The queue in front of the one inference thread: one task runs, at most kQueueDepth wait. Any thread may submit; reports come from
// the inference thread. Destroying the queue stops the running task (its frame in work is finished) and joins the thread.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "runner/model_store.hpp"
#include "runner/reporter.hpp"
#include "runner/settings.hpp"
#include "runner/task_request.hpp"

namespace kinora::runner {

class InferenceQueue {
 public:
  // Receives progress and, last, one TaskResult or TaskFailure.
  using Report = runner::Report;
  // A submitted task; stop() ends it within a second, whether it runs or waits. It reports its end all the same.
  class Ticket {
   public:
    void stop() { source_.request_stop(); }

   private:
    friend class InferenceQueue;
    TaskRequest request_;
    Report report_;
    std::stop_source source_;
  };

  InferenceQueue(const RunnerSettings& settings, ModelStore& models);
  ~InferenceQueue();
  InferenceQueue(const InferenceQueue&) = delete;
  InferenceQueue& operator=(const InferenceQueue&) = delete;

  // nullptr: the queue is full.
  std::shared_ptr<Ticket> submit(TaskRequest request, Report report);
  // Tasks that run or wait.
  std::size_t load() const;
  // The device failed for good: the process should be restarted.
  bool device_lost() const { return device_lost_; }

 private:
  void serve(const std::stop_token& stop);

  const RunnerSettings& settings_;
  ModelStore& models_;
  mutable std::mutex mutex_;
  std::condition_variable_any more_;
  std::deque<std::shared_ptr<Ticket>> waiting_;
  std::shared_ptr<Ticket> running_;
  std::atomic<bool> device_lost_ = false;
  std::jthread thread_;
};

// Stops the task when its caller goes away, however that happens.
class StopAtEnd {
 public:
  explicit StopAtEnd(std::shared_ptr<InferenceQueue::Ticket> ticket) : ticket_(std::move(ticket)) {}
  ~StopAtEnd() { ticket_->stop(); }
  StopAtEnd(const StopAtEnd&) = delete;
  StopAtEnd& operator=(const StopAtEnd&) = delete;

 private:
  std::shared_ptr<InferenceQueue::Ticket> ticket_;
};

}  // namespace kinora::runner

#include "runner/inference_queue.hpp"

#include <utility>

#include "base/log.hpp"
#include "nn/device.hpp"
#include "runner/execute.hpp"

namespace kinora::runner {

InferenceQueue::InferenceQueue(const RunnerSettings& settings, ModelStore& models)
    : settings_(settings), models_(models), thread_([this](const std::stop_token& stop) { serve(stop); }) {}

InferenceQueue::~InferenceQueue() {
  thread_.request_stop();
  const std::lock_guard lock(mutex_);
  for (const auto& ticket : waiting_) ticket->stop();
  if (running_) running_->stop();
}

std::shared_ptr<InferenceQueue::Ticket> InferenceQueue::submit(TaskRequest request, Report report) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + (running_ ? 1 : 0) > kQueueDepth) return nullptr;
  auto ticket = std::make_shared<Ticket>();
  ticket->request_ = std::move(request);
  ticket->report_ = std::move(report);
  waiting_.push_back(ticket);
  more_.notify_one();
  return ticket;
}

std::size_t InferenceQueue::load() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + (running_ ? 1 : 0);
}

void InferenceQueue::serve(const std::stop_token& stop) {
  nn::set_threads(settings_.threads);  // LibTorch keeps the number for each thread that computes
  for (;;) {
    std::shared_ptr<Ticket> ticket;
    {
      std::unique_lock lock(mutex_);
      if (!more_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      ticket = waiting_.front();
      waiting_.pop_front();
      running_ = ticket;
    }
    const auto cancel = ticket->source_.get_token();
    tasks::TaskEvent outcome = tasks::failure("canceled", "canceled");
    bool lost = false;
    if (!cancel.stop_requested()) outcome = execute(ticket->request_, models_, settings_, cancel, ticket->report_, &lost);
    if (lost) device_lost_ = true;
    if (const auto* failure = std::get_if<tasks::TaskFailure>(&outcome))
      base::log::warn("runner", "task failed",
                      {{"attempt", ticket->request_.attempt}, {"code", failure->code}, {"detail", failure->detail}});
    {
      const std::lock_guard lock(mutex_);
      running_.reset();
    }
    ticket->report_(std::move(outcome));
  }
}

}  // namespace kinora::runner

#pragma once
// Reads the event log for those who follow it. Thousands may wait for the same event: whoever comes first reads it from the store, the
// others that ask meanwhile share the answer and its text.
//
// Threading: one executor. The reader outlives its reads.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/call.hpp"
#include "jobs/engine.hpp"
#include "jobs/links.hpp"
#include "net/sync.hpp"

namespace kinora::gateway {

struct EventBatch {
  std::vector<jobs::Event> events;
  std::vector<std::string> texts;   // their envelopes, with URLs signed just now
  std::vector<std::string> frames;  // the same as server-sent events
  bool full = false;                // more may follow at once: who reads it is behind
  const std::string& text(const jobs::Event* event) const { return texts[index_of(event)]; }
  const std::string& frame(const jobs::Event* event) const { return frames[index_of(event)]; }
  std::size_t index_of(const jobs::Event* event) const { return static_cast<std::size_t>(event - events.data()); }
};
using SharedEventBatch = std::shared_ptr<const EventBatch>;

class EventReader {
 public:
  static constexpr int kBatch = 200;
  EventReader(boost::asio::any_io_executor executor, jobs::Engine& engine, const jobs::Links& links)
      : executor_(std::move(executor)), engine_(engine), links_(links) {}
  // What follows the offset: of one subject, or ("") of the whole project. At most kBatch.
  Task<tl::expected<SharedEventBatch, Problem>> read(std::string project, std::string subject, std::int64_t after);

 private:
  struct Flight;
  boost::asio::any_io_executor executor_;
  jobs::Engine& engine_;
  const jobs::Links& links_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace kinora::gateway

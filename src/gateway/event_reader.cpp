#include "gateway/event_reader.hpp"

#include "net/sse.hpp"

namespace kinora::gateway {

struct EventReader::Flight {
  explicit Flight(const boost::asio::any_io_executor& executor) : landed(executor) {}
  net::Signal landed;
  bool over = false;
  std::optional<tl::expected<SharedEventBatch, Problem>> result;  // none when the one who read was cancelled
};

Task<tl::expected<SharedEventBatch, Problem>> EventReader::read(std::string project, std::string subject, std::int64_t after) {
  const std::string key = project + "\n" + subject + "\n" + std::to_string(after);
  for (;;) {
    const auto found = flights_.find(key);
    if (found == flights_.end()) break;
    const auto flight = found->second;
    while (!flight->over) co_await flight->landed.wait();
    if (flight->result) co_return *flight->result;
  }
  const auto flight = std::make_shared<Flight>(executor_);
  flights_.emplace(key, flight);
  struct Landing {
    ~Landing() {
      flight.over = true;
      reader.flights_.erase(key);
      flight.landed.notify();
    }
    EventReader& reader;
    const std::string& key;
    Flight& flight;
  } const landing{*this, key, *flight};
  jobs::EventQuery query;
  query.project = std::move(project);
  if (!subject.empty()) query.subject = std::move(subject);
  query.after = after;
  query.limit = kBatch;
  auto events = co_await engine_.events(std::move(query));
  if (!events) {
    flight->result = tl::unexpected(std::move(events).error());
  } else {
    auto batch = std::make_shared<EventBatch>();
    batch->events = std::move(*events);
    batch->full = static_cast<int>(batch->events.size()) == kBatch;
    for (const jobs::Event& event : batch->events) {
      json::value envelope = jobs::to_json(event);
      jobs::add_urls(envelope, links_);
      batch->texts.push_back(json::serialize(envelope));
      batch->frames.push_back(net::format_sse({event.type, batch->texts.back(), std::to_string(event.offset)}));
    }
    flight->result = SharedEventBatch(std::move(batch));
  }
  co_return *flight->result;
}

}  // namespace kinora::gateway

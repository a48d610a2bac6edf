// GET /v1/ws: events of many subjects over one WebSocket (developer-api 5.7), from the event log as everywhere.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "gateway/event_following.hpp"
#include "gateway/websocket_message.hpp"
#include "net/websocket.hpp"

namespace kinora::gateway {
namespace {

namespace asio = boost::asio;

// One connection: its subscriptions are coroutines of its group, each following one topic.
class Session {
 public:
  Session(const Services& services, Caller caller, net::WebSocket& socket)
      : services_(services), caller_(std::move(caller)), socket_(socket), followers_(services.executor) {}

  Task<void> run() {
    using namespace asio::experimental::awaitable_operators;
    std::exception_ptr failure;
    try {
      co_await (serve() || socket_.keep_alive());
    } catch (...) {
      failure = std::current_exception();
    }
    // The followers refer to this object.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    followers_.cancel();
    co_await followers_.wait();
    // Two waits that were cancelled together end with one exception for both.
    if (failure && net::is_cancellation(failure)) throw boost::system::system_error(asio::error::operation_aborted);
    if (failure) std::rethrow_exception(failure);
  }

 private:
  struct Subscription {
    std::vector<std::shared_ptr<net::TaskGroup::Member>> followers;
    std::size_t topics = 0;
  };

  Task<void> serve() {
    while (const auto message = co_await socket_.read()) {
      if (message->kind != net::WsKind::text) {
        co_await socket_.close(net::WsClose::unsupported_data, "this service takes text");
        co_return;
      }
      auto request = parse_ws_request(message->data);
      std::string answer;
      if (!request)
        answer = ws_error(request.error().id, request.error().problem);
      else if (const auto* ping = std::get_if<ws::Ping>(&*request))
        answer = ws_ack(ping->id);
      else if (const auto* unsub = std::get_if<ws::Unsubscribe>(&*request))
        answer = unsubscribe(unsub->id);
      else
        answer = co_await subscribe(std::get<ws::Subscribe>(std::move(*request)));
      if (!answer.empty() && !co_await socket_.send_text(std::move(answer))) co_return;
    }
  }

  std::string error(const std::string& id, std::string_view code, std::string detail) {
    return ws_error(id, refuse(code, std::move(detail)).value());
  }

  std::string unsubscribe(const std::string& id) {
    const auto found = subscriptions_.find(id);
    if (found == subscriptions_.end()) return error(id, "not_found", "there is no subscription of that id");
    for (const auto& follower : found->second.followers) follower->cancel();
    topics_ -= found->second.topics;
    subscriptions_.erase(found);
    return ws_ack(id);
  }

  // Its acknowledgement is sent here, before its first event.
  Task<std::string> subscribe(ws::Subscribe wanted) {
    if (subscriptions_.contains(wanted.id)) co_return error(wanted.id, "invalid_field", "that subscription is there already");
    if (topics_ + wanted.topics.size() > kMaxTopics)
      co_return error(wanted.id, "rate_limited", "a connection follows at most " + std::to_string(kMaxTopics) + " topics");
    const auto newest = co_await services_.engine.newest_event_offset();
    if (!newest) co_return ws_error(wanted.id, newest.error());
    StreamQuery from;
    from.after = wanted.after;
    if (auto kept = co_await check_offset(services_, from, *newest); !kept) co_return ws_error(wanted.id, kept.error());
    std::vector<SubjectView> views;
    for (const ws::Topic& topic : wanted.topics) {
      if (topic.subject.empty()) {
        views.emplace_back();
        continue;
      }
      auto view = co_await view_subject(services_, caller_.project, topic.subject);
      if (!view) co_return ws_error(wanted.id, view.error());
      views.push_back(std::move(*view));
    }
    const std::int64_t offset = wanted.after.value_or(*newest);
    if (!co_await socket_.send_text(ws_ack(wanted.id, offset))) co_return "";
    Subscription& subscription = subscriptions_[wanted.id];
    subscription.topics = wanted.topics.size();
    topics_ += wanted.topics.size();
    for (std::size_t i = 0; i < wanted.topics.size(); ++i) {
      if (!wanted.after && !wanted.topics[i].subject.empty()) {
        const json::object snapshot{{"type", "snapshot"}, {"subject", wanted.topics[i].subject}, {"data", std::move(views[i].snapshot)}};
        if (!co_await socket_.send_text(ws_event(wanted.id, offset, json::serialize(snapshot)))) co_return "";
      }
      subscription.followers.push_back(followers_.spawn(follow(wanted.id, wanted.topics[i], offset, views[i].ended)));
    }
    co_return "";
  }

  Task<void> follow(std::string sub, ws::Topic topic, std::int64_t offset, bool over) {
    for (;;) {
      const auto batch = co_await services_.event_reader.read(caller_.project, topic.subject, offset);
      if (!batch) {
        co_await socket_.close(net::WsClose::internal, "the event log cannot be read; resume later");
        co_return;
      }
      const auto& events = (*batch)->events;
      for (const auto* event : thin(events, StreamQuery{}, (*batch)->full))
        if (!co_await socket_.send_text(ws_event(sub, event->offset, (*batch)->text(event))) || !co_await send_preview(*event)) co_return;
      if (!events.empty()) offset = events.back().offset;
      over = over_after(events, over);
      if ((*batch)->full) continue;
      if (!topic.subject.empty() && over) {
        (void)co_await socket_.send_text(ws_end(sub, topic.name));
        co_return;
      }
      (void)co_await services_.engine.feed().wait(topic.subject, offset, std::chrono::hours(1));
    }
  }

  // The picture of a job.preview, after its event; false: the connection is gone. One that is no longer kept is left out.
  Task<bool> send_preview(const jobs::Event& event) {
    if (event.type != "job.preview") co_return true;
    const auto file = co_await services_.engine.artifact_file(std::string(event.data.at("artifact").as_string()), "");
    if (!file) co_return true;
    auto reader = co_await services_.blobs.open_blob(file->sha256);
    if (!reader) co_return true;
    const auto bytes = co_await reader->read(0, static_cast<std::size_t>(reader->bytes()));
    if (!bytes) co_return true;
    co_return (co_await socket_.send_binary(ws_preview(event.subject, event.data, *bytes))).has_value();
  }

  const Services& services_;
  Caller caller_;
  net::WebSocket& socket_;
  std::map<std::string, Subscription> subscriptions_;
  std::size_t topics_ = 0;
  net::TaskGroup followers_;
};

Task<Answer> open(Call& call, const Services& services) {
  const auto socket = co_await net::WebSocket::accept(call.request, call.response, call.with_conventions({}), {});
  if (socket) {
    Session session(services, call.caller, *socket);
    co_await session.run();
  }
  co_return Reply::sent();
}

}  // namespace

void add_websocket_routes(Surface& surface, SharedServices services) {
  surface.add("GET", "/v1/ws", "jobs:read", [services](Call& call) { return open(call, *services); });
}

}  // namespace kinora::gateway

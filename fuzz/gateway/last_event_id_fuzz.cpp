// Last-Event-ID, the query of an event stream, traceparent and the key of a request.
#include "gateway/event_stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = std::min(text.find('\n'), text.size());
  net::Request request;
  request.query = text.substr(0, cut);
  request.headers.set("last-event-id", std::string(text.substr(std::min(cut + 1, text.size()))));
  request.headers.set("authorization", std::string(text));
  if (const auto query = gateway::read_stream_query(request)) (void)gateway::wanted(*query, "job.progress");
  (void)gateway::parse_traceparent(text);
  if (const auto key = gateway::key_of(request.headers)) (void)gateway::parse_key(*key);
  return 0;
}

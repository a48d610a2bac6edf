#pragma once
// Answers a request with the events of one subject as server-sent events (developer-api 5.7).
#include "gateway/event_stream.hpp"
#include "gateway/event_subject.hpp"

namespace kinora::gateway {

// A snapshot unless resuming, then its events, at its end `end`. 204 when the end was seen before, 410 events_gone.
Task<Answer> subject_events(Call& call, const Services& services, std::string subject);

// The pieces, for streams of other kinds. False: the peer has gone.
Task<bool> start_stream(Call& call);
// May the stream be resumed there? Problems: events_gone, invalid_field (an offset that is not there yet).
Task<tl::expected<void, Problem>> check_offset(const Services& services, const StreamQuery& query, std::int64_t newest);

}  // namespace kinora::gateway

#include "gateway/event_stream.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

net::Request request(std::string query, std::optional<std::string> last_id = std::nullopt) {
  net::Request out;
  out.query = std::move(query);
  if (last_id) out.headers.set("last-event-id", *last_id);
  return out;
}

jobs::Event event(std::int64_t offset, std::string type) {
  jobs::Event out;
  out.offset = offset;
  out.seq = offset;
  out.type = std::move(type);
  return out;
}

TEST(StreamQuery, takes_the_place_to_resume_from_header_or_query) {
  EXPECT_EQ(read_stream_query(request(""))->after, std::nullopt);
  EXPECT_EQ(read_stream_query(request("after=7"))->after, 7);
  EXPECT_EQ(read_stream_query(request("after=7", "9"))->after, 9);
  EXPECT_EQ(read_stream_query(request("", ""))->after, std::nullopt);
}

TEST(StreamQuery, refuses_what_is_no_offset) {
  for (const std::string bad : {"x", "-1", "+1", " 1", "1 ", "1x", "9223372036854775808", "0x10"})
    EXPECT_FALSE(read_stream_query(request("", bad))) << bad;
  EXPECT_FALSE(read_stream_query(request("after=-1")));
  EXPECT_FALSE(read_stream_query(request("progress=2")));
  EXPECT_EQ(parse_offset("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
}

TEST(StreamQuery, names_the_parameter_that_was_meant) {
  const auto query = read_stream_query(request("type=job.*"));
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().code, "unknown_field");
  EXPECT_EQ(query.error().errors.at(0).pointer, "?type");
  EXPECT_NE(query.error().errors.at(0).detail.find("types"), std::string::npos);
}

TEST(StreamQuery, holds_at_most_32_patterns) {
  std::string types = "types=a";
  for (std::size_t i = 1; i < kMaxTypePatterns; ++i) types += ",a";
  EXPECT_TRUE(read_stream_query(request(types)));
  EXPECT_FALSE(read_stream_query(request(types + ",a")));
}

TEST(Stream, keeps_the_last_of_progress_events_in_a_row_and_every_change_of_state_for_who_is_behind) {
  const std::vector<jobs::Event> batch{event(1, "job.created"),  event(2, "job.progress"), event(3, "job.progress"),
                                       event(4, "job.retrying"), event(5, "job.retrying"), event(6, "job.progress"),
                                       event(7, "job.succeeded")};
  std::vector<std::int64_t> offsets;
  for (const auto* kept : thin(batch, {}, true)) offsets.push_back(kept->offset);
  EXPECT_EQ(offsets, (std::vector<std::int64_t>{1, 3, 4, 5, 6, 7}));
  EXPECT_EQ(thin(batch, {}, false).size(), 7u) << "who keeps up gets every event";
}
TEST(Stream, of_a_run_that_was_retried_goes_on_also_across_batches) {
  EXPECT_TRUE(over_after({event(1, "run.started"), event(2, "run.failed")}, false));
  EXPECT_FALSE(over_after({event(2, "run.failed"), event(3, "run.retried"), event(4, "step.ready")}, false));
  EXPECT_FALSE(over_after({event(3, "run.retried")}, true));
  EXPECT_TRUE(over_after({}, true));
  EXPECT_TRUE(over_after({event(3, "run.retried"), event(4, "run.succeeded")}, true));
}

TEST(Stream, filters_by_pattern_and_progress) {
  const std::vector<jobs::Event> batch{event(1, "job.created"), event(2, "job.progress"), event(3, "job.succeeded")};
  StreamQuery query;
  query.progress = false;
  EXPECT_EQ(thin(batch, query, false).size(), 2u);
  query = {};
  query.types = {"job.succeeded", "step.*"};
  ASSERT_EQ(thin(batch, query, false).size(), 1u);
  EXPECT_EQ(thin(batch, query, false)[0]->offset, 3);
}

TEST(Stream, ends_with_a_terminal_event) {
  for (const auto* type : {"job.succeeded", "job.failed", "job.canceled", "job.expired"}) EXPECT_TRUE(ends_subject(type));
  for (const auto* type : {"job.progress", "job.verifying", "artifact.created", ""}) EXPECT_FALSE(ends_subject(type));
}

}  // namespace
}  // namespace kinora::gateway

#include "jobs/redundancy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace kinora::jobs {
namespace {

using Kind = Choice::Kind;
using State = Replica::State;

const Replica kOpen{}, kFailed{State::failed, {}, {}};
Replica valid(std::optional<int> group = std::nullopt, std::optional<double> score = std::nullopt) { return {State::valid, group, score}; }

Choice chosen(RedundancyMode mode, const std::vector<Replica>& replicas) {
  return choose({static_cast<int>(replicas.size()), mode}, replicas);
}

TEST(Redundancy, is_read_from_requirements) {
  const auto read = [](const char* text) { return redundancy_of(json::parse(text).as_object()); };
  EXPECT_EQ(read("{}").replicas, 1);
  EXPECT_EQ(read(R"({"redundancy":{"replicas":3,"mode":"quorum"}})").replicas, 3);
  EXPECT_EQ(read(R"({"redundancy":{"replicas":3,"mode":"quorum"}})").mode, RedundancyMode::quorum);
  EXPECT_EQ(read(R"({"redundancy":{"replicas":2}})").mode, RedundancyMode::first_valid);
}

TEST(Redundancy, asks_for_more_than_half_as_a_quorum) {
  // ceil((n + 1) / 2)
  for (const auto& [replicas, majority] : {std::pair{1, 1}, {2, 2}, {3, 2}, {4, 3}, {5, 3}})
    EXPECT_EQ((Redundancy{replicas, RedundancyMode::quorum}.majority()), majority) << replicas;
}

TEST(FirstValid, wins_with_the_first_and_gives_up_with_the_last) {
  EXPECT_EQ(chosen(RedundancyMode::first_valid, {kOpen, kOpen}).kind, Kind::wait);
  EXPECT_EQ(chosen(RedundancyMode::first_valid, {kFailed, kOpen}).kind, Kind::wait);
  const Choice won = chosen(RedundancyMode::first_valid, {kOpen, valid(), kOpen});
  EXPECT_EQ(won.kind, Kind::won);
  EXPECT_EQ(won.winner, 1u);
  EXPECT_EQ(chosen(RedundancyMode::first_valid, {kFailed, kFailed}).kind, Kind::hopeless);
}

TEST(Quorum, waits_for_a_majority_of_equals_and_stops_when_none_can_come) {
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), kOpen, kOpen}).kind, Kind::wait);
  const Choice won = chosen(RedundancyMode::quorum, {valid(0), valid(1), valid(1)});
  EXPECT_EQ(won.kind, Kind::won);
  EXPECT_EQ(won.winner, 1u);
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), valid(1), kOpen}).kind, Kind::wait);
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), valid(1), kFailed}).kind, Kind::hopeless);
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), kFailed, kFailed}).kind, Kind::hopeless);
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), valid(), kFailed}).kind, Kind::wait);  // not compared yet
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), valid(1), valid(2), kOpen, kOpen}).kind, Kind::wait);
  EXPECT_EQ(chosen(RedundancyMode::quorum, {valid(0), valid(1), valid(2), valid(3), kOpen}).kind, Kind::hopeless);
}

TEST(BestScore, waits_for_all_and_takes_the_highest) {
  EXPECT_EQ(chosen(RedundancyMode::best_score, {valid({}, 0.9), kOpen}).kind, Kind::wait);
  EXPECT_EQ(chosen(RedundancyMode::best_score, {valid({}, 0.9), valid({}, 0.95), kFailed}).winner, 1u);
  EXPECT_EQ(chosen(RedundancyMode::best_score, {valid(), valid({}, 0.1)}).winner, 1u);
  EXPECT_EQ(chosen(RedundancyMode::best_score, {kFailed, valid()}).winner, 1u);
  EXPECT_EQ(chosen(RedundancyMode::best_score, {kFailed, kFailed}).kind, Kind::hopeless);
}

}  // namespace
}  // namespace kinora::jobs

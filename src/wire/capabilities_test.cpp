// Vectors of the protocol notes, section 11.1 (reference tests of go-livepeer), and rules of section 9.
#include "wire/capabilities.hpp"

#include <gtest/gtest.h>

#include "wire/version.hpp"

namespace kinora::wire {
namespace {

BitString bits_of(const pb::Capabilities& message) { return {message.bitstring().begin(), message.bitstring().end()}; }

pb::Capabilities with_bits(std::initializer_list<int> numbers) {
  pb::Capabilities message;
  for (const auto word : make_bits(numbers)) message.add_bitstring(word);
  return message;
}

pb::Capabilities with_counts(const std::map<std::uint32_t, std::uint32_t>& counts) {
  pb::Capabilities message;
  for (const auto& [number, count] : counts) (*message.mutable_capacities())[number] = count;
  return message;
}

auto& model(pb::Capabilities& message, std::uint32_t capability, const std::string& name) {
  return (*(*message.mutable_constraints()->mutable_percapability())[capability].mutable_models())[name];
}

TEST(CapabilityBits, follow_the_reference_vectors) {
  EXPECT_EQ(make_bits({-10, -1, 0, 1, 2, 3, 4, 5}), (BitString{63}));
  EXPECT_EQ(make_bits({193, 192}), (BitString{0, 0, 0, 3}));
  EXPECT_EQ(make_bits({193, 54, 192, 79}), (BitString{1ull << 54, 1ull << 15, 0, 3}));
}

TEST(CapabilityBits, sets_have_the_words_of_the_protocol) {
  EXPECT_EQ(legacy_capabilities(), (BitString{4095}));
  EXPECT_EQ(default_capabilities(), (BitString{67133439}));
}

TEST(CapabilityBits, subset_needs_every_bit_and_not_more_words) {
  EXPECT_TRUE(is_subset(make_bits({0, 1, 2, 3}), BitString{15}));
  EXPECT_FALSE(is_subset(make_bits({0, 4}), BitString{15}));
  EXPECT_FALSE(is_subset(BitString{1, 0}, BitString{15}));
  EXPECT_TRUE(is_subset(BitString{}, BitString{}));
}

TEST(CapabilityBits, a_bit_outside_is_not_set) {
  EXPECT_FALSE(has_bit(BitString{~0ull}, 64));
  EXPECT_FALSE(has_bit(BitString{~0ull}, -1));
  EXPECT_TRUE(has_bit(BitString{0, 2}, 65));
}

TEST(CapabilityNames, pipelines_map_by_the_naming_rule) {
  EXPECT_EQ(capability_of_pipeline("segment-anything-2"), Capability::segment_anything_2);
  EXPECT_EQ(capability_of_pipeline("llm"), Capability::llm);
  EXPECT_EQ(capability_of_pipeline("text-to-image"), Capability::text_to_image);
  EXPECT_EQ(capability_of_pipeline("no-such-pipeline"), std::nullopt);
  EXPECT_EQ(capability_of_pipeline(""), std::nullopt);
  EXPECT_EQ(name(Capability::byoc), "byoc");
  EXPECT_EQ(name(static_cast<Capability>(13)), "");
  EXPECT_EQ(name(Capability::unused), "");
}

TEST(Capacities, are_added_and_removed_as_in_the_reference) {
  auto node = with_bits({128, 2, 3});
  const auto worker = with_counts({{2, 2}, {3, 1}, {5, 2}});
  add_capacities(node, worker);
  EXPECT_EQ(node.capacities().at(2), 3u);
  EXPECT_EQ(node.capacities().at(5), 2u);
  EXPECT_TRUE(has_bit(bits_of(node), 5));
  remove_capacities(node, worker);
  EXPECT_FALSE(has_bit(bits_of(node), 5));
  remove_capacities(node, worker);
  EXPECT_EQ(bits_of(node), (BitString{0, 0, 1}));
  EXPECT_EQ(node.capacities().size(), 1u);
}

TEST(Versions, follow_the_reference_vectors) {
  EXPECT_TRUE(version_satisfies("0.4.1", "0.4.1"));
  EXPECT_FALSE(version_satisfies("0.4.2", "0.4.1"));
  EXPECT_TRUE(version_satisfies("0.4.1", "0.4.1-b3278dce-dirty"));
  EXPECT_TRUE(version_satisfies("", ""));
  EXPECT_FALSE(version_satisfies("0.4.1", ""));
  EXPECT_FALSE(version_satisfies("0.4.1", "undefined"));
  EXPECT_TRUE(version_satisfies("nonsense", "0.4.1"));
  EXPECT_FALSE(version_satisfies("0.4.1", "nonsense"));
  EXPECT_FALSE(version_satisfies("0.4.1", "1.2.3.4"));
  EXPECT_TRUE(version_satisfies("0.4.1", "0.10"));
}

struct Compatibility : testing::Test {
  pb::Capabilities job = with_bits({0, 1, 27});
  pb::Capabilities offer = with_bits({0, 1, 2, 27});
  Compatibility() { offer.set_version("0.9.1"); }
};

TEST_F(Compatibility, holds_when_all_bits_are_there) { EXPECT_TRUE(check_compatible(job, offer)); }

TEST_F(Compatibility, fails_for_a_missing_bit) {
  job = with_bits({0, 35});
  EXPECT_FALSE(check_compatible(job, offer));
}

TEST_F(Compatibility, fails_for_a_mandatory_capability_that_the_job_does_not_know) {
  offer.add_mandatories(4);
  EXPECT_FALSE(check_compatible(job, offer));
}

TEST_F(Compatibility, fails_for_an_old_version) {
  job.mutable_constraints()->set_minversion("0.10.0");
  EXPECT_FALSE(check_compatible(job, offer));
}

TEST_F(Compatibility, needs_the_model_only_where_the_node_names_models) {
  model(job, 27, "sdxl");
  EXPECT_TRUE(check_compatible(job, offer));
  model(offer, 27, "other");
  EXPECT_FALSE(check_compatible(job, offer));
  model(offer, 27, "sdxl");
  EXPECT_TRUE(check_compatible(job, offer));
}

TEST_F(Compatibility, needs_a_warm_model_when_warm_is_asked_for) {
  model(job, 27, "sdxl").set_warm(true);
  model(offer, 27, "sdxl");
  EXPECT_FALSE(check_compatible(job, offer));
  model(offer, 27, "sdxl").set_warm(true);
  EXPECT_TRUE(check_compatible(job, offer));
}

TEST_F(Compatibility, needs_a_runner_that_is_new_enough) {
  model(job, 27, "sdxl").set_runnerversion("0.14.1");
  model(offer, 27, "sdxl").set_runnerversion("0.14.0");
  EXPECT_FALSE(check_compatible(job, offer));
  model(offer, 27, "sdxl").set_runnerversion("0.14.1");
  EXPECT_TRUE(check_compatible(job, offer));
}

TEST(ByocCapabilities, ask_for_bit_37_with_capacity_and_name) {
  const auto asked = capabilities_for_byoc("video-upscale");
  EXPECT_EQ(bits_of(asked), (BitString{(1ull << 37) | (1ull << 12)}));
  EXPECT_EQ(asked.capacities().at(37), 1u);
  EXPECT_TRUE(asked.constraints().percapability().at(37).models().contains("video-upscale"));
}

TEST(CapabilityLimits, refuse_messages_past_them) {
  pb::Capabilities message;
  for (std::size_t i = 0; i < kMaxCapabilityWords; ++i) message.add_bitstring(1);
  EXPECT_TRUE(check_size(message));
  message.add_bitstring(1);
  EXPECT_FALSE(check_size(message));
  pb::Capabilities models;
  model(models, 37, "a");
  model(models, 37, "b");
  EXPECT_TRUE(check_size(models, 3));
  EXPECT_FALSE(check_size(models, 2));
  pb::Capabilities long_name;
  model(long_name, 37, std::string(1025, 'x'));
  EXPECT_FALSE(check_size(long_name));
}

}  // namespace
}  // namespace kinora::wire

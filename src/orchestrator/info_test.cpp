#include "orchestrator/info.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "wire/capabilities.hpp"

namespace kinora::orchestrator {
namespace {

namespace pb = wire::pb;

const OrchestratorSettings kSettings{.service_url = "https://127.0.0.1:8935", .secret = "s"};

std::vector<CapabilityStatus> offered() {
  return {{.name = "echo", .price = {1000, 1}, .workers = {{"http://a", 2, 1, false, {}}, {"http://b", 3, 0, true, {}}}},
          {.name = "free", .price = {0, 1}, .workers = {{"http://a", 1, 2, false, {}}}}};
}

std::string recorded(const std::string& file) {
  std::ifstream in(std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/wire" / file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(OrchestratorInfo, lists_every_name_with_its_slots) {
  const auto info = build_info(kSettings, offered(), nullptr);
  EXPECT_EQ(info.transcoder(), "https://127.0.0.1:8935");
  EXPECT_EQ(info.address(), std::string(20, '\0'));
  EXPECT_EQ(info.capabilities().version(), "0.9.1");
  EXPECT_TRUE(wire::has_bit(std::vector(info.capabilities().bitstring().begin(), info.capabilities().bitstring().end()), 37));
  const auto& models = info.capabilities().constraints().percapability().at(37).models();
  EXPECT_EQ(models.at("echo").capacity(), 5u);
  EXPECT_EQ(models.at("echo").capacityinuse(), 1u);
  EXPECT_TRUE(models.at("echo").warm());
  EXPECT_EQ(models.at("free").capacity(), 2u) << "what runs beyond a lowered capacity still counts";
  EXPECT_EQ(models.at("free").capacityinuse(), 2u);
  EXPECT_FALSE(models.at("free").warm());
}

TEST(OrchestratorInfo, tells_a_models_weights_when_all_its_workers_agree) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  auto workers = std::vector<WorkerStatus>{{"http://a", 1, 0, false, {}, digest}, {"http://b", 1, 0, false, {}, digest}};
  const auto told = [&] {
    const std::vector<CapabilityStatus> status{{.name = "video-upscale:a", .price = {0, 1}, .workers = workers}};
    return build_info(kSettings, status, nullptr)
        .capabilities()
        .constraints()
        .percapability()
        .at(37)
        .models()
        .at("video-upscale:a")
        .weights();
  };
  EXPECT_EQ(told(), digest);
  workers[1].weights = "";
  EXPECT_EQ(told(), "");
  workers[1].weights = "sha256:" + std::string(64, 'b');
  EXPECT_EQ(told(), "");
}

TEST(OrchestratorInfo, tells_why_a_model_cannot_be_used) {
  const std::vector<CapabilityStatus> status{
      {.name = "unusable:lost",
       .price = {0, 1},
       .workers = {{"http://a", 0, 0, false, {}}, {"http://b", 0, 0, false, {}, "", "it lacks a weight"}}}};
  const auto info = build_info(kSettings, status, nullptr);
  const auto& told = info.capabilities().constraints().percapability().at(37).models().at("unusable:lost");
  EXPECT_EQ(told.unusable(), "it lacks a weight");
  EXPECT_EQ(told.capacity(), 0u);
}

TEST(OrchestratorInfo, a_general_discovery_gets_the_prices_by_name) {
  const auto info = build_info(kSettings, offered(), nullptr);
  ASSERT_EQ(info.capabilities_prices_size(), 1);
  EXPECT_EQ(info.capabilities_prices(0).capability(), 37u);
  EXPECT_EQ(info.capabilities_prices(0).constraint(), "echo");
  EXPECT_EQ(info.capabilities_prices(0).priceperunit(), 1000);
  EXPECT_FALSE(info.has_price_info());
}

TEST(OrchestratorInfo, a_question_for_one_name_gets_its_price) {
  const auto asked = wire::capabilities_for_byoc("echo");
  const auto info = build_info(kSettings, offered(), &asked);
  EXPECT_EQ(info.capabilities_prices_size(), 0);
  EXPECT_EQ(info.price_info().priceperunit(), 1000);
  EXPECT_EQ(info.price_info().pixelsperunit(), 1);
}

TEST(OrchestratorInfo, no_price_is_told_where_none_is_set) {
  const auto asked = wire::capabilities_for_byoc("free");
  EXPECT_FALSE(build_info(kSettings, offered(), &asked).has_price_info());
}

TEST(OrchestratorInfo, always_has_constraints) {
  const auto info = build_info(kSettings, {}, nullptr);
  EXPECT_TRUE(info.capabilities().has_constraints());
  EXPECT_TRUE(info.capabilities().constraints().percapability().empty());
}

TEST(OrchestratorInfo, fits_what_our_gateway_asks_for) {
  const auto asked = wire::capabilities_for_byoc("echo");
  EXPECT_TRUE(wire::check_compatible(asked, build_info(kSettings, offered(), &asked).capabilities()));
  const auto unknown = wire::capabilities_for_byoc("unknown");
  EXPECT_FALSE(wire::check_compatible(unknown, build_info(kSettings, offered(), &unknown).capabilities()));
}

TEST(DiscoveryRequest, recorded_ones_of_reference_gateways_are_accepted) {
  for (const auto* file : {"get-orchestrator-ai-offchain/00-req-0.pb.bin", "get-orchestrator-transcoding-offchain/00-req-0.pb.bin",
                           "get-orchestrator-onchain/03-req-0.pb.bin"}) {
    pb::OrchestratorRequest request;
    ASSERT_TRUE(request.ParseFromString(recorded(file)));
    EXPECT_TRUE(check_request(request)) << file;
  }
}

TEST(DiscoveryRequest, addresses_and_signatures_have_their_sizes) {
  pb::OrchestratorRequest request;
  EXPECT_TRUE(check_request(request));
  request.set_address("short");
  EXPECT_EQ(check_request(request).error().message, "Invalid orchestrator request: orchestrator req sig check failed");
  request.set_address(std::string(20, 'a'));
  request.set_sig(std::string(65, 's'));
  EXPECT_TRUE(check_request(request));
  request.set_sig(std::string(66, 's'));
  EXPECT_FALSE(check_request(request));
}

TEST(DiscoveryRequest, live_video_finds_no_capacity_here) {
  pb::OrchestratorRequest request;
  (*request.mutable_capabilities()->mutable_constraints()->mutable_percapability())[35];
  EXPECT_EQ(check_request(request).error().message, "Invalid orchestrator request: OrchestratorCapped");
  request.set_ignorecapacitycheck(true);
  EXPECT_TRUE(check_request(request));
}

TEST(DiscoveryRequest, too_many_capabilities_are_refused) {
  pb::OrchestratorRequest request;
  for (std::size_t i = 0; i <= wire::kMaxCapabilityWords; ++i) request.mutable_capabilities()->add_bitstring(1);
  EXPECT_FALSE(check_request(request));
}

}  // namespace
}  // namespace kinora::orchestrator

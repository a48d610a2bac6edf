#include "worker/offers.hpp"

#include <gmock/gmock.h>

#include "tasks/catalogue.hpp"

namespace kinora::worker {
namespace {

std::vector<std::string> names(const std::vector<Offer>& all) {
  std::vector<std::string> out;
  for (const Offer& offer : all) out.push_back(offer.name);
  return out;
}

const Offer& find(const std::vector<Offer>& all, const std::string& name) {
  return *std::find_if(all.begin(), all.end(), [&](const Offer& offer) { return offer.name == name; });
}

TEST(Offers, names_every_task_that_can_be_done) {
  const auto all =
      offers(8, 2, {{"cpu", {{"sr2x", "video-upscale", true}, {"sr2x", "image-upscale", true}, {"sr4x", "video-upscale", false}}}});
  EXPECT_THAT(names(all),
              ::testing::UnorderedElementsAre("ping", "probe", "transcode", "thumbnail", "cut", "join", "clip", "concat", "loop", "mux",
                                              "overlay", "extract-frames", "extract-audio", "video-upscale", "video-upscale:sr2x",
                                              "video-upscale:sr4x", "image-upscale", "image-upscale:sr2x"));
  EXPECT_EQ(find(all, "ping"), (Offer{"ping", std::string(tasks::find_task("ping")->summary), 8, true, "ping"}));
  EXPECT_EQ(find(all, "transcode").capacity, 2U);
  EXPECT_EQ(find(all, "transcode").group, find(all, "probe").group);
  EXPECT_NE(find(all, "transcode").group, find(all, "video-upscale").group);
  EXPECT_EQ(find(all, "video-upscale").group, find(all, "image-upscale:sr2x").group);
  EXPECT_TRUE(find(all, "video-upscale").warm);
  EXPECT_FALSE(find(all, "video-upscale:sr4x").warm);
}

TEST(Offers, leaves_out_what_cannot_be_done_now) {
  EXPECT_THAT(names(offers(1, 0, {})), ::testing::ElementsAre("ping"));
  EXPECT_THAT(names(offers(0, 0, {{"cpu", {}}})), ::testing::IsEmpty());
}

TEST(Offers, devices_add_up_and_one_warm_device_warms_the_name) {
  const auto all =
      offers(0, 0, {{"cuda:0", {{"sr2x", "video-upscale", false}}}, {"cuda:1", {{"sr2x", "video-upscale", true}}}, {"cuda:2", {}}});
  EXPECT_THAT(names(all), ::testing::ElementsAre("video-upscale", "video-upscale:sr2x"));
  EXPECT_EQ(all[1].capacity, 2U);
  EXPECT_TRUE(all[0].warm);
  EXPECT_TRUE(all[1].warm);
}

TEST(Offers, a_models_weights_are_told_when_all_its_devices_agree) {
  const RunnerModel model{"sr2x", "video-upscale", false, "sha256:aa"}, other{"sr2x", "video-upscale", false, "sha256:bb"},
      unread{"sr2x", "video-upscale", false};
  const auto told = [](const std::vector<DeviceOffer>& devices) { return offers(0, 0, devices)[1].weights; };
  EXPECT_EQ(told({{"cuda:0", {model}}, {"cuda:1", {model}}}), "sha256:aa");
  EXPECT_EQ(told({{"cuda:0", {model}}, {"cuda:1", {other}}}), "");
  EXPECT_EQ(told({{"cuda:0", {unread}}, {"cuda:1", {model}}}), "");
  EXPECT_EQ(told({{"cuda:0", {model}}, {"cuda:1", {other}}, {"cuda:2", {other}}}), "");
  EXPECT_EQ(offers(0, 0, {{"cuda:0", {model}}})[0].weights, "");  // the task alone is no model
  EXPECT_EQ(registration(offers(0, 0, {{"cuda:0", {model}}})[1], {}, "").at("weights"), "sha256:aa");
}

TEST(Offers, a_model_that_no_device_can_use_is_named_with_the_reason_and_without_capacity) {
  const RunnerModel model{"sr2x", "video-upscale", false};
  const auto all = offers(
      0, 0, {{"cuda:0", {model}, {{"lost", "lacks a weight"}}}, {"cuda:1", {}, {{"lost", "lacks a weight"}, {"sr2x", "too large"}}}});
  EXPECT_THAT(names(all), ::testing::ElementsAre("video-upscale", "video-upscale:sr2x", "unusable:lost"));
  EXPECT_EQ(all[0].capacity, 1U);
  EXPECT_EQ(all[2].capacity, 0U);
  EXPECT_EQ(all[2].group, "");  // the devices' capacity is theirs
  const auto body = registration(all[2], {}, "");
  EXPECT_EQ(body.at("unusable"), "lacks a weight");
  EXPECT_EQ(body.at("capacity").to_number<int>(), 0);
  std::vector<UnusableModel> many;
  for (std::size_t i = 0; i <= kMaxUnusableOffers; ++i) many.push_back({std::to_string(i), "no model"});
  EXPECT_EQ(offers(0, 0, {{"cpu", {}, many}}).size(), kMaxUnusableOffers);
}

TEST(Offers, registration_has_the_fields_of_the_protocol) {
  WorkerSettings settings;
  settings.url = "https://10.0.0.5:4321";
  settings.price_per_unit = 7;
  settings.tls_pin = "sha256/abc=";
  const auto body = registration({"probe", "looks", 2, true, "media"}, settings, "secret");
  const auto expected = boost::json::parse(R"({"name":"probe","description":"looks","url":"https://10.0.0.5:4321/process","capacity":2,
    "price_per_unit":7,"price_scaling":1,"currency":"wei","token":"secret","warm":true,"group":"media","ttl_s":15,"tls_pin":"sha256/abc="})");
  EXPECT_EQ(boost::json::value(body), expected);
  settings.tls_pin.reset();
  EXPECT_FALSE(registration({}, settings, "").contains("tls_pin"));
}

TEST(Offers, media_tasks_are_those_of_kinora_media) {
  for (const char* task : {"probe", "transcode", "thumbnail", "cut", "join", "concat", "extract-audio"})
    EXPECT_TRUE(is_media_task(task)) << task;
  for (const char* task : {"ping", "video-upscale", "image-upscale", "nothing", ""}) EXPECT_FALSE(is_media_task(task)) << task;
}

TEST(ParseOrchestrator, takes_an_address_with_or_without_its_key) {
  const std::string pin = "sha256/" + std::string(43, 'A') + "=";
  EXPECT_EQ(*parse_orchestrator("http://127.0.0.1:8935"), (OrchestratorAddress{"http://127.0.0.1:8935", std::nullopt}));
  EXPECT_EQ(*parse_orchestrator("https://host:1/#" + pin), (OrchestratorAddress{"https://host:1", pin}));
  for (const std::string& text : {std::string("host:1"), std::string("ftp://host"), std::string("https://host#sha256/short"),
                                  std::string("https://host/path"), "http://host#" + pin, std::string("")}) {
    EXPECT_FALSE(parse_orchestrator(text).has_value()) << text;
  }
}

TEST(RunnerAnswers, reads_models_and_their_tasks) {
  const auto models = parse_models(R"([{"id":"a","tasks":["video-upscale","image-upscale"],"loaded":true},{"id":"b","task":"video-upscale"},
                                       {"id":"c"},{"task":"x"},7])");
  ASSERT_TRUE(models.has_value());
  EXPECT_THAT(models->usable, ::testing::ElementsAre(RunnerModel{"a", "video-upscale", true}, RunnerModel{"a", "image-upscale", true},
                                                     RunnerModel{"b", "video-upscale", false}));
  EXPECT_EQ(parse_models(R"({"models":[{"id":"a","task":"t"}]})")->usable.size(), 1U);
  for (const char* text : {"", "7", "{}", "null", R"({"models":7})"}) EXPECT_FALSE(parse_models(text).has_value()) << text;
  std::string many = "[";
  for (std::size_t i = 0; i <= kMaxModels; ++i) many += std::string(i ? "," : "") + "{}";
  EXPECT_FALSE(parse_models(many + "]").has_value());
}

TEST(RunnerAnswers, keep_why_a_model_cannot_be_used_and_leave_out_names_that_cannot_be_asked_for) {
  const std::string reason(kMaxReasonBytes, 'r');
  const auto models = parse_models(R"([{"id":"lost","kind":"unusable","tasks":[],"reason":")" + reason +
                                   R"(rest"},{"id":"my model","task":"t"},{"id":"my lost model","kind":"unusable","reason":"r"}])");
  ASSERT_TRUE(models.has_value());
  EXPECT_THAT(models->usable, ::testing::IsEmpty());
  EXPECT_THAT(models->unusable, ::testing::ElementsAre(UnusableModel{"lost", reason}));
}

TEST(RunnerAnswers, a_runner_must_listen_on_loopback) {
  EXPECT_EQ(*parse_ready_line(R"({"url":"http://127.0.0.1:4000/"})"), "http://127.0.0.1:4000");
  for (const char* line : {"", "listening", R"({"url":7})", R"({"url":"http://10.0.0.1:4000"})", R"({"url":"https://127.0.0.1:4000"})",
                           R"({"url":"http://localhost.evil.example:1"})"}) {
    EXPECT_FALSE(parse_ready_line(line).has_value()) << line;
  }
}

}  // namespace
}  // namespace kinora::worker

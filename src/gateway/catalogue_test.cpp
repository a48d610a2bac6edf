// GET /v1/tasks, /v1/models, /v1/capabilities, black box; and what capability names mean.
#include "gateway/offers.hpp"

#include <array>

#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

using Catalogue = GatewayTest;

market::NodeStatus node(std::vector<std::pair<std::string, unsigned>> names, bool reachable = true) {
  market::NodeStatus out;
  out.reachable = reachable;
  for (const auto& [name, free] : names) {
    market::CapabilityStatus capability;
    capability.name = name;
    capability.capacity = 2;
    capability.free = free;
    out.capabilities.push_back(capability);
  }
  return out;
}

TEST(Offers, a_model_has_the_tasks_of_all_nodes_that_answer) {
  const std::vector nodes{node({{"video-upscale", 1}, {"video-upscale:a", 1}, {"image-upscale:a", 2}}), node({{"video-upscale:a", 2}}),
                          node({{"video-upscale:b", 2}}, false)};
  const auto models = offered_models(nodes);
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models.at("a").tasks, (std::set<std::string>{"image-upscale", "video-upscale"}));
  EXPECT_EQ(models.at("a").capacity, 4u);
  EXPECT_EQ(models.at("a").free, 3u);
  EXPECT_EQ(offered_task(nodes, "video-upscale").nodes, 1u);
  EXPECT_EQ(offered_task(nodes, "ping").nodes, 0u);
}

TEST(Offers, strange_names_are_left_out) {
  const std::vector nodes{node({{"video-upscale:", 1}, {":x", 1}, {"no-such:x", 1}, {"cut:x", 1}, {"", 1}, {":", 1}})};
  EXPECT_TRUE(offered_models(nodes).empty());
}

TEST(Offers, a_model_of_one_task_tells_it) {
  const std::vector there{node({{"video-upscale:a", 1}, {"image-upscale:a", 1}, {"text-to-video:wan", 1}}),
                          node({{"text-to-video:wan", 1}})};
  EXPECT_EQ(only_task(there, "wan"), "text-to-video");
  EXPECT_EQ(only_task(there, "wan@sha256:ab"), "text-to-video");
  EXPECT_EQ(only_task(there, "a"), std::nullopt);
  EXPECT_EQ(only_task(there, "b"), std::nullopt);
}

TEST(Offers, a_model_is_missing_only_when_that_is_sure) {
  const std::vector there{node({{"video-upscale", 1}, {"video-upscale:kinora-sr2x", 1}}), node({{"ping", 1}})};
  EXPECT_EQ(missing_model(there, "video-upscale", "kinora-sr2x"), std::nullopt);
  EXPECT_EQ(missing_model(there, "video-upscale", "kinora-sr2x@sha256:ab"), std::nullopt);
  EXPECT_EQ(missing_model(there, "video-upscale", "auto:best"), std::nullopt);
  EXPECT_NE(missing_model(there, "video-upscale", "kinora-sr2")->find("did you mean \"kinora-sr2x\"?"), std::string::npos);
  EXPECT_EQ(missing_model(there, "image-upscale", "kinora-sr2x"), std::nullopt);  // nobody does the task yet: its model may come with it
  EXPECT_TRUE(missing_model(there, "image-upscale", ""));
  const std::vector silent{there[0], node({}, false)};  // it may have it
  EXPECT_EQ(missing_model(silent, "video-upscale", "other"), std::nullopt);
  EXPECT_EQ(missing_model({}, "video-upscale", "other"), std::nullopt);
}

TEST(Offers, a_model_of_other_tasks_is_told_with_them) {
  const std::vector there{node({{"text-to-video", 1}, {"text-to-video:t", 1}, {"image-to-video:wan", 1}, {"video-extend:wan", 1}})};
  EXPECT_EQ(missing_model(there, "text-to-video", "wan"), "the model \"wan\" does image-to-video, video-extend, not text-to-video");
}

TEST(Offers, a_model_that_cannot_be_used_is_told_with_the_reason_and_no_path) {
  std::vector nodes{node({{"video-upscale", 1}, {"video-upscale:a", 1}, {"unusable:lost", 0}, {"unusable:a", 0}})};
  nodes[0].capabilities[2].unusable = "unet/model.safetensors: 2 weights do not fit /home/me/models/vae.pth: missing conv_in.bias";
  EXPECT_EQ(missing_model(nodes, "video-upscale", "lost@sha256:ab"),
            "the model \"lost\" cannot be used: unet/model.safetensors: 2 weights do not fit [path] missing conv_in.bias");
  EXPECT_EQ(missing_model(nodes, "text-to-image", "lost"), missing_model(nodes, "video-upscale", "lost"));  // though nobody does the task
  EXPECT_EQ(missing_model(nodes, "video-upscale", "a"), std::nullopt);                                      // another device can
  EXPECT_EQ(unusable_reason(nodes, "other"), std::nullopt);
  EXPECT_FALSE(offered_models(nodes).contains("lost"));
  nodes.push_back(node({}, false));  // it may have one that can be used
  EXPECT_EQ(missing_model(nodes, "video-upscale", "lost"), std::nullopt);
}

TEST(Offers, the_weights_that_will_do_a_task_are_known_when_all_who_may_do_it_agree) {
  const auto with = [](std::vector<std::array<std::string, 2>> models, bool reachable = true) {
    market::NodeStatus out;
    out.reachable = reachable;
    for (const auto& [name, weights] : models) {
      out.capabilities.emplace_back().name = name;
      out.capabilities.back().capacity = 1;
      out.capabilities.back().weights = weights;
    }
    return out;
  };
  const auto digest = [](const std::vector<market::NodeStatus>& nodes, std::string_view model) {
    return weights_digest(nodes, "video-upscale", model).value_or("unknown");
  };
  const auto one = with({{"video-upscale", ""}, {"video-upscale:a", "sha256:1"}, {"image-upscale:a", "sha256:9"}});
  EXPECT_EQ(digest({one}, "a"), "sha256:1");
  EXPECT_EQ(digest({one}, "a@sha256:1"), "sha256:1");
  EXPECT_EQ(digest({one}, "auto"), "sha256:1");
  EXPECT_EQ(digest({one}, "b"), "unknown");
  EXPECT_EQ(digest({one, with({{"video-upscale:a", "sha256:1"}})}, "a"), "sha256:1");
  EXPECT_EQ(digest({one, with({{"video-upscale:a", "sha256:2"}})}, "a"), "unknown");
  EXPECT_EQ(digest({one, with({{"video-upscale:a", ""}})}, "a"), "unknown");
  EXPECT_EQ(digest({one, with({}, false)}, "a"), "unknown");  // it may have other ones
  EXPECT_EQ(digest({one, with({{"video-upscale:b", "sha256:2"}})}, "a"), "sha256:1");
  EXPECT_EQ(digest({one, with({{"video-upscale:b", "sha256:2"}})}, ""), "unknown");
  EXPECT_EQ(offered_models(std::vector{one}).at("a").weights, "");  // its tasks tell different ones
  EXPECT_EQ(offered_models(std::vector{with({{"video-upscale:a", "sha256:1"}, {"image-upscale:a", "sha256:1"}})}).at("a").weights,
            "sha256:1");
}

TEST_F(Catalogue, lists_the_tasks_that_clients_may_name) {
  const auto answer = get("/v1/tasks");
  std::set<std::string> names;
  for (const auto& task : answer["data"].as_array()) names.emplace(task.at("name").as_string());
  for (const auto* task : {"ping", "probe", "transcode", "thumbnail", "image-upscale", "video-upscale"})
    EXPECT_TRUE(names.contains(task)) << task;
  for (const auto* task : {"cut", "join"}) EXPECT_FALSE(names.contains(task)) << task;
}

TEST_F(Catalogue, shows_models_with_the_schema_of_each_task) {
  const auto models = get("/v1/models");
  ASSERT_EQ(models["data"].as_array().size(), 1u) << models.body;
  EXPECT_EQ(models["data"].at(0).at("id"), "kinora-sr2x");
  EXPECT_EQ(get("/v1/models/kinora-sr2x")["object"], "model");
  const auto schema = get("/v1/models/kinora-sr2x/schema?task=video-upscale");
  EXPECT_EQ(schema["task"], "video-upscale");
  EXPECT_TRUE(schema["input"].at("properties").as_object().contains("scale"));
  EXPECT_EQ(get("/v1/models/kinora-sr2x/schema?task=transcode").code(), "task_not_found");
  EXPECT_EQ(get("/v1/models/none").code(), "model_not_found");
  EXPECT_EQ(get("/v1/models/none/schema").code(), "model_not_found");
}

TEST_F(Catalogue, says_what_is_offered_and_what_is_not) {
  const auto answer = get("/v1/capabilities");
  EXPECT_EQ(answer["nodes"].at("reachable"), json::value(1));
  EXPECT_EQ(answer["features"].at("webhooks"), json::value(true));
}

}  // namespace
}  // namespace kinora::gateway

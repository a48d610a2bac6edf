#include "base/config.hpp"

#include <gtest/gtest.h>

namespace kinora::base {
namespace {

const std::vector<ConfigKey> kKeys = {{"gateway.listen", std::string("127.0.0.1:8935"), "address and port"},
                                      {"gateway.chunk_s", std::int64_t{10}, "chunk length", 1, 600},
                                      {"gateway.open", false, "listen beyond loopback"},
                                      {"worker.devices", std::vector<std::string>{"cpu"}, "devices"}};

Result<Config> load(std::string_view toml, const std::map<std::string, std::string>& env = {},
                    const std::map<std::string, std::string>& flags = {}) {
  const std::vector<std::string> others{"KINORA_HOME"};
  return Config::load(kKeys, toml, "config.toml", env, others, flags);
}

TEST(Config, flags_win_over_environment_over_file_over_default) {
  const auto config =
      load("[gateway]\nchunk_s = 20\nopen = true\n", {{"KINORA_GATEWAY_CHUNK_S", "30"}, {"PATH", "/bin"}, {"KINORA_HOME", "/x"}},
           {{"gateway.listen", "127.0.0.1:0"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->integer("gateway.chunk_s"), 30);
  EXPECT_EQ(config->origin("gateway.chunk_s"), "environment");
  EXPECT_TRUE(config->flag("gateway.open"));
  EXPECT_EQ(config->text("gateway.listen"), "127.0.0.1:0");
  EXPECT_EQ(config->list("worker.devices"), std::vector<std::string>{"cpu"});
  EXPECT_EQ(config->origin("worker.devices"), "default");
}
TEST(Config, an_unknown_key_names_the_nearest_one) {
  EXPECT_EQ(load("[gateway]\nchunks_s = 20\n").error().message,
            "config.toml: unknown key \"gateway.chunks_s\"; did you mean \"gateway.chunk_s\"?");
  EXPECT_NE(load("", {{"KINORA_GATEWAY_LISTN", "x"}}).error().message.find("KINORA_GATEWAY_LISTEN"), std::string::npos);
  EXPECT_TRUE(load("", {{"KINORA_SOMETHING_ELSE", "x"}}));
  EXPECT_EQ(load("[gatway]\nfoo = 1\n").error().message, "config.toml: unknown section \"gatway\"; did you mean \"gateway\"?");
  EXPECT_NE(load("", {{"KINORA_GATWAY_LISTEN", "x"}}).error().message.find("did you mean \"KINORA_GATEWAY_LISTEN\"?"), std::string::npos);
  EXPECT_FALSE(load("gateway = 1"));
  EXPECT_FALSE(load("", {}, {{"gateway.nothing", "1"}}));
}
TEST(Config, types_and_ranges_are_checked_with_the_line) {
  EXPECT_EQ(load("[gateway]\nchunk_s = \"x\"\n").error().message, "config.toml line 2: gateway.chunk_s must be an integer");
  EXPECT_FALSE(load("[gateway]\nchunk_s = 0\n"));
  EXPECT_FALSE(load("", {{"KINORA_GATEWAY_CHUNK_S", "601"}}));
  EXPECT_FALSE(load("", {{"KINORA_GATEWAY_OPEN", "maybe"}}));
  EXPECT_FALSE(load("[worker]\ndevices = [1]\n"));
}
TEST(Config, lists_come_from_commas_in_the_environment) {
  EXPECT_EQ(load("", {{"KINORA_WORKER_DEVICES", "cpu,cuda:0"}})->list("worker.devices"), (std::vector<std::string>{"cpu", "cuda:0"}));
}
TEST(Config, broken_toml_is_refused_with_its_line) {
  EXPECT_NE(load("[gateway]\nlisten = \n").error().message.find("line 2"), std::string::npos);
}
TEST(Config, a_header_without_a_key_is_refused) {
  EXPECT_FALSE(load("[\x01gateway]\nchunk_s = 20\n"));
  EXPECT_FALSE(load("[}y]-2"));
}
TEST(Config, characters_beyond_ascii_stand_in_strings_and_comments_only) {
  EXPECT_EQ(load("# für alle\n[gateway]\nlisten = \"hôte \\\" é\" # ça va\n")->text("gateway.listen"), "hôte \" é");
  EXPECT_EQ(load("[gateway]\nlisten = '100 %41 ü'\n")->text("gateway.listen"), "100 %41 ü");
  EXPECT_NE(load("[gateway]\nlisten = \u03ce\n").error().message.find("line 2"), std::string::npos);
}
TEST(Config, the_example_file_is_valid_and_complete) {
  const std::string example = example_config(kKeys);
  EXPECT_NE(example.find("# chunk_s = 10"), std::string::npos);
  EXPECT_TRUE(load(example));
}

}  // namespace
}  // namespace kinora::base

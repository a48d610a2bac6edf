#include "kinora/device_names.hpp"

#include <gtest/gtest.h>

namespace kinora::cli {
namespace {

using Names = std::vector<std::string>;

TEST(DeviceNames, are_taken_as_they_stand) {
  EXPECT_EQ(*device_names({"cpu"}), Names{"cpu"});
  EXPECT_EQ(*device_names({"cuda:0", "cuda:12", "cuda:1+cuda:2"}), (Names{"cuda:0", "cuda:12", "cuda:1+cuda:2"}));
  EXPECT_EQ(*device_names({"none", "cpu"}), Names{"cpu"});
  EXPECT_TRUE(device_names({})->empty());
  EXPECT_FALSE(device_names({"auto"})->empty());
}

TEST(DeviceNames, other_words_are_refused_by_name) {
  for (const char* word : {"", "gpu", "CPU", "cuda", "cuda:", "cuda:-1", "cuda:x", "cuda:100", "cuda:99999999999999999999", "cuda:0+",
                           "+cuda:0", "cuda:0+cuda:0", "cuda:0+cuda:1+cuda:2", "cpu+cpu", "cuda:0+cpu", "cuda:0 "}) {
    const auto names = device_names({word});
    ASSERT_FALSE(names) << word;
    EXPECT_NE(names.error().message.find("\"" + std::string(word) + "\" is none of"), std::string::npos);
  }
}

TEST(DeviceNames, a_device_is_named_once) {
  EXPECT_NE(device_names({"cpu", "cpu"}).error().message.find("\"cpu\" is named twice"), std::string::npos);
  EXPECT_FALSE(device_names({"cuda:0", "cuda:0"}));
}

}  // namespace
}  // namespace kinora::cli

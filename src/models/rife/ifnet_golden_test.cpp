// IFNet against the reference's results.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "models/rife/ifnet_load.hpp"

namespace kinora::models::rife {
namespace {

void run(const golden::Case& test) {
  const auto& json = test.json();
  const auto loaded = load_ifnet(nn::open_checkpoint(test.model_dir() / "flownet.pkl"), {.dtype = at::kFloat, .channels_last = true},
                                 json.at("scale_list").get<std::vector<double>>());
  EXPECT_EQ(loaded.parameters, json.at("parameters"));
  EXPECT_EQ(loaded.net.config().pad_multiple(), json.at("pad_multiple"));
  EXPECT_EQ(loaded.net.config().channels, json.at("channels").get<std::vector<std::int64_t>>());
  for (int set = 0; set < test.sets(); ++set) {
    const auto name = "in" + (set == 0 ? std::string() : std::to_string(set)) + ".timestep";
    const double t = json.at("inputs").at(name).at("value").get<double>();
    const IfNet::Options options{.scale = json.value("user_scale", 1.0), .ensemble = json.value("ensemble", false)};
    const auto a = loaded.net.prepare(test.input("img0", set), options.scale),
               b = loaded.net.prepare(test.input("img1", set), options.scale);
    test.expect_close("frame", set, loaded.net.between(a, b, t, options).picture);
    if (test.has_output("encode0_top", set)) {
      const auto rows = test.output("encode0_top", set).size(2);
      test.expect_close("encode0_top", set, a.planes.slice(1, 3).slice(2, 0, rows));
    }
  }
}

const golden::Register registered{"IFNet", run};

}  // namespace
}  // namespace kinora::models::rife

// Pixel operations against Pillow, LibTorch's Python side, transformers and diffusers.
#include <gtest/gtest.h>

#include "models/golden/golden_case.hpp"
#include "nn/pixels/image_processor.hpp"
#include "nn/pixels/interpolate.hpp"

namespace kinora::models::golden {
namespace {

// These cases number all their sets, "in0.image" "in1.image".
at::Tensor stored(const Case& test, const std::string& kind, std::size_t set, const std::string& name) {
  return test.io().at(kind + std::to_string(set) + "." + name);
}

// Calls compare(set, output's name, output) for all stored outputs.
void for_each_output(const Case& test, const std::function<void(std::size_t, const std::string&, const std::string&)>& compare) {
  int seen = 0;
  for (const auto& [full, tensor] : test.io()) {
    if (!full.starts_with("out")) continue;
    const auto dot = full.find('.');
    compare(std::stoul(full.substr(3, dot - 3)), full.substr(dot + 1), full);
    ++seen;
  }
  EXPECT_GT(seen, 0);
}

double tolerance(const Case& test, const std::string& full, const std::string& name) {
  const auto& json = test.json();
  if (json.contains("tolerances") && json.at("tolerances").contains(name)) return json.at("tolerances").at(name).at("atol");
  if (json.contains("tensors") && json.at("tensors").at(full).contains("tolerance"))
    return json.at("tensors").at(full).at("tolerance").at("atol");
  return json.at("tolerance").at("atol");
}

void run_pillow(const Case& test) {
  static const std::map<std::string, nn::Filter> filters{{"nearest", nn::Filter::nearest},   {"lanczos", nn::Filter::lanczos},
                                                         {"bilinear", nn::Filter::bilinear}, {"bicubic", nn::Filter::bicubic},
                                                         {"box", nn::Filter::box},           {"hamming", nn::Filter::hamming}};
  for_each_output(test, [&](std::size_t set, const std::string& name, const std::string& full) {
    const auto expected = test.io().at(full);
    const auto ours = nn::pillow_resize(stored(test, "in", set, "image_u8"), expected.size(0), expected.size(1), filters.at(name));
    EXPECT_TRUE(ours.equal(expected)) << full;
  });
}

void run_interpolate(const Case& test) {
  static const std::map<std::string, nn::Interpolation> modes{{"nearest", nn::Interpolation::nearest},
                                                              {"nearest_exact", nn::Interpolation::nearest_exact},
                                                              {"bilinear", nn::Interpolation::bilinear},
                                                              {"bicubic", nn::Interpolation::bicubic},
                                                              {"area", nn::Interpolation::area}};
  for_each_output(test, [&](std::size_t set, const std::string& name, const std::string& full) {
    const auto mode = name.ends_with("_aa")        ? name.substr(0, name.size() - 3)
                      : name.ends_with("_corners") ? name.substr(0, name.size() - 8)
                                                   : name;
    const auto expected = test.io().at(full);
    const auto ours = nn::interpolate(stored(test, "in", set, "image"), expected.size(2), expected.size(3), modes.at(mode),
                                      {.align_corners = name.ends_with("_corners"), .antialias = name.ends_with("_aa")});
    test.expect_tensor(full, ours, tolerance(test, full, name), test.json().at("tolerance").at("rtol"));
  });
}

void run_processors(const Case& test) {
  const auto config = nn::JsonConfig::read(test.folder() / "model/preprocessor_config.json");
  const auto clip = nn::ImageProcessor::read(config);
  const auto height = test.json().at("vae_size").at("height").get<std::int64_t>(),
             width = test.json().at("vae_size").at("width").get<std::int64_t>();
  for_each_output(test, [&](std::size_t set, const std::string& name, const std::string& full) {
    const auto picture = stored(test, "in", set, "image_u8");
    const auto vae = nn::picture_to_latent_range(picture, height, width);
    at::Tensor ours;
    if (name == "clip_pixel_values") ours = clip(picture);
    if (name == "normalised_only") ours = clip.normalized(picture.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div(255)).squeeze(0);
    if (name == "vae_preprocess") ours = vae;
    if (name == "vae_postprocess_np") ours = nn::latent_range_to_floats(vae.mul(1.1));
    if (name == "vae_postprocess_u8") ours = nn::latent_range_to_pictures(vae.mul(1.1));
    ASSERT_TRUE(ours.defined()) << "unknown output " << name;
    // The case allows one 8-bit level here; both resizes are exact.
    test.expect_tensor(full, ours, std::min(tolerance(test, full, name), 2e-6), test.json().at("tolerance").at("rtol"));
  });
}

void run_antialiasing(const Case& test) {
  const auto clip = nn::ImageProcessor::read(
      nn::JsonConfig({{"image_mean", {0.48145466, 0.4578275, 0.40821073}}, {"image_std", {0.26862954, 0.26130258, 0.27577711}}}, "CLIP"));
  for_each_output(test, [&](std::size_t set, const std::string& name, const std::string& full) {
    const auto expected = test.io().at(full);
    auto ours = nn::resize_with_antialiasing(stored(test, "in", set, "image_u8").to(at::kFloat).div(255).mul(2).sub(1), expected.size(2),
                                             expected.size(3));
    if (name == "normalised") ours = clip.normalized(ours.add(1).div(2));
    test.expect_tensor(full, ours, tolerance(test, full, name), test.json().at("tolerance").at("rtol"));
  });
}

const Register pillow{"Image.resize", run_pillow};
const Register interpolate{"interpolate", run_interpolate};
const Register processors{"CLIPImageProcessor / VaeImageProcessor", run_processors};
const Register antialiasing{"_resize_with_antialiasing", run_antialiasing};

}  // namespace
}  // namespace kinora::models::golden

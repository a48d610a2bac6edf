// Residency with LibTorch's device without memory in place of a GPU: what moves, and that the network's handles stay.
#include "models/diffusion/component.hpp"

#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::models::diffusion {
namespace {

class Residencies : public testing::Test {
 protected:
  Components make(Residency residency) {
    Components components(c10::Device("meta"), residency);
    unet = at::ones({4, 8}, at::TensorOptions(at::kHalf).device(components.load_device()));
    vae = at::ones({2}, at::TensorOptions(at::kFloat).device(components.load_device()));
    components.add("unet", {{"weight", unet}});
    components.add("vae", {{"weight", vae}});
    return components;
  }
  static std::vector<bool> places(const Components& components) {
    std::vector<bool> on;
    for (const auto& state : components.states()) on.push_back(state.on_device);
    return on;
  }

  c10::InferenceMode inference;
  at::Tensor unet, vae;  // as the networks hold them
};

TEST_F(Residencies, one_by_one_has_only_what_is_used_on_the_device) {
  auto components = make(Residency::one_by_one);
  const auto* memory = unet.const_data_ptr();
  EXPECT_EQ(places(components), (std::vector{false, false}));
  components.use({"unet"});
  EXPECT_TRUE(unet.is_meta());
  EXPECT_FALSE(vae.is_meta());
  components.use({"vae"});
  EXPECT_TRUE(vae.is_meta());
  EXPECT_EQ(unet.const_data_ptr(), memory);  // the tensor that was loaded, not a copy of it
  EXPECT_EQ(places(components), (std::vector{false, true}));
}

TEST_F(Residencies, whole_keeps_all_on_the_device) {
  auto components = make(Residency::whole);
  components.use({"unet"});
  components.use({"vae"});
  EXPECT_EQ(places(components), (std::vector{true, true}));
}

TEST_F(Residencies, weights_that_lie_on_the_host_come_when_they_are_used_or_asked_for) {
  auto components = make(Residency::one_by_one);
  components.use({"unet", "vae"});
  EXPECT_EQ(places(components), (std::vector{true, true}));
  components.to_host();
  EXPECT_EQ(places(components), (std::vector{false, false}));
  EXPECT_TRUE(unet.is_cpu());
  EXPECT_EQ(unet.sum().item<float>(), 32);
  components.to_device();
  EXPECT_EQ(places(components), (std::vector{false, false}));
}

TEST_F(Residencies, bytes_are_those_of_the_weights_in_their_type) {
  auto components = make(Residency::one_by_one);
  const auto states = components.states();
  EXPECT_EQ(states[0].name, "unet");
  EXPECT_EQ(states[0].bytes, 64U);
  EXPECT_EQ(states[1].bytes, 8U);
  components.use({"unet"});
  EXPECT_EQ(components.states()[0].bytes, 64U);
}

// down = ones [1, 8], up = ones [4, 1]: adds its scale to every weight of the UNet.
lora::AdapterUse plus(double scale) {
  const nn::TensorMap tensors{{"unet.proj.lora_A.weight", at::ones({1, 8})}, {"unet.proj.lora_B.weight", at::ones({4, 1})}};
  return {.file = std::make_shared<const lora::AdapterFile>(lora::read_adapter(nn::make_checkpoint(tensors, "plus.safetensors"))),
          .scale = scale};
}

TEST(Components, adapters_stay_on_weights_that_come_and_go_piece_by_piece) {
  const c10::InferenceMode inference;
  Components components(c10::Device("meta"), Residency::one_by_one);
  const auto weight = at::ones({4, 8});
  components.add("unet", {{"proj.weight", weight}});
  components.use({"unet"});
  components.adapt({plus(2)});
  EXPECT_TRUE(components.adapted());
  EXPECT_TRUE(weight.is_cpu());
  EXPECT_EQ(weight.sum().item<float>(), 32 * 3);
  components.use({"unet"});
  EXPECT_TRUE(weight.is_meta());
  components.use({});
  EXPECT_EQ(weight.sum().item<float>(), 32 * 3);
  components.use({"unet"});
  components.adapt({plus(0.5)});  // in place of the first, from the base weights
  EXPECT_EQ(weight.sum().item<float>(), 32 * 1.5);
  EXPECT_EQ(components.states().back().name, "adapters");
  EXPECT_EQ(components.states().back().bytes, 128U);  // the base beside the changed weight
  components.adapt({});
  EXPECT_EQ(weight.sum().item<float>(), 32);
  EXPECT_FALSE(components.adapted());
}

TEST(Components, adapters_that_do_not_fit_change_nothing) {
  const c10::InferenceMode inference;
  Components components(c10::kCPU, Residency::whole);
  const auto weight = at::ones({4, 9});
  components.add("unet", {{"proj.weight", weight}});
  EXPECT_THROW(components.adapt({plus(1)}), nn::LoadError);
  EXPECT_EQ(weight.sum().item<float>(), 36);
  EXPECT_FALSE(components.adapted());
  auto elsewhere = plus(1);
  elsewhere.component = "transformer_2";
  EXPECT_THROW(components.adapt({elsewhere}), nn::LoadError);
}

TEST(Components, a_copy_on_another_device_comes_goes_and_is_adapted_with_the_first) {
  const c10::InferenceMode inference;
  Components components(c10::Device("meta"), Residency::one_by_one);
  const auto first = at::ones({4, 8}), copy = at::ones({4, 8}), vae = at::ones({2});
  components.add("unet", {{"proj.weight", first}});
  components.add("unet", {{"proj.weight", copy}}, c10::Device("meta:1"));
  components.add("vae", {{"weight", vae}});
  components.adapt({plus(2)});
  EXPECT_EQ(first.sum().item<float>(), 32 * 3);
  EXPECT_EQ(copy.sum().item<float>(), 32 * 3);
  EXPECT_NE(first.const_data_ptr(), copy.const_data_ptr());
  components.use({"unet"});
  EXPECT_TRUE(first.is_meta());
  EXPECT_TRUE(copy.is_meta());
  EXPECT_EQ(components.states()[1].device, "meta:1");
  EXPECT_TRUE(components.states()[1].on_device);
  components.use({"vae"});
  EXPECT_TRUE(copy.is_cpu());
  components.adapt({});
  EXPECT_EQ(copy.sum().item<float>(), 32);
}

TEST(Components, nothing_moves_when_the_device_is_the_host) {
  const c10::InferenceMode inference;
  Components components(c10::kCPU, Residency::one_by_one);
  const auto weight = at::ones({3});
  components.add("unet", {{"weight", weight}});
  const auto* memory = weight.const_data_ptr();
  components.use({});
  components.to_host();
  components.use({"unet"});
  EXPECT_EQ(weight.const_data_ptr(), memory);
  EXPECT_TRUE(components.states()[0].on_device);
}

}  // namespace
}  // namespace kinora::models::diffusion

// What lies in model folders is told by its files; the tiny models of tests/golden stand for published ones.
#include "runner/model_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "nn/checkpoint.hpp"
#include "nn/safetensors.hpp"
#include "runner/model_catalogue.hpp"
#include "runner/test_tools.hpp"
#include "runner/weights_digest.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

class ModelFolders : public ::testing::Test {
 protected:
  void link(const fs::path& golden, const std::string& name) {
    fs::create_directories((scratch.path() / name).parent_path());
    fs::create_symlink(kGolden / golden, scratch.path() / name);
  }
  // A repository as a hub cache holds it, with one file.
  void hub_file(const std::string& folder, const fs::path& golden, const std::string& name) {
    link(golden, folder + "/snapshots/c0/" + name);
    fs::create_directories(scratch.path() / folder / "refs");
    std::ofstream(scratch.path() / folder / "refs/main") << "c0";
  }
  ModelList list() const { return list_models({scratch.path()}); }
  static std::vector<std::string> ids(const auto& entries) {
    std::vector<std::string> all;
    all.reserve(entries.size());
    for (const auto& entry : entries) all.push_back(entry.id);
    return all;
  }

  static std::vector<std::string> refusals(const ModelList& found) {
    std::vector<std::string> all;
    all.reserve(found.refusals.size());
    for (const auto& refusal : found.refusals) all.push_back(refusal.id + ": " + refusal.reason);
    return all;
  }

  testing::Scratch scratch;
};

TEST_F(ModelFolders, upscalers_do_both_where_an_interpolator_is) {
  testing::make_model(scratch.path() / "twice");
  EXPECT_FALSE(list().models[0].serves("video-enhance"));
  link("rife_425/model", "rife");
  const auto found = list();
  EXPECT_THAT(ids(found.models), ElementsAre("rife", "twice"));
  EXPECT_FALSE(found.models[0].serves("video-enhance"));
  EXPECT_TRUE(found.models[1].serves("video-enhance"));
}

TEST_F(ModelFolders, folders_of_every_kind_are_found) {
  link("pipe_sd15/model", "sd15");
  link("pipe_sdxl/model", "models--tiny--sdxl/snapshots/abc");
  testing::make_model(scratch.path() / "twice");
  const auto found = list();
  EXPECT_THAT(ids(found.models), ElementsAre("sd15", "tiny/sdxl", "twice"));
  EXPECT_TRUE(found.models[1].serves("text-to-image"));
  EXPECT_GT(found.models[1].bytes, 100'000U);
  EXPECT_THAT(refusals(found), ElementsAre());
}

TEST_F(ModelFolders, adapters_are_told_by_their_tensors) {
  link("lora_sdxl/peft.safetensors", "style.safetensors");
  hub_file("models--latent--lcm", "lora_sdxl/kohya.safetensors", "pytorch_lora_weights.safetensors");
  hub_file("models--many--styles", "lora_sdxl/kohya.safetensors", "ink.safetensors");
  link("lora_sdxl/kohya_sgm.safetensors", "models--many--styles/snapshots/c0/oil.safetensors");
  const auto found = list();
  EXPECT_THAT(ids(found.adapters), ElementsAre("latent/lcm", "many/styles/ink", "many/styles/oil", "style"));
  EXPECT_EQ(found.adapters[3].path, scratch.path() / "style.safetensors");
  EXPECT_THAT(ids(found.models), ElementsAre());
}

TEST_F(ModelFolders, a_unet_file_makes_a_model_of_the_sdxl_that_is_there) {
  hub_file("models--ByteDance--SDXL-Lightning", "pipe_sdxl_lightning_unet/sdxl_lightning_2step_unet.safetensors",
           "sdxl_lightning_2step_unet.safetensors");
  EXPECT_THAT(refusals(list()), ElementsAre(HasSubstr("pull stabilityai/stable-diffusion-xl-base-1.0")));
  link("pipe_sdxl/model", "sdxl");
  const auto found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("ByteDance/SDXL-Lightning/sdxl_lightning_2step_unet", "sdxl"));
  EXPECT_EQ(found.models[0].pipeline->steps, 2);
  EXPECT_TRUE(found.models[0].pipeline->few_steps);
  EXPECT_FALSE(found.models[1].pipeline->few_steps);
  EXPECT_EQ(models::load_pipeline(found.models[0].path, found.models[0].parts)->info().steps, 2);
}

TEST_F(ModelFolders, a_motion_adapter_makes_videos_of_the_stable_diffusion_that_is_there) {
  link("pipe_animatediff/motion_adapter", "models--guoyww--motion/snapshots/c0");
  EXPECT_THAT(refusals(list()), ElementsAre(HasSubstr("is a motion adapter")));
  link("pipe_animatediff/model", "sd15");
  const auto found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("guoyww/motion", "sd15"));
  EXPECT_TRUE(found.models[0].serves("text-to-video"));
}

TEST_F(ModelFolders, what_is_no_model_is_refused_by_name) {
  std::ofstream(scratch.path() / "notes.safetensors") << "hello";
  std::ofstream(scratch.path() / "notes.txt") << "hello";
  link("text_clip_l/io.safetensors", "tensors.safetensors");
  testing::make_model(scratch.path() / "broken");
  std::ofstream(scratch.path() / "broken/card.json") << "{";
  const auto found = list();
  EXPECT_THAT(refusals(found), ElementsAre("broken: card.json: not a JSON object", HasSubstr("notes: "), HasSubstr("tensors: ")));
}

TEST_F(ModelFolders, published_networks_have_their_folders_or_their_own_name) {
  link("rife_425/model/flownet.pkl", "rife-4.25/flownet.pkl");
  std::ofstream(scratch.path() / "rife-4.25/notes.pth") << "hello";
  link("rife_46/model/flownet.pkl", "models--a--rife/snapshots/c0/flownet.pkl");
  link("rife_426/model/flownet.pkl", "mine.pkl");
  const auto found = list();
  EXPECT_THAT(ids(found.models), ElementsAre("a/rife", "mine", "rife-4.25"));
  for (const auto& model : found.models) EXPECT_TRUE(model.loose && model.serves("frame-interpolation")) << model.id;
}

TEST_F(ModelFolders, a_model_that_lacks_a_weight_is_refused_with_its_name) {
  for (const char* golden : {"pipe_sd15/model", "rife_46/model"})
    fs::copy(kGolden / golden, scratch.path() / fs::path(golden).parent_path(), fs::copy_options::recursive);
  testing::make_model(scratch.path() / "twice");
  ASSERT_THAT(ids(list().models), ElementsAre("pipe_sd15", "rife_46", "twice"));
  const auto without = [&](const fs::path& file, const std::string& weight) {
    auto weights = nn::open_checkpoint(scratch.path() / file).read();
    ASSERT_EQ(weights.erase(weight), 1U);
    for (auto& [name, tensor] : weights) tensor = tensor.clone();
    fs::remove(scratch.path() / file);
    nn::write_safetensors(scratch.path() / file, weights);
  };
  without("pipe_sd15/unet/diffusion_pytorch_model.safetensors", "conv_in.bias");
  without("twice/model.safetensors", "body.0.bias");
  const auto found = list();
  EXPECT_THAT(ids(found.models), ElementsAre("rife_46"));
  EXPECT_THAT(refusals(found), ElementsAre(HasSubstr("missing conv_in.bias"), HasSubstr("missing body.0.bias")));
}

TEST_F(ModelFolders, of_two_models_with_one_id_that_of_the_earlier_folder_counts) {
  link("rife_46/model/flownet.pkl", "first/same.pkl");
  testing::make_model(scratch.path() / "second/same");
  const auto found = list_models({scratch.path() / "first", scratch.path() / "second"});
  ASSERT_THAT(ids(found.models), ElementsAre("same"));
  EXPECT_EQ(found.models[0].folder, 0U);
  EXPECT_TRUE(found.models[0].serves("frame-interpolation"));
}

TEST_F(ModelFolders, a_single_file_takes_the_tokenizer_of_a_model_of_its_family) {
  link("pipe_sd15_single_file/model.safetensors", "fox.safetensors");
  EXPECT_THAT(refusals(list()), ElementsAre(HasSubstr("tokenizer: is in no file")));
  link("pipe_sdxl/model", "sdxl");
  EXPECT_THAT(refusals(list()), ElementsAre(HasSubstr("pull a folder of Stable Diffusion")));
  link("pipe_sd15/model", "sd15");
  const auto found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("fox", "sd15", "sdxl"));
  EXPECT_EQ(found.models[0].parts.tokenizers, scratch.path() / "sd15");
  EXPECT_TRUE(found.models[0].serves("text-to-image"));
}

// The folders of ComfyUI.
TEST_F(ModelFolders, the_file_of_a_video_transformer_takes_what_it_needs_from_the_other_folders) {
  link("pipe_wan21_t2v_file/wan_t2v.safetensors", "diffusion_models/wan_t2v.safetensors");
  link("pipe_ltx_090_file/ltx.safetensors", "checkpoints/ltx.safetensors");
  EXPECT_THAT(refusals(list()), ElementsAre(HasSubstr("text_encoder: is in none of the files: a T5 text encoder of width 16 is needed"),
                                            HasSubstr("vae: is in none of the files: a VAE of Wan with 16 latent channels is needed")));
  link("pipe_wan21_t2v_file/wan_vae.safetensors", "vae/wan_vae.safetensors");
  link("pipe_wan21_t2v_file/umt5.safetensors", "text_encoders/umt5.safetensors");
  link("pipe_ltx_090_file/t5xxl.safetensors", "text_encoders/t5xxl.safetensors");
  auto found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("diffusion_models"));  // its tokenizer is in the text encoder's file
  EXPECT_TRUE(found.models[0].serves("text-to-video"));
  EXPECT_THAT(found.models[0].parts.companions,
              ElementsAre(scratch.path() / "vae/wan_vae.safetensors", scratch.path() / "text_encoders/umt5.safetensors"));
  EXPECT_GT(found.models[0].bytes, found.models[0].largest_part);
  EXPECT_THAT(refusals(found), ElementsAre(HasSubstr("tokenizer: is in no file")));
  link("pipe_ltx_090/model", "ltx-folder");
  found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("checkpoints", "diffusion_models", "ltx-folder"));
  EXPECT_EQ(found.models[0].parts.tokenizers, scratch.path() / "ltx-folder");
  EXPECT_THAT(refusals(found), ElementsAre());
}

TEST_F(ModelFolders, two_experts_of_wan_are_one_model_told_by_their_names) {
  for (const char* name : {"wan2.2_high_noise_14B.safetensors", "wan2.2_low_noise_14B.safetensors", "Wan-LowNoise-Q4.safetensors"})
    link("pipe_wan21_t2v_file/wan_t2v.safetensors", "unet/" + std::string(name));
  link("pipe_wan21_t2v_file/wan_vae.safetensors", "wan_vae.safetensors");
  link("pipe_wan21_t2v_file/umt5.safetensors", "umt5.safetensors");
  const auto found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("unet/wan2.2_high_noise_14B"));
  EXPECT_THAT(found.models[0].parts.companions, ::testing::Contains(scratch.path() / "unet/wan2.2_low_noise_14B.safetensors"));
  fs::remove(scratch.path() / "unet/wan2.2_low_noise_14B.safetensors");
  link("pipe_wan21_t2v_file/wan_t2v.safetensors", "unet/other_low_noise.safetensors");
  EXPECT_THAT(refusals(list()), ElementsAre(HasSubstr("transformer_2: may be ")));
}

// Wan-AI/Wan2.1-T2V-1.3B and Wan2.2-T2V-A14B as their authors lay them out, as a hub cache holds them.
TEST_F(ModelFolders, the_folders_of_wans_authors_are_models_by_the_repositorys_name) {
  const std::string one = "models--Wan-AI--Wan2.1", two = "models--Wan-AI--Wan2.2-A14B";
  const auto describe = [&](const std::string& folder) {
    std::ofstream(scratch.path() / folder / "config.json") << R"({"_class_name": "WanModel", "model_type": "t2v", "dim": 16})";
  };
  for (const auto& repository : {one, two}) {
    hub_file(repository, "pipe_wan21_i2v_file/wan_vae.pth", "Wan2.1_VAE.pth");
    hub_file(repository, "pipe_wan21_i2v_file/umt5.pth", "models_t5_umt5-xxl-enc-bf16.pth");
    link("pipe_wan21_t2v/model/tokenizer", repository + "/snapshots/c0/google/umt5-xxl");
  }
  hub_file(one, "pipe_wan21_t2v_file/wan_t2v.safetensors", "diffusion_pytorch_model.safetensors");
  describe(one + "/snapshots/c0");
  for (const char* expert : {"high_noise_model", "low_noise_model"}) {
    const auto folder = two + "/snapshots/c0/" + expert;
    link("pipe_wan21_t2v_file/wan_t2v.safetensors", folder + "/diffusion_pytorch_model-00001-of-00001.safetensors");
    nlohmann::json index{{"weight_map", nlohmann::json::object()}};
    for (const auto& [name, tensor] : nn::open_checkpoint(kGolden / "pipe_wan21_t2v_file/wan_t2v.safetensors").tensors)
      index["weight_map"][name] = "diffusion_pytorch_model-00001-of-00001.safetensors";
    std::ofstream(scratch.path() / folder / "diffusion_pytorch_model.safetensors.index.json") << index;
    describe(folder);
  }
  const auto found = list();
  EXPECT_THAT(refusals(found), ElementsAre());
  ASSERT_THAT(ids(found.models), ElementsAre("Wan-AI/Wan2.1", "Wan-AI/Wan2.2-A14B"));
  const auto& experts = found.models[1];
  EXPECT_GT(experts.bytes, 2 * fs::file_size(kGolden / "pipe_wan21_t2v_file/wan_t2v.safetensors"));
  EXPECT_EQ(weight_files(experts).size(), 4U);
  for (const auto& model : found.models) {
    EXPECT_TRUE(model.serves("text-to-video")) << model.id;
    for (const auto& companion : model.parts.companions)  // of its own repository
      EXPECT_EQ(companion.string().find(&model == &experts ? one + "/" : two + "/"), std::string::npos) << companion;
    models::GenerationRequest request{.task = models::Task::text_to_video, .prompts = {"a red fox"}, .seeds = {1}};
    request.width = request.height = 32;
    request.frames = 5;
    request.steps = 1;
    EXPECT_EQ(models::load_pipeline(model.path, model.parts)->run(request).pictures.size(), 5U) << model.id;
  }
}

TEST_F(ModelFolders, a_model_whose_name_cannot_be_asked_for_is_refused) {
  link("rife_46/model/flownet.pkl", "my model.pkl");
  link("lora_sdxl/peft.safetensors", "my style.safetensors");  // adapters are named in parameters only
  link("lora_sdxl/kohya.safetensors", "caf\xe9.safetensors");  // Latin-1
  const auto found = list();
  EXPECT_THAT(ids(found.models), ElementsAre());
  EXPECT_THAT(ids(found.adapters), ElementsAre("my style"));
  EXPECT_THAT(refusals(found), ElementsAre(::testing::AllOf(::testing::StartsWith("caf?: "), HasSubstr("has a name that is no text")),
                                           HasSubstr("cannot be asked for by this name")));
}

// Wan's authors give each expert an index file and shards.
TEST_F(ModelFolders, a_missing_shard_is_told_by_its_name_under_that_of_the_repository) {
  const std::string repository = "models--Wan-AI--Wan2.2-A14B";
  hub_file(repository, "pipe_wan21_i2v_file/wan_vae.pth", "Wan2.1_VAE.pth");
  hub_file(repository, "pipe_wan21_i2v_file/umt5.pth", "models_t5_umt5-xxl-enc-bf16.pth");
  link("pipe_wan21_t2v/model/tokenizer", repository + "/snapshots/c0/google/umt5-xxl");
  for (const char* expert : {"high_noise_model", "low_noise_model"}) {
    const auto folder = repository + "/snapshots/c0/" + expert;
    link("pipe_wan21_t2v_file/wan_t2v.safetensors", folder + "/diffusion_pytorch_model-00001-of-00002.safetensors");
    std::ofstream(scratch.path() / folder / "diffusion_pytorch_model.safetensors.index.json")
        << R"({"weight_map": {"a": "diffusion_pytorch_model-00001-of-00002.safetensors", "b": "diffusion_pytorch_model-00002-of-00002.safetensors"}})";
    std::ofstream(scratch.path() / folder / "config.json") << R"({"_class_name": "WanModel", "model_type": "t2v", "dim": 16})";
  }
  const auto found = list();
  EXPECT_THAT(ids(found.models), ElementsAre());
  EXPECT_THAT(refusals(found),
              ElementsAre("Wan-AI/Wan2.2-A14B: high_noise_model/diffusion_pytorch_model-00002-of-00002.safetensors: is missing, and "
                          "diffusion_pytorch_model.safetensors.index.json names it"));
}

TEST_F(ModelFolders, a_link_to_the_folder_itself_or_above_shows_nothing_twice) {
  testing::make_model(scratch.path() / "models/twice");
  link("rife_46/model/flownet.pkl", "models/rife-4.6/flownet.pkl");
  link("lora_sdxl/peft.safetensors", "models/style.safetensors");
  link("lora_sdxl/kohya.safetensors", "more/ink.safetensors");
  for (const char* loop : {"models/self", "models/rife-4.6/self", "models/rife-4.6/all"})
    fs::create_directory_symlink(fs::path(loop).filename() == "self" ? "." : "..", scratch.path() / loop);
  fs::create_directory_symlink(scratch.path(), scratch.path() / "models/above");
  fs::create_directory_symlink(scratch.path() / "more", scratch.path() / "models/listed");
  const auto found = list_models({scratch.path() / "models", scratch.path() / "more"});
  EXPECT_THAT(ids(found.models), ElementsAre("rife-4.6", "twice"));
  EXPECT_THAT(ids(found.adapters), ElementsAre("ink", "style"));
  EXPECT_THAT(refusals(found), ElementsAre());
  // A link to one model is another name for it.
  fs::create_directory_symlink(scratch.path() / "models/twice", scratch.path() / "models/alias");
  EXPECT_THAT(ids(list_models({scratch.path() / "models"}).models), ElementsAre("alias", "rife-4.6", "twice"));
}

// Comfy-Org/Wan_2.1_ComfyUI_repackaged.
TEST_F(ModelFolders, files_in_folders_of_a_repository_are_found) {
  const std::string repository = "models--Comfy-Org--Wan";
  hub_file(repository, "pipe_wan21_t2v_file/wan_vae.safetensors", "split_files/vae/wan_vae.safetensors");
  hub_file(repository, "pipe_wan21_t2v_file/umt5.safetensors", "split_files/text_encoders/umt5.safetensors");
  hub_file(repository, "pipe_wan21_t2v_file/wan_t2v.safetensors", "split_files/diffusion_models/wan_t2v.safetensors");
  EXPECT_THAT(ids(list().models), ElementsAre("Comfy-Org/Wan/wan_t2v"));
}

TEST_F(ModelFolders, a_safety_checker_looks_at_the_pictures_of_models_without_one) {
  link("pipe_sd15/model", "sd15");
  EXPECT_FALSE(list().models[0].pipeline->safety_checker);
  fs::create_directories(scratch.path() / "models--CompVis--safety/snapshots/c0");
  for (const char* part : {"safety_checker/config.json", "safety_checker/model.safetensors", "feature_extractor/preprocessor_config.json"})
    fs::copy(kGolden / "safety_checker/model" / part, scratch.path() / "models--CompVis--safety/snapshots/c0");
  const auto found = list();
  ASSERT_THAT(ids(found.models), ElementsAre("sd15"));
  EXPECT_TRUE(found.models[0].pipeline->safety_checker);
  EXPECT_TRUE(found.models[0].parts.safety_checker.has_value());
}

TEST_F(ModelFolders, the_list_is_read_anew_only_when_something_changed) {
  link("pipe_sd15/model", "sd15");
  const ModelCatalogue catalogue({scratch.path()});
  const auto first = catalogue.get();
  EXPECT_EQ(catalogue.get(), first);
  link("lora_sdxl/peft.safetensors", "style.safetensors");
  const auto second = catalogue.get();
  EXPECT_NE(second, first);
  EXPECT_EQ(second->adapters.size(), 1U);
  // A configuration deep inside a folder counts too.
  fs::create_directories(scratch.path() / "own");
  fs::copy(kGolden / "pipe_sd15/model", scratch.path() / "own", fs::copy_options::recursive);
  EXPECT_EQ(catalogue.get()->models.size(), 2U);
  std::ofstream(scratch.path() / "own/unet/config.json") << "{ broken";
  EXPECT_EQ(catalogue.get()->models.size(), 1U);
}

}  // namespace
}  // namespace kinora::runner

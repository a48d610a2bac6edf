#include "models/safety/safety_stage.hpp"

#include <algorithm>

#include "models/diffusion/pictures.hpp"

namespace kinora::models::safety {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFrameStride = 8;  // of a video every eighth frame is looked at

std::vector<const RgbPicture*> what_to_look_at(const GenerationRequest& request, const GenerationResult& result) {
  if (request.task == Task::image_to_video) return {&*request.picture};
  std::vector<const RgbPicture*> pictures;
  const std::size_t stride = request.task == Task::text_to_video ? kFrameStride : 1;
  for (std::size_t i = 0; i < result.pictures.size(); i += stride) pictures.push_back(&result.pictures[i]);
  return pictures;
}

}  // namespace

std::optional<CheckerFiles> find_checker(const ModelFiles& files, const PipelineSettings& settings) {
  std::error_code absent;
  CheckerFiles own{files.folder("safety_checker"), files.folder("feature_extractor") / "preprocessor_config.json"};
  if (files.has("safety_checker") && fs::exists(own.folder / "config.json", absent) && fs::exists(own.processor, absent)) return own;
  if (!settings.safety_checker) return std::nullopt;
  return CheckerFiles{*settings.safety_checker, *settings.safety_checker / "preprocessor_config.json"};
}

void SafetyStage::check(const GenerationRequest& request, diffusion::Components& components, GenerationResult& result) {
  if (!checker_) {
    auto loaded = load_safety_checker(files_.folder, files_.processor, {.device = components.load_device(), .dtype = at::kFloat});
    checker_ = loaded.model;
    components.add("safety_checker", std::move(loaded.parameters));
  }
  components.use({"safety_checker"});
  std::vector<at::Tensor> pictures;
  for (const RgbPicture* picture : what_to_look_at(request, result)) pictures.push_back(diffusion::bytes_tensor(*picture));
  result.nsfw = (*checker_)(pictures);
  if (request.task == Task::text_to_video) result.nsfw = {std::find(result.nsfw.begin(), result.nsfw.end(), true) != result.nsfw.end()};
}

}  // namespace kinora::models::safety

#include "models/loose_model.hpp"

#include "models/esrgan/rrdb.hpp"
#include "models/esrgan/rrdb_names.hpp"
#include "models/esrgan/srvgg_load.hpp"
#include "models/rife/ifnet_load.hpp"
#include "nn/component_files.hpp"

namespace kinora::models {
namespace {

namespace fs = std::filesystem;

// The two trainings of one network that Real-ESRGAN publishes for its denoise strength.
constexpr const char* kGeneral = "realesr-general-x4v3";
constexpr const char* kGeneralWeakDenoise = "realesr-general-wdn-x4v3";

void describe_upscaler(nn::ModelFolder& model, const char* architecture, std::int64_t scale) {
  model.architecture = architecture;
  model.card.tasks = {"video-upscale", "image-upscale"};
  model.card.scale = scale;
  model.card.description = std::string(architecture) + " " + std::to_string(scale) + "x";
}

void describe_srvgg(nn::ModelFolder& model, const nn::WeightShapes& shapes) {
  const auto config = esrgan::infer_srvgg_config(shapes, model.weights_file.string());
  describe_upscaler(model, esrgan::kSrvggArchitecture, config.upscale);
  model.config = esrgan::to_json(config);
  const auto second = model.weights_file.parent_path() / (kGeneralWeakDenoise + model.weights_file.extension().string());
  if (model.weights_file.stem() == kGeneral && fs::exists(second)) model.config["weak_denoise"] = second.filename().string();
}

}  // namespace

nn::ModelFolder describe_loose_model(const fs::path& file, const std::string& id) {
  nn::ModelFolder model;
  model.id = id;
  model.path = model.weights_file = fs::absolute(file).lexically_normal();
  model.card.name = id;
  model.card.license = "unknown";
  const auto checkpoint = nn::open_checkpoint(model.weights_file);
  model.weights_bytes = fs::file_size(file);
  if (checkpoint.tensors.contains("body.0.weight")) {
    describe_srvgg(model, checkpoint.shapes());
    return model;
  }
  if (const auto shapes = rife::with_ifnet_names(checkpoint).shapes(); shapes.contains("block0.conv0.0.0.weight")) {
    const auto config = rife::infer_ifnet_config(shapes, file.string());
    model.architecture = rife::kIfnetArchitecture;
    model.card.tasks = {"frame-interpolation"};
    model.card.description = config.has_encoder() ? "RIFE 4.25 and later" : "RIFE 4.6";
    return model;
  }
  const auto shapes = esrgan::with_rrdb_names(checkpoint).shapes();
  if (!shapes.contains("body.0.rdb1.conv1.weight"))
    throw nn::LoadError(file.string(), "",
                        "is none of the networks that are known as a single file: SRVGGNetCompact, RRDBNet, IFNet (RIFE)");
  describe_upscaler(model, esrgan::kRrdbArchitecture, esrgan::infer_rrdb_config(shapes, file.string()).scale());
  return model;
}

nn::ModelFolder describe_network(const fs::path& path) {
  const auto id = fs::weakly_canonical(path).filename().string();
  if (!fs::is_directory(path)) return describe_loose_model(path, id);
  if (fs::exists(path / "config.json")) return nn::read_model_folder(path);
  for (const char* rife : {"flownet.pkl", "train_log/flownet.pkl"})
    if (fs::exists(path / rife)) return describe_loose_model(path / rife, id);
  return describe_loose_model(nn::find_weights(path), id);
}

}  // namespace kinora::models

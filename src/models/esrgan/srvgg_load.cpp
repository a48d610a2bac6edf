#include "models/esrgan/srvgg_load.hpp"

namespace kinora::models::esrgan {
namespace {

std::int64_t number(const nn::ModelFolder& model, const char* key, std::int64_t fallback, std::int64_t min, std::int64_t max) {
  const auto found = model.config.find(key);
  if (found == model.config.end()) return fallback;
  const bool whole = found->is_number_integer();
  if (!whole || *found < min || *found > max)
    throw nn::LoadError((model.path / "config.json").string(), key,
                        "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return found->get<std::int64_t>();
}

}  // namespace

SrvggConfig read_srvgg_config(const nn::ModelFolder& model) {
  const std::string file = (model.path / "config.json").string();
  if (model.architecture != kSrvggArchitecture) throw nn::LoadError(file, "architecture", "is not " + std::string(kSrvggArchitecture));
  const SrvggConfig defaults;
  SrvggConfig config;
  config.num_in_ch = number(model, "num_in_ch", defaults.num_in_ch, 1, 16);
  config.num_out_ch = number(model, "num_out_ch", config.num_in_ch, config.num_in_ch, config.num_in_ch);
  config.num_feat = number(model, "num_feat", defaults.num_feat, 1, 1024);
  config.num_conv = number(model, "num_conv", defaults.num_conv, 0, 256);
  config.upscale = number(model, "upscale", defaults.upscale, 1, 8);
  if (const auto act = model.config.find("act_type"); act != model.config.end()) {
    if (!act->is_string()) throw nn::LoadError(file, "act_type", "must be a text");
    config.act = activation_from_name(act->get_ref<const std::string&>(), file);
  }
  if (config.upscale != model.card.scale)
    throw nn::LoadError((model.path / "card.json").string(), "scale", "differs from the network's " + std::to_string(config.upscale));
  return config;
}

SrvggModel load_srvgg(const nn::ModelFolder& model) {
  const SrvggConfig config = read_srvgg_config(model);
  SrvggModel loaded{.config = config, .weights = nn::load_weights(model, srvgg_shapes(config))};
  if (const auto second = model.config.find("weak_denoise"); second != model.config.end()) {
    const std::filesystem::path file = second->is_string() ? second->get<std::string>() : std::string();
    if (file.empty() || file != file.filename())
      throw nn::LoadError((model.path / "config.json").string(), "weak_denoise", "must be the name of a file beside the weights");
    loaded.weak_denoise = nn::load_weights(nn::open_checkpoint(model.weights_path().parent_path() / file), srvgg_shapes(config));
  }
  return loaded;
}

nlohmann::json to_json(const SrvggConfig& config) {
  return {{"num_in_ch", config.num_in_ch}, {"num_out_ch", config.num_out_ch}, {"num_feat", config.num_feat},
          {"num_conv", config.num_conv},   {"upscale", config.upscale},       {"act_type", name(config.act)}};
}

}  // namespace kinora::models::esrgan

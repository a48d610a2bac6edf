#include "kinora_train/model_out.hpp"

#include <cmath>

#include "kinora_train/trainer.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

void write_upscaler(const TrainSettings& settings, const models::esrgan::SrvggConfig& config, const nn::TensorMap& weights,
                    const TrainedHow& how) {
  const nlohmann::json network = {{"num_in_ch", config.num_in_ch}, {"num_out_ch", config.num_out_ch},
                                  {"num_feat", config.num_feat},   {"num_conv", config.num_conv},
                                  {"upscale", config.upscale},     {"act_type", std::string(models::esrgan::name(config.act))}};
  nn::ModelCard card;
  card.name = "Kinora SR " + std::to_string(config.upscale) + "x";
  card.description = "Enlarges video and photos " + std::to_string(config.upscale) +
                     "x and clears them of noise and of what H.264 leaves; small enough for processors.";
  card.tasks = {"video-upscale", "image-upscale"};
  card.scale = config.upscale;
  card.license = settings.licence;
  card.rest = {{"data",
                {{"list", settings.list.filename().string()},
                 {"photos", how.samples.photos},
                 {"clips", how.samples.clips},
                 {"pairs", how.samples.training.size()},
                 {"held_out_pairs", how.samples.held_out.size()}}},
               {"training",
                {{"program", "kinora-train upscaler"},
                 {"steps", how.steps},
                 {"seed", settings.seed},
                 {"batch", settings.batch},
                 {"precision", settings.precision == Precision::bf16 ? "bf16" : "fp32"},
                 {"held_out_psnr_y_db", rounded(how.psnr)},
                 {"held_out_bicubic_psnr_y_db", rounded(how.bicubic_psnr)}}}};
  nn::TensorMap stored;
  for (const auto& [name, weight] : weights) stored[name] = weight.detach().to(at::kFloat).contiguous();
  nn::write_model_folder(settings.out, "SRVGGNetCompact", network, card, stored);
}

}  // namespace kinora::train

#include "kinora_train/video/starter_training.hpp"

#include <ATen/Parallel.h>
#include <malloc.h>

#include "kinora_train/error.hpp"
#include "kinora_train/text.hpp"
#include "kinora_train/video/flow_training.hpp"
#include "kinora_train/video/starter_folder.hpp"
#include "kinora_train/video/trial.hpp"
#include "kinora_train/video/vae_training.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

namespace fs = std::filesystem;

FitSettings part(const StarterSettings& settings, const fs::path& work, const std::string& name, double share) {
  FitSettings fit;
  fit.name = name;
  fit.checkpoint = work / (name + ".safetensors");
  fit.resume = settings.resume;
  if (settings.minutes) fit.minutes = *settings.minutes * share;
  if (settings.steps) fit.steps = static_cast<std::int64_t>(static_cast<double>(*settings.steps) * share);
  fit.seed = settings.seed;
  fit.threads = settings.threads;
  fit.save_every_s = settings.save_every_s;
  return fit;
}

nn::TensorMap with_prefix(nn::TensorMap all, const std::string& prefix, const nn::TensorMap& more) {
  for (const auto& [name, tensor] : more) all[prefix + name] = tensor;
  return all;
}

}  // namespace

void train_starter(const StarterSettings& settings, const Talk& talk) {
  at::set_num_threads(settings.threads);
  // Memory that is given back is asked for again at once: a quarter of the time, if the system is let in on it.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  const fs::path work = settings.work.empty() ? fs::path(settings.out.string() + ".work") : settings.work;
  fs::create_directories(work);
  write_tokenizer(settings.out / "tokenizer");
  const auto tokenizer = nn::UnigramTokenizer::open(settings.out / "tokenizer");
  const StarterConfig config(tokenizer.largest_id() + 1);
  const auto dtype = settings.bf16 ? at::kBFloat16 : at::kFloat;

  auto vae_fit = part(settings, work, "vae", settings.vae_share);
  vae_fit.peak_rate = settings.vae_rate;
  auto vae_weights = train_vae(config.vae_config(), vae_fit, dtype, talk);
  const auto vae = ready_vae(config.vae_config(), vae_weights, dtype);
  talk("the VAE: unseen clips " + describe(kept_by(*vae, 8)));

  const auto cache = work / "latents.safetensors";
  if (!settings.resume || !fs::exists(cache)) save_latents(cache, make_latents(*vae, settings.clips, settings.seed, talk), settings.seed);
  const auto latents = load_latents(cache, settings.clips, settings.seed);

  const auto write = [&](const nn::TensorMap& average, std::int64_t step) {
    write_starter_folder(settings.out, config, with_prefix(average, "vae.", vae_weights), latents.mean, latents.deviation);
    talk(text("step %lld: model in %s", static_cast<long long>(step), settings.out.c_str()));
    if (settings.judged == 0) return;
    const auto pipeline = models::load_pipeline(settings.out);
    const auto trials = try_model(*pipeline, {.combinations = settings.judged, .seeds = {1}}, [](const std::string&) {});
    const Score s = score(trials);
    talk(text("of %d held-out captions right: shape %d, colour %d, direction %d, background %d, all %d", s.clips, s.shape, s.colour,
              s.direction, s.background, s.all));
  };
  if (settings.vae_share + settings.decoder_share >= 1) throw Failure("--vae-share and --decoder-share leave nothing for the transformer");
  auto flow_fit = part(settings, work, "flow", 1 - settings.vae_share - settings.decoder_share);
  flow_fit.peak_rate = settings.rate;
  const auto report = train_flow(config, tokenizer, latents, settings.batch, flow_fit, dtype, write, talk);
  auto decoder_fit = part(settings, work, "decoder", settings.decoder_share);
  decoder_fit.peak_rate = settings.vae_rate;
  vae_weights = train_decoder(config.vae_config(), vae_weights, decoder_fit, dtype, talk);
  talk("the VAE: unseen clips " + describe(kept_by(*ready_vae(config.vae_config(), vae_weights, dtype), 8)));
  write(report.average, report.steps);
}

}  // namespace kinora::train

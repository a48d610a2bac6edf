#include "models/single_file/video_model.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "models/single_file/ltx_configs.hpp"
#include "models/single_file/plain_name.hpp"
#include "models/single_file/wan_configs.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::single_file {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirst = "highnoise", kSecond = "lownoise";

// The name that tells an expert: the file's, or with it the folder's ("high_noise_model/diffusion_pytorch_model.safetensors").
std::string telling_name(const fs::path& file) {
  const auto tells = [](const std::string& name) {
    return name.find(kFirst) != std::string::npos || name.find(kSecond) != std::string::npos;
  };
  auto own = plain_name(file.filename().string());
  auto whole = plain_name(file.parent_path().filename().string()) + own;
  return !tells(own) && tells(whole) ? whole : own;
}

std::string component_of(PartKind kind, const fs::path& file) {
  switch (kind) {
    case PartKind::wan_transformer: return is_second_expert(file) ? "transformer_2" : "transformer";
    case PartKind::ltx_transformer: return "transformer";
    case PartKind::wan_vae:
    case PartKind::ltx_vae: return "vae";
    case PartKind::t5:
    case PartKind::umt5: return "text_encoder";
    case PartKind::clip_vision: return "image_encoder";
  }
  return "";
}

// What a model with this transformer takes beside it.
struct Need {
  std::string component;
  PartKind kind;
  std::function<bool(const VideoPart&)> fits;
  std::string what;
};

std::vector<Need> needs(const VideoPart& transformer, const fs::path& path) {
  const bool wan = transformer.kind == PartKind::wan_transformer;
  const auto channels = transformer.channels();
  const auto width = transformer.config.integer(wan ? "text_dim" : "caption_channels", 4096, 0, 1 << 16);
  std::vector<Need> all{{.component = "vae",
                         .kind = wan ? PartKind::wan_vae : PartKind::ltx_vae,
                         .fits = [channels](const VideoPart& part) { return part.channels() == channels; },
                         .what = " with " + std::to_string(channels) + " latent channels"},
                        {.component = "text_encoder",
                         .kind = wan ? PartKind::umt5 : PartKind::t5,
                         .fits = [width](const VideoPart& part) { return part.config.integer("d_model", 512, 0, 1 << 17) == width; },
                         .what = " of width " + std::to_string(width)}};
  if (transformer.config.has("image_dim"))
    all.push_back({.component = "image_encoder",
                   .kind = PartKind::clip_vision,
                   .fits = [width = transformer.config.integer("image_dim", 0, 0, 1 << 16)](
                               const VideoPart& part) { return part.config.integer("hidden_size", 768, 0, 1 << 16) == width; },
                   .what = " (clip_vision_h.safetensors)"});
  if (is_first_of_two(path))
    all.push_back({.component = "transformer_2",
                   .kind = PartKind::wan_transformer,
                   .fits = [json = transformer.config.json()](const VideoPart& part) { return part.config.json() == json; },
                   .what = ", the second expert (a file with low_noise in its name)"});
  return all;
}

const VideoPart& transformer_of(const Candidate& model) {
  for (const auto& part : model.parts)
    if (is_video_transformer(part.kind)) return part;
  throw nn::LoadError(model.path.string(), "", "holds no transformer of Wan or LTX-Video");
}

nn::LoadError missing(const fs::path& path, const Need& need) {
  return {path.string(), need.component, "is in none of the files: a " + std::string(name(need.kind)) + need.what + " is needed beside it"};
}

bool holds(const Candidate& candidate, const Need& need) {
  if (need.component == "transformer_2" && !is_second_expert(candidate.path)) return false;
  return std::any_of(candidate.parts.begin(), candidate.parts.end(),
                     [&](const VideoPart& part) { return part.kind == need.kind && need.fits(part); });
}

// The one of the second experts that has the first's name but for "high", else the only one.
const Candidate& second_expert(const fs::path& first, const std::vector<const Candidate*>& found) {
  auto wanted = telling_name(first);
  wanted.replace(wanted.find(kFirst), kFirst.size(), kSecond);
  for (const auto* candidate : found)
    if (telling_name(candidate->path) == wanted) return *candidate;
  if (found.size() == 1) return *found.front();
  throw nn::LoadError(first.string(), "transformer_2",
                      "may be " + found[0]->path.filename().string() + " or " + found[1]->path.filename().string() +
                          ": name it as this file is, with low_noise in the place of high_noise");
}

}  // namespace

bool is_video_transformer(PartKind kind) { return kind == PartKind::wan_transformer || kind == PartKind::ltx_transformer; }
bool is_second_expert(const fs::path& file) { return telling_name(file).find(kSecond) != std::string::npos; }
bool is_first_of_two(const fs::path& file) { return telling_name(file).find(kFirst) != std::string::npos; }

std::vector<fs::path> choose_companions(const Candidate& model, const std::vector<Candidate>& candidates) {
  std::vector<fs::path> chosen;
  for (const Need& need : needs(transformer_of(model), model.path)) {
    if (holds(model, need)) continue;
    std::vector<const Candidate*> found;
    for (const auto& candidate : candidates)
      if (candidate.path != model.path && holds(candidate, need)) found.push_back(&candidate);
    if (found.empty()) throw missing(model.path, need);
    const auto folder = model.path.parent_path();
    const auto beside = [&](const Candidate* one) {
      return one->path.parent_path() == folder || one->path.parent_path() == folder.parent_path();
    };
    std::stable_partition(found.begin(), found.end(), beside);
    const auto& one = need.component == "transformer_2" ? second_expert(model.path, found) : *found.front();
    if (std::find(chosen.begin(), chosen.end(), one.path) == chosen.end()) chosen.push_back(one.path);
  }
  return chosen;
}

VideoModel gather_video_model(const fs::path& path, std::vector<VideoPart> parts, const std::vector<fs::path>& companions) {
  if (is_second_expert(path))
    throw nn::LoadError(path.string(), "", "is the second expert of a Wan 2.2 model: take the file with high_noise in its name");
  VideoModel model;
  const auto add = [&model](const fs::path& from, std::vector<VideoPart> found) {
    for (auto& part : found) {
      const auto component = component_of(part.kind, from);
      if (const auto other = model.components.find(component); other != model.components.end())
        throw nn::LoadError(from.string(), component, "is in " + other->second.file + " too: one of them must go");
      if (part.sentencepiece) model.sentencepiece = part.sentencepiece;
      model.configs.emplace(component, std::move(part.config));
      model.components.emplace(component, std::move(part.weights));
    }
  };
  const Candidate main{.path = path, .parts = parts};
  const auto& transformer = transformer_of(main);
  add(path, std::move(parts));
  for (const auto& companion : companions) add(companion, video_parts(companion, nn::open_checkpoint(companion)));
  for (const Need& need : needs(transformer, path))
    if (!model.components.contains(need.component)) throw missing(path, need);

  const bool wan = transformer.kind == PartKind::wan_transformer;
  const auto& config = transformer.config.json();
  model.index = wan ? wan_index(config, model.components.contains("transformer_2")) : ltx_index();
  model.configs.emplace("scheduler",
                        nn::JsonConfig(wan ? wan_scheduler_config(config) : ltx_scheduler_config(), path.string() + " (scheduler)"));
  if (const auto vision = model.configs.find("image_encoder"); vision != model.configs.end())
    model.configs.emplace("image_processor",
                          nn::JsonConfig(clip_processor_config(vision->second.json()), path.string() + " (image_processor)"));
  return model;
}

}  // namespace kinora::models::single_file

#include "models/safety/safety_checker.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>

namespace kinora::models::safety {
namespace {

constexpr std::int64_t kConcepts = 17, kSpecial = 3;
constexpr float kAdjustment = 0.01F;  // for pictures near a special concept

at::Tensor unit(const at::Tensor& rows) { return rows / at::linalg_vector_norm(rows, 2, {1}, true).clamp_min(1e-12); }

// [N, C] as rows of plain numbers.
std::vector<std::vector<float>> numbers(const at::Tensor& matrix) {
  const auto whole = matrix.to(at::kCPU, at::kFloat).contiguous();
  const auto* data = static_cast<const float*>(whole.const_data_ptr());
  std::vector<std::vector<float>> rows;
  rows.reserve(static_cast<std::size_t>(whole.size(0)));
  for (std::int64_t i = 0; i < whole.size(0); ++i) rows.emplace_back(data + i * whole.size(1), data + (i + 1) * whole.size(1));
  return rows;
}

float rounded(float score) { return std::nearbyint(score * 1000.0F) / 1000.0F; }

// The tower's names: "vision_model.vision_model." of published files, "vision_model." of the newest library's.
nn::Checkpoint renamed(nn::Checkpoint checkpoint) {
  constexpr std::string_view kTower = "vision_model.";
  std::map<std::string, nn::StoredTensor> tensors;
  for (auto& [name, tensor] : checkpoint.tensors) {
    const bool twice = name.starts_with(std::string(kTower) + std::string(kTower));
    tensors.emplace(twice ? name.substr(kTower.size()) : name, std::move(tensor));
  }
  checkpoint.tensors = std::move(tensors);
  return checkpoint;
}

clip::VisionConfig vision_config(const nn::JsonConfig& config) {
  nlohmann::json tower = nlohmann::json::object();
  if (const auto found = config.json().find("vision_config"); found != config.json().end() && found->is_object()) tower = *found;
  tower["projection_dim"] = config.integer("projection_dim", 512, 1, 65536);
  tower["architectures"] = {"CLIPVisionModelWithProjection"};
  return clip::VisionConfig::read({std::move(tower), config.file()});
}

struct Config {
  clip::VisionConfig vision;
  nn::ImageProcessor processor;
};
struct Checker : SafetyChecker {
  Checker(const Config& config, const nn::Weights& w) : SafetyChecker(config.vision, config.processor, w) {}
};

}  // namespace

SafetyChecker::SafetyChecker(const clip::VisionConfig& vision, nn::ImageProcessor processor, const nn::Weights& w)
    : vision_(vision, w),
      processor_(processor),
      concepts_(w.take("concept_embeds", {kConcepts, vision.tower.projection_dim})),
      concept_bars_(w.take("concept_embeds_weights", {kConcepts})),
      special_(w.take("special_care_embeds", {kSpecial, vision.tower.projection_dim})),
      special_bars_(w.take("special_care_embeds_weights", {kSpecial})) {}

at::Tensor SafetyChecker::embed(const std::vector<at::Tensor>& pictures) const {
  std::vector<at::Tensor> embeddings;
  for (const auto& picture : pictures) {
    // Rounded to float16, as the field's services do.
    const auto pixels = processor_(picture).to(at::kHalf).to(concepts_.device(), concepts_.scalar_type());
    embeddings.push_back(vision_.projected(vision_.pooled(vision_.hidden_states(pixels, vision_.layers()).back())).to(at::kFloat));
  }
  return at::cat(embeddings);
}

std::vector<bool> SafetyChecker::judge(const at::Tensor& embeddings) const {
  const auto nearness = [&](const at::Tensor& concepts) {
    return numbers(at::matmul(unit(embeddings), unit(concepts.to(embeddings.device(), at::kFloat)).t()));
  };
  const auto special = nearness(special_), plain = nearness(concepts_);
  const auto special_bars = numbers(special_bars_.unsqueeze(0)).front(), bars = numbers(concept_bars_.unsqueeze(0)).front();
  std::vector<bool> flags;
  for (std::size_t picture = 0; picture < plain.size(); ++picture) {
    float adjustment = 0;
    for (std::size_t i = 0; i < special_bars.size(); ++i)
      if (rounded(special[picture][i] - special_bars[i] + adjustment) > 0) adjustment = kAdjustment;
    bool flagged = false;
    for (std::size_t i = 0; i < bars.size(); ++i) flagged = flagged || rounded(plain[picture][i] - bars[i] + adjustment) > 0;
    flags.push_back(flagged);
  }
  return flags;
}

Loaded<SafetyChecker> load_safety_checker(const std::filesystem::path& checker, const std::filesystem::path& processor,
                                          const nn::Placement& placement) {
  const Config config{vision_config(nn::JsonConfig::read(checker / "config.json")),
                      nn::ImageProcessor::read(nn::JsonConfig::read(processor))};
  auto loaded = load_network<Checker>(renamed(nn::open_checkpoint(checker)), config, placement);
  return {std::move(loaded.model), std::move(loaded.parameters)};
}

}  // namespace kinora::models::safety

#include "models/t5/text_stage.hpp"

namespace kinora::models::t5 {

PromptEncoder load_text_stage(const ModelFiles& files, nn::Placement placement, diffusion::Components& components) {
  if (placement.dtype == at::kHalf) placement.dtype = at::kBFloat16;
  if (components.residency() == Residency::block_by_block) placement.staged = kBlocks;
  auto loaded = load(Config::read(files.config("text_encoder")), files.weights("text_encoder"), placement);
  auto before_block = components.add("text_encoder", std::move(loaded.parameters), components.device(), loaded.staged, kBlocks);
  const auto inside = files.sentencepiece();
  nn::TokenizerSettings plain;
  plain.extra_ids = 0;  // its file is all that there is of it
  auto tokenizer = inside ? nn::UnigramTokenizer::from_spiece_model(*inside, plain) : nn::UnigramTokenizer::open(files.folder("tokenizer"));
  return {std::make_shared<nn::UnigramTokenizer>(std::move(tokenizer)), loaded.model, std::move(before_block)};
}

}  // namespace kinora::models::t5

#include "models/t5/t5_prompt.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <stdexcept>

#include "nn/load_error.hpp"

namespace kinora::models::t5 {

PromptEncoder::PromptEncoder(std::shared_ptr<const nn::UnigramTokenizer> tokenizer, std::shared_ptr<const Encoder> model,
                             std::function<void(std::size_t)> before_block)
    : tokenizer_(std::move(tokenizer)), model_(std::move(model)), before_block_(std::move(before_block)) {
  if (tokenizer_->largest_id() >= model_->config().vocab_size)
    throw nn::LoadError(
        "text encoder", "vocab_size",
        "is " + std::to_string(model_->config().vocab_size) + ", its tokenizer has the id " + std::to_string(tokenizer_->largest_id()));
}

PromptEmbeddings PromptEncoder::encode(const std::vector<std::string>& prompts, std::size_t length, Padding padding) const {
  if (prompts.empty()) throw std::invalid_argument("prompt: at least one is needed");
  if (length < 1 || length > kMaxPromptTokens)
    throw std::invalid_argument("the length of a prompt must lie between 1 and " + std::to_string(kMaxPromptTokens) + " tokens");
  std::vector<std::int64_t> ids, real;
  std::int64_t longest = 0;
  for (const auto& prompt : prompts) {
    const auto row = tokenizer_->encode_row(prompt, length);
    ids.insert(ids.end(), row.ids.begin(), row.ids.end());
    for (std::size_t i = 0; i < length; ++i) real.push_back(i < row.real ? 1 : 0);
    longest = std::max(longest, static_cast<std::int64_t>(row.real));
  }
  const auto rows = [&](const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong).view({static_cast<std::int64_t>(prompts.size()), -1}).to(model_->device());
  };
  const auto mask = rows(real);
  if (padding == Padding::attended) return {model_->forward(rows(ids), {}, nullptr, before_block_), mask};

  const auto width = static_cast<std::int64_t>(length);
  const auto own_mask = mask.narrow(1, 0, longest);
  const auto encoded =
      model_->forward(rows(ids).narrow(1, 0, longest), prompts.size() > 1 ? own_mask : at::Tensor(), nullptr, before_block_);
  const auto kept = encoded.mul(own_mask.unsqueeze(-1).to(encoded.scalar_type()));
  return {at::constant_pad_nd(kept, {0, 0, 0, width - longest}), mask};
}

}  // namespace kinora::models::t5

#include "models/clip/prompt_encoder.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <map>

#include "nn/load_error.hpp"

namespace kinora::models::clip {
namespace {

using Prompts = std::vector<std::string>;
using Rows = std::vector<PromptRow>;

// The distinct rows of a call, encoded together by one encoder.
class RowBatch {
 public:
  void add(const PromptRow& row) {
    if (index_.try_emplace(row.ids, static_cast<std::int64_t>(index_.size())).second)
      ids_.insert(ids_.end(), row.ids.begin(), row.ids.end());
  }

  // own: layers that the family leaves out; skipped: those that clip_skip leaves out besides.
  void encode(const TextModel& model, PromptFamily family, std::size_t own, std::size_t skipped, bool pooled) {
    const auto ids = at::tensor(ids_, at::kLong).view({static_cast<std::int64_t>(index_.size()), -1}).to(model.device());
    const auto taken = model.layers() - own;
    const auto states = model.hidden_states(ids, pooled ? model.layers() : taken);
    const auto normed = [&](const at::Tensor& x) { return family == PromptFamily::sd ? model.final_norm(x) : x; };
    unskipped_ = normed(states[taken]);
    skipped_ = skipped == 0 ? unskipped_ : normed(states[taken - skipped]);
    if (pooled) pooled_ = model.projected(model.pooled(ids, model.final_norm(states.back())));
  }

  // [T, hidden], with the row's weights relative to `empty`.
  at::Tensor tokens(const PromptRow& row, const PromptRow& empty, bool negative) const {
    const auto& all = negative ? unskipped_ : skipped_;
    auto plain = all[index_.at(row.ids)];
    if (!row.weighted) return plain;
    const auto weights = at::tensor(row.weights, at::kFloat).unsqueeze(-1).to(plain.device());
    return at::lerp(all[index_.at(empty.ids)].to(at::kFloat), plain.to(at::kFloat), weights).to(plain.scalar_type());
  }
  at::Tensor pooled(const PromptRow& row) const { return pooled_[index_.at(row.ids)]; }

 private:
  std::map<std::vector<nn::TokenId>, std::int64_t> index_;
  std::vector<nn::TokenId> ids_;
  at::Tensor skipped_, unskipped_, pooled_;  // [rows, T, hidden] twice, [rows, projection]
};

// As many as prompts: given, one for all, or those that stand in when none are.
Prompts matched(const Prompts& given, const Prompts& otherwise, std::size_t count, const std::string& name) {
  if (given.empty()) return otherwise;
  if (given.size() == 1) return Prompts(count, given.front());
  if (given.size() != count)
    throw std::invalid_argument(name + ": " + std::to_string(given.size()) + " for " + std::to_string(count) +
                                " prompts; give none, one or as many");
  return given;
}

PromptEmbeddings joined(const std::vector<at::Tensor>& tokens, const at::Tensor& pooled) { return {at::cat(tokens, -1), pooled}; }

}  // namespace

PromptEncoder::PromptEncoder(PromptFamily family, std::vector<TextEncoder> encoders, bool zero_negative)
    : family_(family), encoders_(std::move(encoders)), zero_negative_(zero_negative) {
  for (const auto& [tokenizer, model] : encoders_) {
    if (tokenizer->largest_id() >= model->config().vocab_size)
      throw nn::LoadError(
          "text encoder", "vocab_size",
          "is " + std::to_string(model->config().vocab_size) + ", its tokenizer has the id " + std::to_string(tokenizer->largest_id()));
    const auto length = std::min(tokenizer->max_length(), static_cast<std::size_t>(model->config().max_position_embeddings));
    if (length < 3 || (length_ != 0 && length != length_))
      throw nn::LoadError("text encoder", "max_position_embeddings", "must be 3 or more, and equal for all encoders");
    length_ = length;
  }
  if (encoders_.empty() || encoders_.size() > (family == PromptFamily::sd ? 1U : 2U))
    throw nn::LoadError("text encoder", "", "this family has not " + std::to_string(encoders_.size()));
  if (family == PromptFamily::sdxl && !encoders_.back().model->config().projection)
    throw nn::LoadError("text encoder", "architectures", "the last encoder needs a projection (CLIPTextModelWithProjection)");
}

Rows PromptEncoder::rows(const TextEncoder& encoder, const std::string& prompt, PromptSyntax syntax) const {
  if (syntax == PromptSyntax::literal) return {literal_row(*encoder.tokenizer, prompt, length_)};
  return prompt_rows(*encoder.tokenizer, nn::parse_prompt(prompt), length_);
}

EncodedPrompts PromptEncoder::encode(const PromptRequest& request) const {
  const auto count = request.prompts.size();
  if (count == 0) throw std::invalid_argument("prompt: at least one is needed");
  const auto prompts_2 = matched(request.prompts_2, request.prompts, count, "prompt_2");
  const auto negative = matched(request.negative, Prompts(count), count, "negative_prompt");
  const auto negative_2 = matched(request.negative_2, negative, count, "negative_prompt_2");
  const std::size_t own = family_ == PromptFamily::sd ? 0 : 1;  // layers that the family itself leaves out
  const auto skip = request.clip_skip.value_or(0);

  // [encoder][prompt], positive and then negative.
  std::vector<std::vector<Rows>> all;
  std::size_t longest = 1;
  for (std::size_t e = 0; e < encoders_.size(); ++e) {
    const auto most = static_cast<std::int64_t>(encoders_[e].model->layers() - own);
    if (skip < 0 || skip > most) throw std::invalid_argument("clip_skip must lie between 0 and " + std::to_string(most));
    auto& rows_of_all = all.emplace_back();
    for (const auto* texts : {e == 0 ? &request.prompts : &prompts_2, e == 0 ? &negative : &negative_2})
      for (const auto& text : *texts) rows_of_all.push_back(rows(encoders_[e], text, request.syntax));
    for (const auto& of_one : rows_of_all) longest = std::max(longest, of_one.size());
  }

  std::vector<at::Tensor> positive, negatives;
  at::Tensor pooled;
  for (std::size_t e = 0; e < encoders_.size(); ++e) {
    const bool last = family_ == PromptFamily::sdxl && e + 1 == encoders_.size();
    const auto empty = literal_row(*encoders_[e].tokenizer, "", length_);
    RowBatch batch;
    batch.add(empty);
    for (auto& of_one : all[e]) {
      of_one.resize(longest, empty);
      for (const auto& row : of_one) batch.add(row);
    }
    batch.encode(*encoders_[e].model, family_, own, static_cast<std::size_t>(skip), last);
    std::vector<at::Tensor> tokens, first;
    for (std::size_t i = 0; i < all[e].size(); ++i) {
      const auto& of_one = all[e][i];
      std::vector<at::Tensor> parts;
      for (const auto& row : of_one) parts.push_back(batch.tokens(row, empty, /*negative=*/i >= count));
      tokens.push_back(at::cat(parts, 0));
      if (last) first.push_back(batch.pooled(of_one.front()));
    }
    const auto stacked = at::stack(tokens);
    positive.push_back(stacked.narrow(0, 0, static_cast<std::int64_t>(count)));
    negatives.push_back(stacked.narrow(0, static_cast<std::int64_t>(count), static_cast<std::int64_t>(count)));
    if (last) pooled = at::stack(first);
  }
  const auto half = [&](std::int64_t from) { return pooled.defined() ? pooled.narrow(0, from, static_cast<std::int64_t>(count)) : pooled; };
  EncodedPrompts out{joined(positive, half(0)), joined(negatives, half(static_cast<std::int64_t>(count)))};
  if (zero_negative_ && request.negative.empty() && request.negative_2.empty()) {
    out.negative.tokens = at::zeros_like(out.negative.tokens);
    if (pooled.defined()) out.negative.pooled = at::zeros_like(out.negative.pooled);
  }
  return out;
}

}  // namespace kinora::models::clip

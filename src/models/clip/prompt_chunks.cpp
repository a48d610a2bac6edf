#include "models/clip/prompt_chunks.hpp"

#include <algorithm>

namespace kinora::models::clip {
namespace {

constexpr std::size_t kCommaReach = 20;

class RowBuilder {
 public:
  RowBuilder(const nn::ClipTokenizer& tokenizer, std::size_t length) : tokenizer_(tokenizer), length_(length) {
    const auto comma = tokenizer.encode(",");
    if (comma.size() == 1) comma_ = comma.front();
  }

  void add(nn::TokenId id, double weight) {
    const auto room = length_ - 2;
    if (id == comma_) {
      last_comma_ = ids_.size();
    } else if (ids_.size() == room && last_comma_ && room - *last_comma_ <= kCommaReach) {
      const auto kept = static_cast<std::ptrdiff_t>(*last_comma_ + 1);
      const std::vector<nn::TokenId> moved(ids_.begin() + kept, ids_.end());
      const std::vector<float> weights(weights_.begin() + kept, weights_.end());
      ids_.resize(*last_comma_ + 1);
      weights_.resize(*last_comma_ + 1);
      finish_row();
      ids_ = moved;
      weights_ = weights;
    }
    if (ids_.size() == room) finish_row();
    ids_.push_back(id);
    weights_.push_back(static_cast<float>(weight));
  }

  void finish_row() {
    if (rows_.size() == kMaxPromptRows)
      throw std::invalid_argument("a prompt may have " + std::to_string(kMaxPromptRows * (length_ - 2)) + " tokens; this one has more");
    PromptRow row;
    row.weighted = std::any_of(weights_.begin(), weights_.end(), [](float w) { return w != 1.0F; });
    row.ids.assign(length_, tokenizer_.pad());
    row.weights.assign(length_, 1.0F);
    row.ids.front() = tokenizer_.start();
    std::copy(ids_.begin(), ids_.end(), row.ids.begin() + 1);
    std::copy(weights_.begin(), weights_.end(), row.weights.begin() + 1);
    row.ids[ids_.size() + 1] = tokenizer_.end();
    rows_.push_back(std::move(row));
    ids_.clear();
    weights_.clear();
    last_comma_.reset();
  }

  std::vector<PromptRow> finish() {
    if (!ids_.empty() || rows_.empty()) finish_row();
    return std::move(rows_);
  }

 private:
  const nn::ClipTokenizer& tokenizer_;
  std::size_t length_;
  nn::TokenId comma_ = -1;
  std::vector<nn::TokenId> ids_;
  std::vector<float> weights_;
  std::optional<std::size_t> last_comma_;
  std::vector<PromptRow> rows_;
};

}  // namespace

std::vector<PromptRow> prompt_rows(const nn::ClipTokenizer& tokenizer, const std::vector<nn::PromptSection>& prompt, std::size_t length) {
  RowBuilder rows(tokenizer, length);
  for (std::size_t section = 0; section < prompt.size(); ++section) {
    if (section > 0) rows.finish_row();
    for (const auto& [text, weight] : prompt[section])
      for (const auto id : tokenizer.encode(text)) rows.add(id, weight);
  }
  return rows.finish();
}

PromptRow literal_row(const nn::ClipTokenizer& tokenizer, std::string_view prompt, std::size_t length) {
  return {.ids = tokenizer.encode_row(prompt, length), .weights = std::vector<float>(length, 1.0F)};
}

}  // namespace kinora::models::clip

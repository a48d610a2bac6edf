#pragma once
// Steps of a denoiser that leave out the transformer's later blocks: what those added to the tokens is kept and added again while the first
// block does nearly what it did when they last ran (the "first-block cache" of ParaAttention and diffusers).
//
// The bound that holds: a pass is shortened only if |d - d0| <= threshold |d0|, where d is what the first block changes in the tokens, d0
// what it changed in the last whole pass, | | the mean of absolute values over all tokens. Errors of the video itself are not bounded by
// it.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace kinora::models::video {

// Of one sequence of passes that follow each other in time: with guidance in two passes each has its own. One thread. Costs two copies of
// the tokens.
class StepCache {
 public:
  // threshold: above 0, at most 1.
  explicit StepCache(double threshold) : threshold_(threshold) {}

  // Tokens [B, N, width] through the first block and the later ones, or what stands for these.
  template <typename First, typename Later>
  at::Tensor run(const at::Tensor& tokens, const First& first, const Later& later) {
    const auto after_first = first(tokens);
    if (auto guess = instead(tokens, after_first); guess.defined()) return guess;
    auto out = later(after_first);
    later_change_ = out.sub(after_first);
    return out;
  }
  // What other weights or another prompt made is of no use; the counts go on.
  void forget();

  std::int64_t passes() const { return passes_; }
  std::int64_t shortened() const { return shortened_; }

 private:
  // The tokens behind the later blocks without these; undefined, with the first block's change kept, where they must run.
  at::Tensor instead(const at::Tensor& tokens, const at::Tensor& after_first);

  double threshold_;
  at::Tensor first_change_, later_change_;  // of the last whole pass; undefined before it
  std::int64_t passes_ = 0, shortened_ = 0;
};

// Adds up what `caches` counted.
template <typename Result>
void count(const std::vector<StepCache>& caches, Result& result) {
  for (const auto& cache : caches) {
    result.passes += cache.passes();
    result.shortened += cache.shortened();
  }
}

// Called before a block's weights are used, so that they can be brought; may be empty.
using BeforeBlock = std::function<void(std::size_t block)>;

// Tokens through the blocks 0 to count - 1, block(i, tokens), as the cache says when there is one.
template <typename Block>
at::Tensor through_blocks(at::Tensor tokens, std::size_t count, StepCache* cache, const Block& block) {
  const auto from = [&](std::size_t begin) {
    return [&block, begin, count](at::Tensor x) {
      for (std::size_t i = begin; i < count; ++i) x = block(i, x);
      return x;
    };
  };
  if (cache == nullptr) return from(0)(std::move(tokens));
  return cache->run(tokens, [&block](const at::Tensor& x) { return block(0, x); }, from(1));
}

}  // namespace kinora::models::video

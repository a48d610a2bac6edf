#include "kinora_train/samples.hpp"

#include <ATen/ops/stack.h>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"

namespace kinora::train {
namespace {

constexpr std::size_t kClipStride = 30;  // pictures between the starts of two shots of a clip

std::vector<Pair> pairs_of_photo(const Source& source, std::size_t shots, std::int64_t scale, Random& random) {
  const at::Tensor photo = load_photo(source.path);
  const double smallest = min_zoom(photo.size(1), photo.size(2));
  if (smallest > 1) throw Failure("smaller than a training shot");
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < shots; ++i) {
    const Recipe recipe = draw_recipe(random, scale, smallest);
    for (Pair& pair : degrade(shot_of_photo(photo, recipe, random), scale, recipe, random)) pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::vector<Pair> pairs_of_clip(const Source& source, std::size_t shots, std::int64_t scale, Random& random) {
  std::vector<Pair> pairs;
  read_clip(source.path, kShotFrames, kClipStride, [&](const std::vector<at::Tensor>& run) {
    // A photo's share for every run would be too much of one scene: one shot a run, until the share is used.
    if (pairs.size() >= shots * kShotKept) return;
    const Recipe recipe = draw_recipe(random, scale, 1);
    for (Pair& pair : degrade(shot_of_clip(run, random), scale, recipe, random)) pairs.push_back(std::move(pair));
  });
  if (pairs.empty()) throw Failure("shorter than a training shot");
  return pairs;
}

}  // namespace

SampleSet make_samples(const SourceList& list, std::size_t shots, std::int64_t scale, std::uint64_t seed,
                       const std::function<void(std::size_t)>& progress) {
  SampleSet set;
  set.skipped = list.skipped;
  const std::size_t share = list.sources.empty() ? 0 : (shots + list.sources.size() - 1) / list.sources.size();
  for (std::size_t index = 0; index < list.sources.size(); ++index) {
    const Source& source = list.sources[index];
    Random random(seed, index);
    // With few sources nothing can be held out; then training pairs are all there is.
    const bool hold = list.sources.size() >= kHeldOutEvery && index % kHeldOutEvery == kHeldOutEvery / 2;
    try {
      auto pairs =
          source.kind == SourceKind::photo ? pairs_of_photo(source, share, scale, random) : pairs_of_clip(source, share, scale, random);
      (source.kind == SourceKind::photo ? set.photos : set.clips) += 1;
      auto& target = hold ? set.held_out : set.training;
      for (Pair& pair : pairs) target.push_back(std::move(pair));
    } catch (const Failure& failure) {
      set.skipped.push_back(source.path.string() + ": " + failure.what());
    }
    if (progress) progress(index + 1);
  }
  if (set.training.empty()) throw Failure("no photo or clip of the data could be used for training");
  if (set.held_out.size() > kMaxHeldOut) {
    // Evenly thinned, so that all held-out sources stay.
    std::vector<Pair> thinned;
    thinned.reserve(kMaxHeldOut);
    for (std::size_t i = 0; i < kMaxHeldOut; ++i) thinned.push_back(set.held_out[i * set.held_out.size() / kMaxHeldOut]);
    set.held_out = std::move(thinned);
  }
  return set;
}

Batch draw_batch(const std::vector<Pair>& pairs, std::int64_t size, std::uint64_t seed, std::uint64_t step) {
  Random random(seed, step);
  std::vector<at::Tensor> lows, highs;
  for (std::int64_t i = 0; i < size; ++i) {
    const Pair& pair = pairs[random.next() % pairs.size()];
    int top = 0;
    int left = 0;
    at::Tensor low;
    double seen = -1;
    // Half of the time the more detailed of two windows: there is more to learn than in skies.
    for (int tries = random.chance(0.5) ? 2 : 1; tries > 0; --tries) {
      const int y = random.integer(0, static_cast<int>(pair.low.size(1)) - kPatchSide);
      const int x = random.integer(0, static_cast<int>(pair.low.size(2)) - kPatchSide);
      const at::Tensor window = pair.low.slice(1, y, y + kPatchSide).slice(2, x, x + kPatchSide);
      const double found = detail(window);
      if (found > seen) seen = found, top = y, left = x, low = window;
    }
    const auto scale = pair.scale();
    at::Tensor high = pair.high.slice(1, scale * top, scale * (top + kPatchSide)).slice(2, scale * left, scale * (left + kPatchSide));
    if (random.chance(0.5)) low = low.flip({2}), high = high.flip({2});
    if (random.chance(0.5)) low = low.flip({1}), high = high.flip({1});
    if (random.chance(0.5)) low = low.transpose(1, 2), high = high.transpose(1, 2);
    lows.push_back(low);
    highs.push_back(high);
  }
  const auto as_input = [](const std::vector<at::Tensor>& parts) {
    return at::stack(parts).to(at::kFloat).mul_(1.0 / 255).contiguous(at::MemoryFormat::ChannelsLast);
  };
  return {as_input(lows), as_input(highs)};
}

}  // namespace kinora::train

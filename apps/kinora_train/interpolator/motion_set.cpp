#include "kinora_train/interpolator/motion_set.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/random.hpp"
#include "kinora_train/sample_file.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

constexpr std::size_t kReadFrames = (kRunFrames - 1) * kLongestStep + 1;
constexpr int kWindows = 4;  // tried in each run of pictures

// Mean difference in levels of 0..255. Every second row and column, which is enough and quicker.
double difference(const at::Tensor& a, const at::Tensor& b) {
  const auto thin = [](const at::Tensor& x) { return x.slice(1, 0, x.size(1), 2).slice(2, 0, x.size(2), 2).to(at::kFloat); };
  return (thin(a) - thin(b)).abs().mean().item<double>();
}

at::Tensor with_shorter_side(const at::Tensor& photo, std::int64_t side) {
  const double factor = static_cast<double>(side) / static_cast<double>(std::min(photo.size(1), photo.size(2)));
  if (factor >= 1) return photo;
  const auto scaled = [&](std::int64_t length) { return std::llround(static_cast<double>(length) * factor); };
  return to_bytes(shrunk(photo, scaled(photo.size(1)), scaled(photo.size(2))));
}

// One run from pictures that follow each other: a random step, the size as it is or half, and a window; undefined: nothing fits.
at::Tensor draw_run(const std::vector<at::Tensor>& pictures, bool want_still, Random& random) {
  const int step = random.integer(1, kLongestStep);
  const std::int64_t height = pictures.front().size(1), width = pictures.front().size(2);
  const bool half = std::min(height, width) >= 2 * kRunSide && random.chance(std::min(height, width) >= 700 ? 0.7 : 0.3);
  const std::int64_t side = half ? 2 * kRunSide : kRunSide;
  if (std::min(height, width) < side) return {};
  at::Tensor best;
  double most = want_still ? kMoving : 0;
  for (int i = 0; i < kWindows; ++i) {
    const int top = random.integer(0, static_cast<int>(height - side)), left = random.integer(0, static_cast<int>(width - side));
    std::vector<at::Tensor> run;
    run.reserve(kRunFrames);
    for (std::int64_t frame = 0; frame < kRunFrames; ++frame)
      run.push_back(pictures[static_cast<std::size_t>(frame * step)].slice(1, top, top + side).slice(2, left, left + side));
    const double motion = difference(run.front(), run.back());
    if (want_still ? motion >= most : motion <= std::max(most, kMoving)) continue;
    bool cut = false;
    for (std::size_t frame = 1; frame < run.size(); ++frame) cut |= difference(run[frame - 1], run[frame]) > kTooMuch;
    if (cut) continue;
    most = motion;
    if (half)
      for (at::Tensor& picture : run) picture = to_bytes(shrunk(picture, kRunSide, kRunSide));
    best = at::stack(run);
  }
  return best;
}

at::Tensor checked_runs(const nn::TensorMap& all, const std::string& name) {
  const auto found = all.find(name);
  if (found == all.end()) return {};
  const at::IntArrayRef run{kRunFrames, 3, kRunSide, kRunSide};
  if (found->second.dim() != 5 || found->second.sizes().slice(1) != run || found->second.scalar_type() != at::kByte)
    throw Failure("the prepared motion has other shapes than this program makes");
  return found->second;
}

}  // namespace

std::vector<at::Tensor> runs_of_clip(const std::filesystem::path& path, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<at::Tensor> runs;
  read_clip(path, kReadFrames, kReadFrames, [&](const std::vector<at::Tensor>& pictures) {
    for (int i = 0; i < 2 * kWindows && runs.size() < 4 * count; ++i)
      if (const at::Tensor run = draw_run(pictures, random.chance(kStillShare), random); run.defined()) runs.push_back(run);
  });
  // From all over the clip.
  if (runs.size() > count) {
    std::vector<at::Tensor> thinned;
    thinned.reserve(count);
    for (std::size_t i = 0; i < count; ++i) thinned.push_back(runs[i * runs.size() / count]);
    return thinned;
  }
  return runs;
}

MotionSet make_motion_set(const SourceList& list, std::size_t runs, std::uint64_t seed,
                          const std::function<void(const std::string&)>& talk) {
  MotionSet set;
  set.skipped = list.skipped;
  const auto clips = static_cast<std::size_t>(
      std::count_if(list.sources.begin(), list.sources.end(), [](const Source& source) { return source.kind == SourceKind::clip; }));
  const std::size_t share = clips == 0 ? 0 : (runs + clips - 1) / clips;
  std::vector<at::Tensor> training, held_out;
  for (std::size_t index = 0; index < list.sources.size(); ++index) {
    const Source& source = list.sources[index];
    try {
      if (source.kind == SourceKind::photo) {
        const at::Tensor photo = load_photo(source.path);
        if (std::min(photo.size(1), photo.size(2)) < kRunSide) throw Failure("smaller than a training picture");
        set.photos.push_back(with_shorter_side(photo, kPhotoSide));
        set.photos.push_back(with_shorter_side(photo, kPhotoSide / 2));
        ++set.photo_files;
      } else {
        auto found = runs_of_clip(source.path, share, Random(seed, index).next());
        if (found.empty()) throw Failure("nothing moves, or it is too short or small");
        const bool hold = clips >= kClipHeldOut && set.clip_files % kClipHeldOut == kClipHeldOut / 2;
        auto& target = hold ? held_out : training;
        talk(source.path.filename().string() + ": " + std::to_string(found.size()) + " runs" + (hold ? ", for the score" : ""));
        target.insert(target.end(), found.begin(), found.end());
        ++set.clip_files;
      }
    } catch (const Failure& failure) {
      set.skipped.push_back(source.path.string() + ": " + failure.what());
      talk("skipped " + set.skipped.back());
    }
  }
  if (!training.empty()) set.training = at::stack(training);
  if (!held_out.empty()) set.held_out = at::stack(held_out);
  if (set.photos.empty() && training.empty()) throw Failure("no photo or clip of the data could be used for training");
  return set;
}

void save_motion_set(const std::filesystem::path& path, const MotionSet& set) {
  nn::TensorMap all;
  for (std::size_t i = 0; i < set.photos.size(); ++i) all["photo." + std::to_string(i)] = set.photos[i];
  if (set.training.defined()) all["training"] = set.training;
  if (set.held_out.defined()) all["held_out"] = set.held_out;
  nn::write_safetensors(path, all, {{"photo_files", std::to_string(set.photo_files)}, {"clip_files", std::to_string(set.clip_files)}});
}

MotionSet load_motion_set(const std::filesystem::path& path) {
  const nn::SafetensorsFile file(path);
  const nn::TensorMap all = file.tensors();
  MotionSet set;
  set.training = checked_runs(all, "training");
  set.held_out = checked_runs(all, "held_out");
  for (std::size_t i = 0; all.contains("photo." + std::to_string(i)); ++i) {
    const at::Tensor& photo = all.at("photo." + std::to_string(i));
    if (photo.dim() != 3 || photo.size(0) != 3 || photo.scalar_type() != at::kByte || std::min(photo.size(1), photo.size(2)) < kRunSide)
      throw Failure("the prepared motion has other shapes than this program makes");
    set.photos.push_back(photo);
  }
  if (set.photos.empty() && !set.training.defined()) throw Failure(path.string() + ": nothing to train with");
  set.photo_files = stored_number(path, file.header(), "photo_files");
  set.clip_files = stored_number(path, file.header(), "clip_files");
  return set;
}

}  // namespace kinora::train

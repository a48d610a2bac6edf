#include "kinora_train/degrade.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kinora_train/error.hpp"
#include "kinora_train/h264_loop.hpp"
#include "kinora_train/pictures.hpp"

namespace kinora::train {
namespace {

constexpr double kMinZoom = 0.15;
constexpr double kMaxZoom = 0.7;
constexpr int kWindowTries = 4;
constexpr double kMaxNoise = 10;

// Of some random windows the one with the most detail, so that skies do not fill the training set; sometimes just the first.
template <class Window>
auto choose_window(Random& random, const Window& window) {
  auto best = window();
  if (random.chance(0.2)) return best;
  double best_detail = detail(best);
  for (int i = 1; i < kWindowTries; ++i) {
    auto other = window();
    if (const double found = detail(other); found > best_detail) best = std::move(other), best_detail = found;
  }
  return best;
}

at::Tensor window_of(const at::Tensor& picture, std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) {
  return picture.slice(1, top, top + height).slice(2, left, left + width);
}

}  // namespace

Recipe draw_recipe(Random& random, std::int64_t scale, double smallest_zoom) {
  static constexpr std::array<const char*, 4> kPresets{"veryfast", "medium", "medium", "medium"};
  Recipe recipe;
  const double low = std::max(kMinZoom, smallest_zoom);
  recipe.zoom = low >= 1 ? 1 : low * std::pow(kMaxZoom / std::min(low, kMaxZoom), random.uniform());
  if (random.chance(0.6)) recipe.pan_x = random.integer(-kMaxPan, kMaxPan);
  if (random.chance(0.4)) recipe.pan_y = random.integer(-kMaxPan / 2, kMaxPan / 2);
  if (random.chance(0.25)) recipe.kernel = random.chance(0.5) ? Kernel::area : Kernel::lanczos;
  // As large for the small pictures, whatever the scale.
  if (random.chance(0.15)) recipe.blur = random.uniform(0.2, 0.75) * static_cast<double>(scale);
  if (random.chance(0.3)) recipe.noise = kMaxNoise * std::pow(random.uniform(), 1.5);
  recipe.coded = !random.chance(0.04);
  // Two draws' mean: most often around the middle, where published clips are.
  recipe.crf = (random.integer(kMinCrf, kMaxCrf) + random.integer(kMinCrf, kMaxCrf)) / 2;
  recipe.preset = kPresets[static_cast<std::size_t>(random.integer(0, kPresets.size() - 1))];
  return recipe;
}

double min_zoom(std::int64_t height, std::int64_t width) {
  const double side = kShotSide + kMaxPan * (kShotFrames - 1);
  return side / static_cast<double>(std::min(height, width));
}

std::vector<at::Tensor> shot_of_photo(const at::Tensor& photo, const Recipe& recipe, Random& random) {
  const int across = kShotSide + std::abs(recipe.pan_x) * (kShotFrames - 1);
  const int down = kShotSide + std::abs(recipe.pan_y) * (kShotFrames - 1);
  const auto height = std::min(photo.size(1), static_cast<std::int64_t>(std::lround(down / recipe.zoom)));
  const auto width = std::min(photo.size(2), static_cast<std::int64_t>(std::lround(across / recipe.zoom)));
  if (height < down || width < across) throw Failure("the photo is too small for a shot");
  const at::Tensor field = choose_window(random, [&] {
    const int top = random.integer(0, static_cast<int>(photo.size(1) - height));
    const int left = random.integer(0, static_cast<int>(photo.size(2) - width));
    return shrunk(window_of(photo, top, left, height, width), down, across);
  });
  std::vector<at::Tensor> shot;
  for (int i = 0; i < kShotFrames; ++i) {
    const int x = recipe.pan_x * (recipe.pan_x >= 0 ? i : i - (kShotFrames - 1));
    const int y = recipe.pan_y * (recipe.pan_y >= 0 ? i : i - (kShotFrames - 1));
    shot.push_back(window_of(field, y, x, kShotSide, kShotSide));
  }
  return shot;
}

std::vector<at::Tensor> shot_of_clip(std::span<const at::Tensor> pictures, Random& random) {
  if (pictures.size() < kShotFrames) throw Failure("a clip shorter than a shot");
  const at::Tensor& first = pictures.front();
  if (first.size(1) < kShotSide || first.size(2) < kShotSide) throw Failure("the clip's pictures are too small for a shot");
  int top = 0;
  int left = 0;
  double best = -1;
  for (int i = 0; i < kWindowTries; ++i) {
    const int y = random.integer(0, static_cast<int>(first.size(1) - kShotSide));
    const int x = random.integer(0, static_cast<int>(first.size(2) - kShotSide));
    if (const double found = detail(window_of(first, y, x, kShotSide, kShotSide)); found > best) best = found, top = y, left = x;
  }
  std::vector<at::Tensor> shot;
  for (const at::Tensor& picture : pictures.first(kShotFrames))
    shot.push_back(window_of(picture, top, left, kShotSide, kShotSide).to(at::kFloat));
  return shot;
}

std::vector<Pair> degrade(const std::vector<at::Tensor>& shot, std::int64_t scale, const Recipe& recipe, Random& random) {
  if (scale < 1 || kShotSide / 2 % scale != 0) throw Failure(std::to_string(kShotSide / 2) + " is no multiple of the scale");
  const int side = kShotSide / static_cast<int>(scale);
  std::vector<media::Frame> small;
  for (const at::Tensor& picture : shot) {
    small.push_back(resized(frame_of(to_bytes(blurred(picture, recipe.blur)), {}), side, side, recipe.kernel));
    if (recipe.noise > 0) small.back() = frame_of(to_bytes(noisy(rgb_of(small.back()).to(at::kFloat), recipe.noise, random.next())), {});
  }
  if (recipe.coded) small = through_h264(small, {recipe.crf, recipe.preset});
  std::vector<Pair> pairs;
  for (int i = 0; i < kShotKept; ++i) {
    // One picture of each third of the shot.
    const auto index = static_cast<std::size_t>(random.integer(i * kShotFrames / kShotKept, (i + 1) * kShotFrames / kShotKept - 1));
    pairs.push_back({rgb_of(small[index]), to_bytes(shot[index])});
  }
  return pairs;
}

}  // namespace kinora::train

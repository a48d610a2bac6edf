#include "kinora_train/interpolator/moving_scene.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kinora::train {
namespace {

constexpr double kStillShare = 0.2;        // of the layers do not move: most cameras stand
constexpr int kBilinear = 0, kBorder = 1;  // of grid_sampler

// Coordinates [side, side] each.
struct Points {
  at::Tensor x, y;
};

Points pixels(std::int64_t side) {
  const at::Tensor line = at::arange(side, at::kFloat) - static_cast<double>(side - 1) / 2;
  return {line.unsqueeze(0).expand({side, side}), line.unsqueeze(1).expand({side, side})};
}

Points moved(const Affine& map, const Points& p) { return {p.x * map.xx + p.y * map.xy + map.x0, p.x * map.yx + p.y * map.yy + map.y0}; }

at::Tensor look(const at::Tensor& photo, const Points& at) {
  // Only the part that is seen becomes float.
  const auto range = [](const at::Tensor& positions, std::int64_t end) {
    const auto clamped = [&](const at::Tensor& value, int more) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(value.item<float>())) + more, 0, end - 2);
    };
    return std::pair{clamped(positions.min(), 0), clamped(positions.max(), 1) + 1};
  };
  const auto [left, right] = range(at.x, photo.size(2));
  const auto [top, bottom] = range(at.y, photo.size(1));
  const at::Tensor part = photo.slice(1, top, bottom + 1).slice(2, left, right + 1).to(at::kFloat);
  const at::Tensor grid = at::stack({(at.x - static_cast<double>(left)) * (2.0 / static_cast<double>(right - left)) - 1,
                                     (at.y - static_cast<double>(top)) * (2.0 / static_cast<double>(bottom - top)) - 1},
                                    2);
  return at::grid_sampler_2d(part.unsqueeze(0), grid.unsqueeze(0), kBilinear, kBorder, /*align_corners=*/true).squeeze(0);
}

// 0 outside to 1 inside, over one pixel of the photo; undefined: everywhere.
at::Tensor cover(const std::vector<Outline>& outlines, const Points& at) {
  at::Tensor whole;
  for (const Outline& outline : outlines) {
    const double cosine = std::cos(outline.angle), sine = std::sin(outline.angle);
    const at::Tensor x = at.x - outline.x, y = at.y - outline.y;
    const at::Tensor along = x * cosine + y * sine, across = y * cosine - x * sine;
    at::Tensor inside;
    if (outline.round)
      inside = (1 - ((along / outline.half_width).square() + (across / outline.half_height).square()).sqrt()) *
               std::min(outline.half_width, outline.half_height);
    else
      inside = at::minimum(outline.half_width - along.abs(), outline.half_height - across.abs());
    inside = (inside + 0.5).clamp(0, 1);
    whole = whole.defined() ? at::maximum(whole, inside) : inside;
  }
  return whole;
}

const at::Tensor& one_of(const std::vector<at::Tensor>& photos, Random& random) { return photos[random.next() % photos.size()]; }

// Signed, small values more often.
double either_way(double largest, Random& random) {
  const double part = random.uniform(-1, 1);
  return largest * part * std::abs(part);
}

Path draw_path(const at::Tensor& photo, std::int64_t side, Random& random) {
  Path path;
  path.step = random.uniform(0.6, 1.2);
  const auto place = [&](std::int64_t end) {
    const double margin = std::min(0.5 * static_cast<double>(end), path.step * 0.6 * static_cast<double>(side));
    return random.uniform(margin, static_cast<double>(end) - margin);
  };
  path.x = place(photo.size(2));
  path.y = place(photo.size(1));
  const double length = kLargestShift * std::pow(random.uniform(), 2), direction = random.uniform(0, 2 * std::numbers::pi);
  path.shift_x = length * std::cos(direction);
  path.shift_y = length * std::sin(direction);
  path.turn = either_way(kLargestTurn, random);
  path.zoom = either_way(kLargestZoom, random);
  if (random.chance(kStillShare)) path.shift_x = path.shift_y = path.turn = path.zoom = 0;
  return path;
}

}  // namespace

Affine Affine::inverse() const {
  const double area = xx * yy - xy * yx;
  const Affine back{yy / area, -xy / area, -yx / area, xx / area};
  return {back.xx, back.xy, back.yx, back.yy, -(back.xx * x0 + back.xy * y0), -(back.yx * x0 + back.yy * y0)};
}

Affine Affine::after(const Affine& first) const {
  return {xx * first.xx + xy * first.yx, xx * first.xy + xy * first.yy,      yx * first.xx + yy * first.yx,
          yx * first.xy + yy * first.yy, xx * first.x0 + xy * first.y0 + x0, yx * first.x0 + yy * first.y0 + y0};
}

Affine Path::at(double time) const {
  const double passed = time - 0.5, size = step * std::exp(zoom * passed);
  const double cosine = size * std::cos(turn * passed), sine = size * std::sin(turn * passed);
  return {cosine, -sine, sine, cosine, x + step * shift_x * passed, y + step * shift_y * passed};
}

at::Tensor picture_at(const MovingScene& scene, double time, std::int64_t side) {
  at::Tensor picture;
  for (const Layer& layer : scene.layers) {
    const Points at = moved(layer.path.at(time), pixels(side));
    const at::Tensor seen = look(layer.photo, at);
    const at::Tensor share = cover(layer.outlines, at);
    picture = share.defined() && picture.defined() ? picture.lerp(seen, share) : seen;
  }
  return picture;
}

at::Tensor flow_at(const MovingScene& scene, double time, std::int64_t side) {
  const Points here = pixels(side);
  at::Tensor flow;
  for (const Layer& layer : scene.layers) {
    const Affine view = layer.path.at(time);
    const Points at_0 = moved(layer.path.at(0).inverse().after(view), here), at_1 = moved(layer.path.at(1).inverse().after(view), here);
    const at::Tensor own = at::stack({at_0.x - here.x, at_0.y - here.y, at_1.x - here.x, at_1.y - here.y});
    const at::Tensor share = cover(layer.outlines, moved(view, here));
    flow = share.defined() && flow.defined() ? at::where(share > 0.5, own, flow) : own;
  }
  return flow;
}

MovingScene draw_scene(const std::vector<at::Tensor>& photos, std::int64_t side, Random& random) {
  MovingScene scene;
  const at::Tensor& behind = one_of(photos, random);
  scene.layers.push_back({behind, draw_path(behind, side, random), {}});
  for (int before = random.integer(0, 2); before > 0; --before) {
    const at::Tensor& photo = one_of(photos, random);
    Layer layer{photo, draw_path(photo, side, random), {}};
    if (random.chance(0.5)) {
      // Like a thing in the scene: it goes along with the camera and has a motion of its own.
      const Path& camera = scene.layers.front().path;
      layer.path.shift_x = camera.shift_x + either_way(16, random);
      layer.path.shift_y = camera.shift_y + either_way(16, random);
      layer.path.turn = camera.turn + either_way(kLargestTurn, random);
      layer.path.zoom = camera.zoom;
    }
    const double reach = 0.5 * static_cast<double>(side) * layer.path.step;
    for (int parts = random.integer(1, 3); parts > 0; --parts)
      layer.outlines.push_back({random.chance(0.6), layer.path.x + random.uniform(-reach, reach),
                                layer.path.y + random.uniform(-reach, reach), reach * random.uniform(0.08, 0.6),
                                reach * random.uniform(0.08, 0.6), random.uniform(0, std::numbers::pi)});
    scene.layers.push_back(std::move(layer));
  }
  return scene;
}

}  // namespace kinora::train

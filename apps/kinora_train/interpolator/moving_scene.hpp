#pragma once
// Pictures of photos that move in a known way, with the flow between them: what an interpolator learns the meaning of flow from.
//
// A scene is layers from back to front. Each layer looks into its photo along a path, rotation, zoom and shift linear in time, and covers
// everything or what its shapes cover, which stand still in the layer and so move with it.
#include <ATen/core/Tensor.h>

#include <vector>

#include "kinora_train/random.hpp"

namespace kinora::train {

// (x, y) -> (xx x + xy y + x0, yx x + yy y + y0)
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1, x0 = 0, y0 = 0;
  Affine inverse() const;
  // This after `first`.
  Affine after(const Affine& first) const;
};

// Pixel (0, 0) is the centre of the picture; positions in the photo are of its pixels, (0, 0) the first.
struct Path {
  double x = 0, y = 0;              // in the photo, seen in the centre at time 0.5
  double step = 1;                  // photo pixels for a pixel of the picture at time 0.5
  double shift_x = 0, shift_y = 0;  // pixels of the picture that the view goes over the photo from time 0 to 1
  double turn = 0;                  // radians from time 0 to 1
  double zoom = 0;                  // logarithm of how much the step grows from time 0 to 1
  // From the picture at this time to the photo.
  Affine at(double time) const;
};

// An ellipse or a rectangle in the photo's pixels, half sides along its own axes.
struct Outline {
  bool round = true;
  double x = 0, y = 0, half_width = 1, half_height = 1, angle = 0;
};

struct Layer {
  at::Tensor photo;  // uint8 [3, h, w]
  Path path;
  std::vector<Outline> outlines;  // none: everywhere
};

struct MovingScene {
  std::vector<Layer> layers;  // at least one; the first is everywhere
};

// [3, side, side] float32 0..255.
at::Tensor picture_at(const MovingScene& scene, double time, std::int64_t side);
// [4, side, side] float32: from each pixel at this time to where its point lies at time 0 (x, y), and at time 1 (x, y). Where a layer in
// front hides the point at time 0 or 1, the flow goes there all the same.
at::Tensor flow_at(const MovingScene& scene, double time, std::int64_t side);

inline constexpr double kLargestShift = 32;  // pixels from time 0 to 1, of the background
inline constexpr double kLargestTurn = 0.08, kLargestZoom = 0.1;

// A background and up to two layers before it. photos: at least one, each larger than `side`.
MovingScene draw_scene(const std::vector<at::Tensor>& photos, std::int64_t side, Random& random);

}  // namespace kinora::train

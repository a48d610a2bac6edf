#pragma once
// Procedural clips as pixels, with smooth edges.
#include <cstdint>
#include <span>
#include <vector>

#include "kinora_train/clips/scene.hpp"

namespace kinora::train {

struct Clip {
  int frames = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  // [frames, height, width, 3], R G B

  std::uint8_t* at(int frame, int y, int x) { return &pixels[3 * ((static_cast<std::size_t>(frame) * height + y) * width + x)]; }
  const std::uint8_t* at(int frame, int y, int x) const {
    return &pixels[3 * ((static_cast<std::size_t>(frame) * height + y) * width + x)];
  }
};

struct Point {
  double x = 0, y = 0;
};

// Centre of the shape in a frame, from 0.
Point centre(const Scene& scene, int frame);

// How far the point (x, y), measured from the shape's centre, lies outside of its edge; negative inside.
double edge_distance(Shape shape, double radius, double x, double y);

// kClipFrames frames of kClipSide x kClipSide. A pixel's share of the shape is taken from its centre's distance to the edge.
Clip render(const Scene& scene);

}  // namespace kinora::train

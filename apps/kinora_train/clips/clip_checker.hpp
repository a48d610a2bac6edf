#pragma once
// Reads from the pixels of a clip what it shows, as a person would: one shape of one colour that moves over a background. It knows the
// palette and the shapes of scene.hpp and nothing else of how a clip was made. What is not plain stays empty.
#include <optional>
#include <string>

#include "kinora_train/clips/render.hpp"

namespace kinora::train {

struct Seen {
  std::optional<Shape> shape;
  std::optional<Colour> colour;
  std::optional<Direction> direction;
  std::optional<Background> background;

  bool operator==(const Seen&) const = default;
};

// Clips of at least 3 frames and 32 x 32 pixels; others: Failure.
Seen look_at(const Clip& clip);

// "red ball, left, sky"; "?" for what is not plain.
std::string describe(const Seen& seen);

// Which of the four properties are as asked for.
struct Agreement {
  bool shape = false, colour = false, direction = false, background = false;
  bool all() const { return shape && colour && direction && background; }
};
Agreement compare(const Seen& seen, const Combination& asked);

}  // namespace kinora::train

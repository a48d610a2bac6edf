#pragma once
// Upscaling a video with the network only where the picture is new (FAST, Zhang and Sze, arXiv 1603.08968, in a form of our own;
// docs/decisions/0007).
//
// The last picture that the network made whole is the canvas. Each cell of the next pictures looks for its place on it (else on the picture
// before), starting from the codec's motion vectors where there are some. The detail that the network added there is carried to the cell;
// what cannot be found is stale. Few stale cells are made anew in tiles, which then are part of the canvas; many give a new canvas.
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "models/fast/detail.hpp"
#include "models/fast/motion_search.hpp"

namespace kinora::models::fast {

// A block of the codec, in source pixels: what lies at (x, y) is predicted from (x + dx, y + dy) of another picture.
struct BlockMotion {
  int x = 0, y = 0, width = 0, height = 0;
  float dx = 0, dy = 0;
};

struct Counts {
  std::int64_t frames = 0;
  std::int64_t whole = 0;  // of these: made by the network alone
  std::int64_t tiles = 0;  // made anew within the others
  std::int64_t cells = 0, carried = 0;
  double carried_share() const { return cells == 0 ? 0 : static_cast<double>(carried) / static_cast<double>(cells); }
};

enum class Mode {
  always,
  when_it_pays  // stops for good when carrying takes more than a third of the network's time
};

// An Upscaler over another one, for the pictures of one video in display order.
class FastUpscaler final : public Upscaler {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  FastUpscaler(Upscaler& network, Mode mode, Clock clock = std::chrono::steady_clock::now)
      : network_(network), mode_(mode), clock_(std::move(clock)) {}

  // The motion of the next picture, as the codec tells it; each a guess only. None: it is searched for.
  void hint(std::vector<BlockMotion> motion) { hints_ = std::move(motion); }
  // The next picture begins anew, as the first of a video does: nothing from before it has a part in what follows.
  void restart();
  const Counts& counts() const { return counts_; }

  std::int64_t scale() const override { return network_.scale(); }
  bool set_denoise(double strength) override { return network_.set_denoise(strength); }
  std::string description() const override { return network_.description(); }
  using Upscaler::upscale;
  void upscale(const Picture& in, void* out, const Watch& watch) override;

 private:
  // A picture that others take detail from.
  struct Source {
    Luma luma;
    Layer detail;
  };
  struct Cell {
    bool from_canvas = true;
    Vector vector{};     // into its source
    Vector on_canvas{};  // where the cell is on the canvas, as far as known: where to look next time
    float weight = 0;    // of the carried detail, 0..1; 0: stale
    bool anew = false;   // made by the network for this picture
    float wear = 0;      // error gathered since the network made it
  };
  using Plan = Cells<Cell>;
  struct Tile {
    int x0, y0, x1, y1;  // source pixels
  };

  void whole(const Picture& in, void* out, const Watch& watch, Luma now);
  Plan plan(const Luma& now) const;
  Cell judge(int column, int row, const MotionSearch& on_canvas, const MotionSearch* on_previous, const Plan& so_far,
             const Cells<Vector>& hints) const;
  Cells<Vector> hint_cells() const;
  std::vector<Tile> stale_tiles(const Plan& plan) const;
  static Tile with_context(const Tile& tile, const Picture& in);
  Layer carry(const Plan& plan, SampleType type) const;
  void make_anew(const Picture& in, const Tile& tile, const Layer& base, Layer& detail, const Luma& now, Plan& plan, const Watch& watch);

  Upscaler& network_;
  Mode mode_;
  Clock clock_;
  std::vector<BlockMotion> hints_;
  std::optional<Source> canvas_;
  std::optional<Source> previous_;  // the picture before, unless that is the canvas
  Plan state_;                      // of the picture before
  int since_whole_ = 0;
  int failures_ = 0, skip_ = 0;  // pictures in a row that could not be carried; how many go to the network untried
  bool pays_ = true;
  std::chrono::duration<double> whole_time_{0};
  Counts counts_;
};

}  // namespace kinora::models::fast

#include "models/fast/fast_upscaler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace kinora::models::fast {
namespace {

constexpr float kMostError = 8;              // mean difference of a cell, in levels, beyond which nothing is carried
constexpr float kMostWear = 4 * kMostError;  // the same, gathered from picture to picture
constexpr int kMostFrames = 48;              // pictures on one canvas
constexpr float kFarthest = 4096;            // source pixels that a codec's vector may lead
constexpr int kTile = 64, kContext = 20;     // source pixels; the context is a multiple of 4, as networks with folded pixels want
constexpr int kStaleCells = 2;               // of a tile's 64, from which on it is made anew; fewer fade to bicubic
constexpr double kMostTiles = 0.6;           // of a whole picture's pixels, contexts included
constexpr int kMostFailures = 3;
constexpr double kPays = 1.0 / 3;

float weight_of(float error, float wear) {
  if (wear >= kMostWear) return 0;
  return std::clamp((kMostError - error) / (kMostError / 2), 0.0F, 1.0F);
}

// The nearest cell that is inside.
template <class T>
const T& cell_at(const Cells<T>& cells, int x, int y) {
  return cells.at(std::clamp(x / kCell, 0, cells.columns - 1), std::clamp(y / kCell, 0, cells.rows - 1));
}

// The rectangle [x0, x1) x [y0, y1) of a picture, as a picture of its own.
std::vector<std::uint8_t> crop(const Picture& in, int x0, int y0, int x1, int y1) {
  const bool packed = in.type == SampleType::packed_u8;
  const std::size_t pixel = packed ? 3 : 2, planes = packed ? 1 : 3;
  const auto width = static_cast<std::size_t>(in.width), height = static_cast<std::size_t>(in.height);
  const std::size_t length = static_cast<std::size_t>(x1 - x0) * pixel;
  std::vector<std::uint8_t> out(length * static_cast<std::size_t>(y1 - y0) * planes);
  std::uint8_t* to = out.data();
  for (std::size_t plane = 0; plane < planes; ++plane)
    for (auto y = static_cast<std::size_t>(y0); y < static_cast<std::size_t>(y1); ++y, to += length)
      std::memcpy(to, static_cast<const std::uint8_t*>(in.data) + ((plane * height + y) * width + static_cast<std::size_t>(x0)) * pixel,
                  length);
  return out;
}

}  // namespace

void FastUpscaler::upscale(const Picture& in, void* out, const Watch& watch) {
  ++counts_.frames;
  const bool same = canvas_ && canvas_->luma.width() == in.width && canvas_->luma.height() == in.height;
  if (!pays_ || !same || skip_ > 0 || since_whole_ >= kMostFrames) {
    skip_ = std::max(skip_ - 1, 0);
    return whole(in, out, watch, pays_ && skip_ == 0 ? Luma(in) : Luma());
  }
  const auto started = clock_();
  Luma now(in);
  Plan plan = this->plan(now);
  const auto tiles = stale_tiles(plan);
  double pixels = 0;
  for (const Tile& tile : tiles) {
    const Tile all = with_context(tile, in);
    pixels += static_cast<double>(all.x1 - all.x0) * (all.y1 - all.y0);
  }
  if (pixels > kMostTiles * static_cast<double>(in.width) * static_cast<double>(in.height)) {
    skip_ = (1 << failures_) - 1;  // a cut is followed by a new try at once, a scene that moves too much is not
    failures_ = std::min(failures_ + 1, kMostFailures);
    return whole(in, out, watch, skip_ == 0 ? std::move(now) : Luma());
  }
  failures_ = 0;
  const Layer base = bicubic(in, static_cast<int>(scale()));
  Layer detail = carry(plan, in.type);
  std::chrono::duration<double> own = clock_() - started;
  double done = 0;
  for (const Tile& tile : tiles) {
    make_anew(in, tile, base, detail, now, plan,
              watch ? [&](double part) { return watch((done + part) / static_cast<double>(tiles.size())); } : Watch());
    ++done;
  }
  const auto adding = clock_();
  add(base, detail, in.type, out);
  own += clock_() - adding;
  if (mode_ == Mode::when_it_pays && own > kPays * whole_time_) pays_ = false;
  previous_ = Source{std::move(now), std::move(detail)};
  counts_.tiles += static_cast<std::int64_t>(tiles.size());
  counts_.cells += static_cast<std::int64_t>(plan.values.size());
  counts_.carried += std::count_if(plan.values.begin(), plan.values.end(), [](const Cell& cell) { return cell.weight > 0 && !cell.anew; });
  state_ = std::move(plan);
  ++since_whole_;
  hints_.clear();
}

void FastUpscaler::restart() {
  canvas_.reset();
  failures_ = skip_ = 0;
}

// now: without pixels when the next picture goes to the network as well.
void FastUpscaler::whole(const Picture& in, void* out, const Watch& watch, Luma now) {
  const auto started = clock_();
  network_.upscale(in, out, watch);
  whole_time_ = clock_() - started;
  ++counts_.whole;
  counts_.cells += ((in.width + kCell - 1) / kCell) * ((in.height + kCell - 1) / kCell);
  previous_.reset();
  hints_.clear();
  since_whole_ = 0;
  if (now.width() == 0) {
    canvas_.reset();
    return;
  }
  const auto s = scale();
  canvas_ = Source{std::move(now), difference({.data = out, .type = in.type, .width = in.width * s, .height = in.height * s},
                                              bicubic(in, static_cast<int>(s)))};
  state_ = Plan(static_cast<int>(in.width), static_cast<int>(in.height));
}

// The codec's vector of each cell, in pixels of the enlarged picture.
Cells<Vector> FastUpscaler::hint_cells() const {
  Cells<Vector> out(canvas_->luma.width(), canvas_->luma.height());
  const auto s = static_cast<float>(scale());
  for (const BlockMotion& block : hints_) {
    const auto pixels = [&](float value) { return static_cast<int>(std::lround(std::clamp(value, -kFarthest, kFarthest) * s)); };
    const Vector vector{pixels(block.dx), pixels(block.dy)};
    const int c0 = std::max(block.x / kCell, 0), c1 = std::min((block.x + block.width + kCell - 1) / kCell, out.columns);
    const int r0 = std::max(block.y / kCell, 0), r1 = std::min((block.y + block.height + kCell - 1) / kCell, out.rows);
    for (int row = r0; row < r1; ++row)
      for (int column = c0; column < c1; ++column) out.at(column, row) = vector;
  }
  return out;
}

FastUpscaler::Plan FastUpscaler::plan(const Luma& now) const {
  const int s = static_cast<int>(scale());
  const MotionSearch on_canvas(now, canvas_->luma, s);
  std::optional<MotionSearch> on_previous;
  if (previous_) on_previous.emplace(now, previous_->luma, s);
  const auto hints = hint_cells();
  Plan out(now.width(), now.height());
  for (int row = 0; row < out.rows; ++row)
    for (int column = 0; column < out.columns; ++column)
      out.at(column, row) = judge(column, row, on_canvas, on_previous ? &*on_previous : nullptr, out, hints);
  return out;
}

FastUpscaler::Cell FastUpscaler::judge(int column, int row, const MotionSearch& on_canvas, const MotionSearch* on_previous,
                                       const Plan& so_far, const Cells<Vector>& hints) const {
  const int s = static_cast<int>(scale());
  const Vector hint = hints.at(column, row);
  // Where the cell was in the picture before, and where that lay on the canvas.
  const int x = column * kCell + kCell / 2, y = row * kCell + kCell / 2;
  const Vector before = state_.at(column, row).on_canvas;
  const Vector along = cell_at(state_, x + hint.x / s, y + hint.y / s).on_canvas;
  std::array<Vector, 6> guesses{before, {along.x + hint.x, along.y + hint.y}};
  std::size_t count = 2;
  const auto neighbour = [&](int c, int r) {
    if (c >= 0 && c < so_far.columns && r >= 0) guesses[count++] = so_far.at(c, r).on_canvas;
  };
  neighbour(column - 1, row);
  neighbour(column, row - 1);
  neighbour(column + 1, row - 1);
  guesses[count++] = {};
  const Match match = on_canvas.find(column, row, {guesses.data(), count});
  Cell cell{.from_canvas = true, .vector = match.vector, .on_canvas = match.vector, .wear = match.error};
  cell.weight = weight_of(match.error, cell.wear);
  if (cell.weight == 1 || on_previous == nullptr) return cell;
  const std::array<Vector, 2> steps{hint, Vector{}};
  const Match step = on_previous->find(column, row, steps);
  const Cell& origin = cell_at(state_, x + step.vector.x / s, y + step.vector.y / s);
  const float wear = origin.wear + step.error;
  const float weight = weight_of(step.error, wear);
  if (weight <= cell.weight) return cell;
  return {.from_canvas = false,
          .vector = step.vector,
          .on_canvas = {origin.on_canvas.x + step.vector.x, origin.on_canvas.y + step.vector.y},
          .weight = weight,
          .wear = std::max(wear, (1 - weight) * kMostWear)};
}

std::vector<FastUpscaler::Tile> FastUpscaler::stale_tiles(const Plan& plan) const {
  constexpr int side = kTile / kCell;
  const int width = canvas_->luma.width(), height = canvas_->luma.height();
  std::vector<Tile> out;
  for (int row = 0; row < plan.rows; row += side)
    for (int column = 0; column < plan.columns; column += side) {
      int stale = 0;
      for (int r = row; r < std::min(row + side, plan.rows); ++r)
        for (int c = column; c < std::min(column + side, plan.columns); ++c) stale += plan.at(c, r).weight == 0 ? 1 : 0;
      if (stale >= kStaleCells)
        out.push_back({column * kCell, row * kCell, std::min(column * kCell + kTile, width), std::min(row * kCell + kTile, height)});
    }
  return out;
}

Layer FastUpscaler::carry(const Plan& plan, SampleType type) const {
  const int s = static_cast<int>(scale());
  Layer out(type, canvas_->detail.width(), canvas_->detail.height());
  const int step = out.samples_per_pixel();
  for (int row = 0; row < plan.rows; ++row)
    for (int column = 0; column < plan.columns; ++column) {
      const Cell& cell = plan.at(column, row);
      if (cell.weight == 0) continue;
      const Layer& from = cell.from_canvas ? canvas_->detail : previous_->detail;
      const int x0 = column * kCell * s, x1 = std::min(x0 + kCell * s, out.width());
      const int y0 = row * kCell * s, y1 = std::min(y0 + kCell * s, out.height());
      const bool inside = x0 + cell.vector.x >= 0 && x1 + cell.vector.x <= out.width();
      for (int plane = 0; plane < out.planes(); ++plane)
        for (int y = y0; y < y1; ++y) {
          const std::int16_t* source = from.row(plane, std::clamp(y + cell.vector.y, 0, out.height() - 1));
          std::int16_t* to = out.row(plane, y);
          if (inside && cell.weight == 1) {
            std::memcpy(to + x0 * step, source + (x0 + cell.vector.x) * step,
                        static_cast<std::size_t>((x1 - x0) * step) * sizeof(std::int16_t));
            continue;
          }
          for (int x = x0; x < x1; ++x)
            for (int c = 0; c < step; ++c)
              to[x * step + c] = static_cast<std::int16_t>(
                  std::lround(cell.weight * static_cast<float>(source[std::clamp(x + cell.vector.x, 0, out.width() - 1) * step + c])));
        }
    }
  return out;
}

FastUpscaler::Tile FastUpscaler::with_context(const Tile& tile, const Picture& in) {
  return {std::max(tile.x0 - kContext, 0), std::max(tile.y0 - kContext, 0), std::min(tile.x1 + kContext, static_cast<int>(in.width)),
          std::min(tile.y1 + kContext, static_cast<int>(in.height))};
}

// The tile by the network, into the picture's detail and onto the canvas.
void FastUpscaler::make_anew(const Picture& in, const Tile& tile, const Layer& base, Layer& detail, const Luma& now, Plan& plan,
                             const Watch& watch) {
  const int s = static_cast<int>(scale()), step = detail.samples_per_pixel();
  const auto [x0, y0, x1, y1] = with_context(tile, in);
  const auto source = crop(in, x0, y0, x1, y1);
  std::vector<std::uint8_t> large(source.size() * static_cast<std::size_t>(s * s));
  network_.upscale({.data = source.data(), .type = in.type, .width = x1 - x0, .height = y1 - y0}, large.data(), watch);
  // What the tile differs from the base of the whole picture.
  Layer within(in.type, (x1 - x0) * s, (y1 - y0) * s);
  for (int plane = 0; plane < within.planes(); ++plane)
    for (int y = 0; y < within.height(); ++y)
      std::copy_n(base.row(plane, y + y0 * s) + x0 * s * step, within.width() * step, within.row(plane, y));
  const Layer made = difference({.data = large.data(), .type = in.type, .width = within.width(), .height = within.height()}, within);
  for (int plane = 0; plane < within.planes(); ++plane)
    for (int y = tile.y0 * s; y < tile.y1 * s; ++y) {
      const std::int16_t* from = made.row(plane, y - y0 * s) + (tile.x0 - x0) * s * step;
      std::copy_n(from, (tile.x1 - tile.x0) * s * step, detail.row(plane, y) + tile.x0 * s * step);
      std::copy_n(from, (tile.x1 - tile.x0) * s * step, canvas_->detail.row(plane, y) + tile.x0 * s * step);
    }
  canvas_->luma.take(now, tile.x0, tile.y0, tile.x1, tile.y1);
  for (int y = tile.y0; y < tile.y1; y += kCell)
    for (int x = tile.x0; x < tile.x1; x += kCell) plan.at(x / kCell, y / kCell) = Cell{.weight = 1, .anew = true};
}

}  // namespace kinora::models::fast

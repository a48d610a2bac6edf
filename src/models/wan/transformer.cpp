#include "models/wan/transformer.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "models/wan/rotary.hpp"

namespace kinora::models::wan {

Transformer::Transformer(const Config& c, const nn::Weights& w)
    : config_(c),
      patch_embedding_(w / "patch_embedding", c.in_channels, c.width(), c.patch, c.patch),
      condition_(c, w / "condition_embedder"),
      proj_out_(w / "proj_out", c.width(), c.out_channels * c.patch_volume()),
      scale_shift_table_(w.wide().take("scale_shift_table", {1, 2, c.width()})) {
  for (std::int64_t i = 0; i < c.layers; ++i) blocks_.emplace_back(c, w / "blocks" / i);
}

Transformer::Context Transformer::context(const at::Tensor& text, const at::Tensor& image, std::optional<std::int64_t> real,
                                          const video::BeforeBlock& before) const {
  const std::int64_t padding = real ? text.size(1) - *real : 0;
  auto tokens = condition_.text(padding > 1 ? text.narrow(1, 0, *real + 1) : text);
  const auto picture = image.defined() ? condition_.image(image) : image;
  Context context;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (before) before(i);
    context.push_back(blocks_[i].keys_values(tokens, picture));
    if (padding <= 1) continue;
    // exp(score + ln n) = n exp(score): the padding's one key counts n times.
    auto& bias = context.back().bias;
    bias = at::zeros({1, 1, 1, context.back().keys.size(2)}, tokens.options());
    bias.select(3, -1).fill_(std::log(static_cast<double>(padding)));
  }
  return context;
}

at::Tensor Transformer::forward(const at::Tensor& sample, const at::Tensor& timestep, const Context& context, video::StepCache* cache,
                                const video::BeforeBlock& before) const {
  const std::array<std::int64_t, 3> grid{sample.size(2) / config_.patch[0], sample.size(3) / config_.patch[1],
                                         sample.size(4) / config_.patch[2]};
  const auto table = rotary_table(grid, config_.head_width, config_.max_positions, sample.device());
  const auto times = condition_.times(timestep);
  auto x = patch_embedding_(sample).flatten(2).transpose(1, 2).contiguous();
  x = video::through_blocks(x, blocks_.size(), cache, [&](std::size_t i, const at::Tensor& tokens) {
    if (before) before(i);
    return blocks_[i](tokens, times, context[i], table);
  });

  const auto ends = scale_shift_table_.add(times.embedding.unsqueeze(1));
  const auto part = [&](std::int64_t i) { return times.spread(ends.select(1, i), x.size(0)); };
  x = proj_out_(video::modulated_norm(x, part(0), part(1), config_.eps));
  // A token holds its patch as frames, rows, columns, channels.
  x = x.unflatten(2, {config_.patch[0], config_.patch[1], config_.patch[2], config_.out_channels})
          .unflatten(1, {grid[0], grid[1], grid[2]});
  return x.permute({0, 7, 1, 4, 2, 5, 3, 6})
      .reshape({sample.size(0), config_.out_channels, sample.size(2), sample.size(3), sample.size(4)});
}

}  // namespace kinora::models::wan

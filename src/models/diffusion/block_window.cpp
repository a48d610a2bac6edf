#include "models/diffusion/block_window.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace kinora::models::diffusion {
namespace {

// In memory that the device copies from by itself, in the smaller of the stored and the used number format.
std::function<at::Tensor()> pinned(const at::Tensor& stored, const at::Tensor& used) {
  const bool narrower = stored.is_floating_point() && used.element_size() < stored.element_size();
  auto held = (narrower ? stored.to(used.scalar_type()) : stored).pin_memory();
  return [held = std::move(held)]() -> at::Tensor { return held; };
}

}  // namespace

std::optional<std::size_t> block_of(std::string_view weight, std::string_view prefix) {
  if (prefix.empty() || !weight.starts_with(prefix)) return std::nullopt;
  const auto number = weight.substr(prefix.size());
  std::size_t block = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), block);
  const bool whole = error == std::errc() && end != number.data() + number.size() && *end == '.';
  return whole ? std::optional(block) : std::nullopt;
}

std::uint64_t least_bytes(const nn::Checkpoint& weights, std::string_view prefix) {
  std::uint64_t outside = 0, largest = 0;
  std::map<std::size_t, std::uint64_t> blocks;
  for (const auto& [name, tensor] : weights.tensors) {
    const auto block = block_of(name, prefix);
    (block ? blocks[*block] : outside) += tensor.bytes();
  }
  for (const auto& [block, bytes] : blocks) largest = std::max(largest, bytes);
  return outside + std::min<std::uint64_t>(BlockWindow::kBlocks, blocks.size()) * largest;
}

BlockWindow::BlockWindow(const nn::Parameters& parameters, const nn::Staged& stored, std::string_view prefix, c10::Device device)
    : device_(device), copies_(device) {
  std::vector<std::uint64_t> sizes;
  for (const auto& [name, read] : stored) {
    const auto block = block_of(name, prefix).value_or(0);
    const auto& handle = parameters.at(name);
    if (block >= blocks_.size()) blocks_.resize(block + 1), sizes.resize(block + 1);
    blocks_[block].push_back(
        {.handle = handle, .away = handle.alias(), .read = device.is_cuda() ? pinned(read(), handle) : read, .opened = {}, .changed = {}});
    sizes[block] += handle.nbytes();
    bytes_ += handle.nbytes();
  }
  if (!sizes.empty()) largest_block_ = *std::max_element(sizes.begin(), sizes.end());
}

bool BlockWindow::here(std::size_t block) const { return std::find(here_.begin(), here_.end(), block) != here_.end(); }

void BlockWindow::bring(std::size_t block) {
  copies_.begin([&] {
    for (const auto& weight : blocks_[block]) {
      const auto copy = host(weight).to(device_, used_type(weight), /*non_blocking=*/true, /*copy=*/true);
      nn::exchange(weight.handle, copy);
    }
  });
  for (const auto& weight : blocks_[block]) copies_.used(weight.handle);
  here_.push_back(block);
}

void BlockWindow::enter(std::size_t block) {
  const auto next = (block + 1) % blocks_.size();
  std::erase_if(here_, [&](std::size_t other) {
    if (other == block || other == next) return false;
    for (const auto& weight : blocks_[other]) nn::exchange(weight.handle, weight.away);
    return true;
  });
  copies_.follow();
  if (!here(block)) bring(block);
  copies_.wait();
  if (!here(next)) bring(next);
}

void BlockWindow::leave() {
  for (const auto block : here_)
    for (const auto& weight : blocks_[block]) nn::exchange(weight.handle, weight.away);
  here_.clear();
}

void BlockWindow::open() {
  leave();
  for (auto& block : blocks_)
    for (auto& weight : block) {
      weight.opened = host(weight).to(used_type(weight));
      nn::exchange(weight.handle, weight.opened);
    }
}

void BlockWindow::close() {
  for (auto& block : blocks_)
    for (auto& weight : block) {
      if (weight.handle.storage().data_ptr().get() != weight.opened.storage().data_ptr().get()) weight.changed = weight.handle.alias();
      weight.opened = at::Tensor();
      nn::exchange(weight.handle, weight.away);
    }
}

}  // namespace kinora::models::diffusion

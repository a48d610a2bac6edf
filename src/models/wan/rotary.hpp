#pragma once
// Rotary positions in three axes (arXiv:2104.09864): each pair of neighbouring values of a head is a complex number that is turned by an
// angle growing with the token's frame, row or column.
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace kinora::models::wan {

// grid: tokens along frames, rows, columns, each <= max_positions, else std::invalid_argument. The head's width is cut into frames, rows
// and columns as in 44 + 42 + 42. -> complex64 [1, N, 1, head_width / 2], N in the order frames, rows, columns; angles are computed in
// float64.
at::Tensor rotary_table(const std::array<std::int64_t, 3>& grid, std::int64_t head_width, std::int64_t max_positions, c10::Device device);

}  // namespace kinora::models::wan

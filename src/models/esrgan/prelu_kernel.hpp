#pragma once
// PReLU in place on channels-last activations. LibTorch's own operator takes as long as the convolution before it (bf16, 24 channels,
// one core: 9 ms against 8 ms); this one runs at the speed of memory. No LibTorch here; compiled for AVX-512, AVX2 and plain x86,
// chosen when it runs.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kinora::models::esrgan {

// One slope a channel, repeated so that whole vectors of any width fit: give repeat_slopes() of the layer.
std::vector<float> repeat_slopes(const std::vector<float>& slopes);

// x: `pixels` groups of `channels` values; slopes: repeat_slopes(), of the same channels. x = x > 0 ? x : slope * x.
void prelu_f32(float* x, std::size_t pixels, std::size_t channels, const std::vector<float>& slopes);
// The same on bfloat16 bit patterns; computed in float32, rounded to nearest even.
void prelu_bf16(std::uint16_t* x, std::size_t pixels, std::size_t channels, const std::vector<float>& slopes);

}  // namespace kinora::models::esrgan

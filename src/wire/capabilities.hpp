#pragma once
// What a node can do, as Livepeer says it: numbered capabilities in a bit string, constraints per model, versions.
// Source: go-livepeer 0.9.1 core/capabilities.go. Pure.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/messages.hpp"

namespace kinora::wire {

// Numbers are fixed by the protocol; 13 was given up.
enum class Capability : int {
  invalid = -2,
  unused = -1,
  h264 = 0,
  mpegts = 1,
  mp4 = 2,
  fractional_framerates = 3,
  storage_direct = 4,
  storage_s3 = 5,
  storage_gcs = 6,
  h264_baseline = 7,
  h264_main = 8,
  h264_high = 9,
  h264_constrained_high = 10,
  gop = 11,
  auth_token = 12,
  mpeg7_signature = 14,
  hevc_decode = 15,
  hevc_encode = 16,
  vp8_decode = 17,
  vp9_decode = 18,
  vp8_encode = 19,
  vp9_encode = 20,
  h264_decode_444_8bit = 21,
  h264_decode_422_8bit = 22,
  h264_decode_444_10bit = 23,
  h264_decode_422_10bit = 24,
  h264_decode_420_10bit = 25,
  segment_slicing = 26,
  text_to_image = 27,
  image_to_image = 28,
  image_to_video = 29,
  upscale = 30,
  audio_to_text = 31,
  segment_anything_2 = 32,
  llm = 33,
  image_to_text = 34,
  live_video_to_video = 35,
  text_to_speech = 36,
  byoc = 37
};
inline constexpr int kLastCapability = 37;

// The name of the protocol's table ("Text to image"); empty for a number without one.
std::string_view name(Capability capability);
// "segment-anything-2" -> segment_anything_2: first letter upper case, '-' -> ' ', exact match.
std::optional<Capability> capability_of_pipeline(std::string_view pipeline);

// Bit n of word n / 64. Words are as many as the highest bit needs.
using BitString = std::vector<std::uint64_t>;
inline constexpr std::size_t kMaxCapabilityWords = 64;  // of a stranger's bit string: 4096 capabilities

BitString make_bits(std::span<const int> capabilities);  // negative numbers are left out
BitString make_bits(std::initializer_list<int> capabilities);
bool has_bit(std::span<const std::uint64_t> bits, int capability);
// Every bit of `part` is set in `whole`, and `part` has no more words than `whole`.
bool is_subset(std::span<const std::uint64_t> part, std::span<const std::uint64_t> whole);

BitString legacy_capabilities();   // 0-11, what nodes before capability announcements could do
BitString default_capabilities();  // 0-12, 14, 26

// Adds `more` (capability -> count) to the message's capacities, setting bits; and takes them away again, clearing a bit
// whose count reaches 0. A message without capacities counts 1 for each set bit.
void add_capacities(pb::Capabilities& message, const pb::Capabilities& more);
void remove_capacities(pb::Capabilities& message, const pb::Capabilities& less);

// The request of a gateway that looks for one external capability: bits 12 and 37, capacity 1, constraint = name.
pb::Capabilities capabilities_for_byoc(const std::string& name);

// Whether an orchestrator with `offer` can take a job that needs `job` (9.4 of the protocol notes): versions, mandatory
// bits, model constraints, bits. The text says what is missing.
base::Status check_compatible(const pb::Capabilities& job, const pb::Capabilities& offer);

// invalid: more than kMaxCapabilityWords words, or more than `max_models` constraints, or a model name over 1024 bytes.
base::Status check_size(const pb::Capabilities& message, std::size_t max_models = 10'000);

}  // namespace kinora::wire

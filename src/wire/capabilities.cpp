#include "wire/capabilities.hpp"

#include <algorithm>
#include <array>

#include "wire/version.hpp"

namespace kinora::wire {
namespace {

constexpr int kBitsPerWord = 64;
constexpr std::size_t kMaxModelNameBytes = 1024;

constexpr std::array<std::string_view, kLastCapability + 1> kNames = {
    "H.264",
    "MPEGTS",
    "MP4",
    "Fractional framerates",
    "Storage direct",
    "Storage S3",
    "Storage GCS",
    "H264 Baseline profile",
    "H264 Main profile",
    "H264 High profile",
    "H264 Constrained, Contained High profile",
    "GOP",
    "Auth token",
    "",
    "MPEG7 signature",
    "HEVC decode",
    "HEVC encode",
    "VP8 decode",
    "VP9 decode",
    "VP8 encode",
    "VP9 encode",
    "H264 Decode YUV444 8-bit",
    "H264 Decode YUV422 8-bit",
    "H264 Decode YUV444 10-bit",
    "H264 Decode YUV422 10-bit",
    "H264 Decode YUV420 10-bit",
    "Segment slicing",
    "Text to image",
    "Image to image",
    "Image to video",
    "Upscale",
    "Audio to text",
    "Segment anything 2",
    "Llm",
    "Image to text",
    "Live video to video",
    "Text to speech",
    "byoc",
};

using Constraints = pb::Capabilities::Constraints;

std::span<const std::uint64_t> words(const google::protobuf::RepeatedField<std::uint64_t>& field) {
  return {field.data(), static_cast<std::size_t>(field.size())};
}

void assign(google::protobuf::RepeatedField<std::uint64_t>& field, const BitString& bits) {
  field.Clear();
  for (const auto word : bits) field.Add(word);
}

// Explicit counts for every set bit.
void fill_capacities(pb::Capabilities& message) {
  if (!message.capacities().empty()) return;
  for (int n = 0; n < message.bitstring_size() * kBitsPerWord; ++n) {
    if (has_bit(words(message.bitstring()), n)) (*message.mutable_capacities())[static_cast<std::uint32_t>(n)] = 1;
  }
}

void bits_from_capacities(pb::Capabilities& message) {
  std::vector<int> numbers;
  for (const auto& [number, count] : message.capacities()) {
    if (count > 0 && number < kMaxCapabilityWords * kBitsPerWord) numbers.push_back(static_cast<int>(number));
  }
  assign(*message.mutable_bitstring(), make_bits(numbers));
}

base::Status check_model(const std::string& model, const Constraints& job, const Constraints& offer, std::uint32_t number) {
  const auto& wanted = job.percapability().at(number).models().at(model);
  const auto& offered = offer.percapability().at(number).models();
  const auto found = offered.find(model);
  if (found == offered.end()) return base::fail(base::ErrorCode::unsupported, "model " + model + " is not offered");
  if (wanted.warm() && !found->second.warm()) return base::fail(base::ErrorCode::unsupported, "model " + model + " is not warm");
  if (!wanted.runnerversion().empty() && !version_satisfies(wanted.runnerversion(), found->second.runnerversion())) {
    return base::fail(base::ErrorCode::unsupported, "runner of model " + model + " is too old");
  }
  return {};
}

}  // namespace

std::string_view name(Capability capability) {
  const int number = static_cast<int>(capability);
  return number >= 0 && number <= kLastCapability ? kNames[static_cast<std::size_t>(number)] : std::string_view{};
}

std::optional<Capability> capability_of_pipeline(std::string_view pipeline) {
  std::string wanted(pipeline);
  if (wanted.empty()) return std::nullopt;
  if (wanted[0] >= 'a' && wanted[0] <= 'z') wanted[0] = static_cast<char>(wanted[0] - 'a' + 'A');
  std::replace(wanted.begin(), wanted.end(), '-', ' ');
  const auto found = std::find(kNames.begin(), kNames.end(), wanted);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Capability>(found - kNames.begin());
}

BitString make_bits(std::span<const int> capabilities) {
  BitString bits;
  for (const int number : capabilities) {
    if (number < 0) continue;
    const auto word = static_cast<std::size_t>(number / kBitsPerWord);
    if (bits.size() <= word) bits.resize(word + 1);
    bits[word] |= std::uint64_t{1} << (number % kBitsPerWord);
  }
  return bits;
}

BitString make_bits(std::initializer_list<int> capabilities) { return make_bits(std::span(capabilities.begin(), capabilities.size())); }

bool has_bit(std::span<const std::uint64_t> bits, int capability) {
  if (capability < 0) return false;
  const auto word = static_cast<std::size_t>(capability / kBitsPerWord);
  return word < bits.size() && (bits[word] >> (capability % kBitsPerWord) & 1) != 0;
}

bool is_subset(std::span<const std::uint64_t> part, std::span<const std::uint64_t> whole) {
  if (part.size() > whole.size()) return false;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if ((part[i] & whole[i]) != part[i]) return false;
  }
  return true;
}

BitString legacy_capabilities() { return make_bits({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}); }

BitString default_capabilities() { return make_bits({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 26}); }

void add_capacities(pb::Capabilities& message, const pb::Capabilities& more) {
  fill_capacities(message);
  pb::Capabilities added = more;
  fill_capacities(added);
  for (const auto& [number, count] : added.capacities()) (*message.mutable_capacities())[number] += count;
  bits_from_capacities(message);
}

void remove_capacities(pb::Capabilities& message, const pb::Capabilities& less) {
  fill_capacities(message);
  pb::Capabilities removed = less;
  fill_capacities(removed);
  for (const auto& [number, count] : removed.capacities()) {
    const auto found = message.mutable_capacities()->find(number);
    if (found == message.mutable_capacities()->end()) continue;
    if (found->second <= count) {
      message.mutable_capacities()->erase(found);
    } else {
      found->second -= count;
    }
  }
  bits_from_capacities(message);
}

pb::Capabilities capabilities_for_byoc(const std::string& capability) {
  pb::Capabilities message;
  assign(*message.mutable_bitstring(), make_bits({static_cast<int>(Capability::auth_token), static_cast<int>(Capability::byoc)}));
  fill_capacities(message);
  auto& constraints = (*message.mutable_constraints()->mutable_percapability())[static_cast<std::uint32_t>(Capability::byoc)];
  (*constraints.mutable_models())[capability];
  return message;
}

base::Status check_compatible(const pb::Capabilities& job, const pb::Capabilities& offer) {
  if (!version_satisfies(job.constraints().minversion(), offer.version())) {
    return base::fail(base::ErrorCode::unsupported,
                      "version " + offer.version() + " is older than the wanted " + job.constraints().minversion());
  }
  if (!is_subset(words(offer.mandatories()), words(job.bitstring()))) {
    return base::fail(base::ErrorCode::unsupported, "the job does not know a mandatory capability of the node");
  }
  for (const auto& [number, constraint] : job.constraints().percapability()) {
    if (!offer.constraints().percapability().contains(number)) continue;
    for (const auto& [model, unused] : constraint.models()) KINORA_OK(check_model(model, job.constraints(), offer.constraints(), number));
  }
  if (!is_subset(words(job.bitstring()), words(offer.bitstring()))) {
    return base::fail(base::ErrorCode::unsupported, "the node lacks a capability that the job needs");
  }
  return {};
}

base::Status check_size(const pb::Capabilities& message, std::size_t max_models) {
  const auto too_many = [](int size) { return static_cast<std::size_t>(size) > kMaxCapabilityWords; };
  if (too_many(message.bitstring_size()) || too_many(message.mandatories_size()) ||
      message.capacities().size() > kMaxCapabilityWords * kBitsPerWord) {
    return base::fail(base::ErrorCode::invalid, "too many capabilities");
  }
  std::size_t models = 0;
  for (const auto& [number, constraint] : message.constraints().percapability()) {
    models += 1 + constraint.models().size();
    if (models > max_models) return base::fail(base::ErrorCode::invalid, "too many model constraints");
    for (const auto& [model, unused] : constraint.models()) {
      if (model.size() > kMaxModelNameBytes) return base::fail(base::ErrorCode::invalid, "model name too long");
    }
  }
  return {};
}

}  // namespace kinora::wire

#pragma once
// For tests of this room: an interpolator without a network.
#include <cmath>
#include <cstdlib>
#include <vector>

#include "models/interpolator.hpp"

namespace kinora::runner::testing {

// Blends linearly, which is exact for what changes linearly; compares like the real one.
class Blend final : public models::Interpolator {
 public:
  struct Seen final : models::InterpolatorPicture {
    std::vector<std::uint8_t> pixels;
  };
  std::string description() const override { return "blends"; }
  bool ensembles() const override { return false; }
  std::uint64_t memory_needed(std::int64_t width, std::int64_t height) const override { return static_cast<std::uint64_t>(width * height); }
  std::shared_ptr<const models::InterpolatorPicture> prepare(const models::Picture& picture, const models::InterpolationOptions&) override {
    auto made = std::make_shared<Seen>();
    const auto* first = static_cast<const std::uint8_t*>(picture.data);
    made->pixels.assign(first, first + picture.width * picture.height * (picture.type == models::SampleType::packed_u8 ? 3 : 6));
    return made;
  }
  models::Change compare(const models::InterpolatorPicture& a, const models::InterpolatorPicture& b) override {
    const auto &x = static_cast<const Seen&>(a).pixels, &y = static_cast<const Seen&>(b).pixels;
    double off = 0;
    for (std::size_t i = 0; i < x.size(); ++i) off += std::abs(int{x[i]} - int{y[i]});
    off /= static_cast<double>(x.size());
    return off < 0.05 ? models::Change::none : off > 60 ? models::Change::cut : models::Change::moved;
  }
  void between(const models::InterpolatorPicture& a, const models::InterpolatorPicture& b, double t, const models::InterpolationOptions&,
               models::SampleType type, void* out) override {
    const auto &x = static_cast<const Seen&>(a).pixels, &y = static_cast<const Seen&>(b).pixels;
    if (type == models::SampleType::planar_u16) {
      std::copy(x.begin(), x.end(), static_cast<std::uint8_t*>(out));
    } else {
      for (std::size_t i = 0; i < x.size(); ++i)
        static_cast<std::uint8_t*>(out)[i] = static_cast<std::uint8_t>(std::lround((1 - t) * x[i] + t * y[i]));
    }
    moments.push_back(t);
  }
  std::vector<double> moments;
};

}  // namespace kinora::runner::testing

#pragma once
// Reading the parameters of kinora-media's operations. Inside this room only.
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.hpp"
#include "media/request.hpp"

namespace kinora::media {

template <class Value, std::size_t n>
void choose(base::ObjectReader& in, std::string_view key, const std::array<std::pair<std::string_view, Value>, n>& values, Value& out) {
  const auto text = in.string(key, 64);
  if (!text) return;
  for (const auto& [name, value] : values) {
    if (*text != name) continue;
    out = value;
    return;
  }
  in.error(key, "not_allowed", "not one of the allowed words");
}

void preset_of(base::ObjectReader& in, std::string& preset);
// clip, concat, loop, mux, overlay, extract-frames, extract-audio.
void utility_of(base::ObjectReader& in, Request& request);

}  // namespace kinora::media

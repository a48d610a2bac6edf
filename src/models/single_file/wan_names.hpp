#pragma once
// The Wan transformer: its authors' names ("blocks.0.self_attn.q") as diffusers' ("blocks.0.attn1.to_q").
#include <optional>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

// path: a weight or module without prefix; separator '_' in adapter files. nullopt when it is none of the transformer's.
std::optional<std::string> wan_name(std::string_view path, char separator = '.');

}  // namespace kinora::models::single_file

#include "models/esrgan/rrdb_names.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace kinora::models::esrgan {
namespace {

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view name) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const auto dot = name.find('.', begin);
    parts.push_back(name.substr(begin, dot - begin));
    if (dot == std::string_view::npos) return parts;
    begin = dot + 1;
  }
}

// "RDB2" -> "rdb2"
std::string lower_block(std::string_view part) { return part.starts_with("RDB") ? "rdb" + std::string(part.substr(3)) : std::string(part); }

// The first layout numbers its layers through: model.0, model.1.sub.*, then an enlargement, a convolution and an activation for every
// doubling (model.2, 3, 4, ...), a convolution and its activation, the last convolution.
class FirstLayout {
 public:
  explicit FirstLayout(const std::vector<std::string>& stored) {
    for (const auto& name : stored) {
      const auto parts = split(name);
      if (parts.size() == 3 && parts[0] == "model") last_ = std::max(last_, number(parts[1]).value_or(0));
      if (parts.size() == 5 && parts[1] == "1" && parts[2] == "sub") trunk_ = std::max(trunk_, number(parts[3]).value_or(0));
    }
  }
  std::optional<std::string> operator()(const std::vector<std::string_view>& parts) const {
    const std::string kind = "." + std::string(parts.back());
    if (parts.size() == 8 && parts[1] == "1" && parts[2] == "sub")
      return "body." + std::string(parts[3]) + "." + lower_block(parts[4]) + "." + std::string(parts[5]) + kind;
    if (parts.size() == 5 && parts[1] == "1" && number(parts[3]) == trunk_) return "conv_body" + kind;
    if (parts.size() != 3) return std::nullopt;
    const auto layer = number(parts[1]);
    if (!layer) return std::nullopt;
    if (*layer == 0) return "conv_first" + kind;
    if (*layer == last_) return "conv_last" + kind;
    if (*layer == last_ - 2) return "conv_hr" + kind;
    if (*layer % 3 == 0) return "conv_up" + std::to_string(*layer / 3) + kind;
    return std::nullopt;
  }

 private:
  std::int64_t last_ = 0, trunk_ = 0;
};

std::optional<std::string> from_second(const std::vector<std::string_view>& parts) {
  const std::string kind = "." + std::string(parts.back());
  if (parts.size() == 5 && parts[0] == "RRDB_trunk")
    return "body." + std::string(parts[1]) + "." + lower_block(parts[2]) + "." + std::string(parts[3]) + kind;
  if (parts.size() != 2) return std::nullopt;
  if (parts[0] == "trunk_conv") return "conv_body" + kind;
  if (parts[0] == "HRconv") return "conv_hr" + kind;
  if (parts[0].starts_with("upconv")) return "conv_up" + std::string(parts[0].substr(6)) + kind;
  return std::nullopt;
}

}  // namespace

std::map<std::string, std::string> rrdb_renames(const std::vector<std::string>& stored) {
  const FirstLayout from_first(stored);
  std::map<std::string, std::string> renames;
  for (const auto& name : stored) {
    const auto parts = split(name);
    const auto renamed = parts[0] == "model" ? from_first(parts) : from_second(parts);
    if (renamed) renames.emplace(name, *renamed);
  }
  return renames;
}

nn::Checkpoint with_rrdb_names(nn::Checkpoint checkpoint) {
  std::vector<std::string> stored;
  stored.reserve(checkpoint.tensors.size());
  for (const auto& [name, tensor] : checkpoint.tensors) stored.push_back(name);
  for (const auto& [from, to] : rrdb_renames(stored)) {
    auto node = checkpoint.tensors.extract(from);
    node.key() = to;
    checkpoint.tensors.insert(std::move(node));
  }
  return checkpoint;
}

}  // namespace kinora::models::esrgan

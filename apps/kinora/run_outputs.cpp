#include "kinora/run_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.hpp"
#include "runs/path.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;
using base::ErrorCode;

bool is_folder(const std::string& path) {
  std::error_code error;
  return path.ends_with('/') || fs::is_directory(path, error);
}

}  // namespace

base::Result<std::vector<OutputWish>> read_output_wishes(const std::vector<std::string>& words, const std::vector<std::string>& names) {
  std::vector<OutputWish> wishes;
  const std::string all = fmt::format("{}", fmt::join(names, ", "));
  for (const std::string& word : words) {
    if (names.empty()) return base::fail(ErrorCode::invalid, "the workflow has no outputs: say in its `outputs` what -o shall fetch");
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (equals != std::string::npos && (std::find(names.begin(), names.end(), name) != names.end() || runs::is_name(name))) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        const auto meant = base::nearest(name, names);
        return base::fail(ErrorCode::invalid, fmt::format("the workflow has no output \"{}\"{}; it has: {}", name,
                                                          meant ? "; did you mean \"" + *meant + "\"?" : "", all));
      }
      wishes.push_back({name, word.substr(equals + 1)});
    } else if (names.size() == 1 && !is_folder(word)) {
      wishes.push_back({names[0], word});
    } else if (is_folder(word)) {
      for (const std::string& each : names) wishes.push_back({each, word.ends_with('/') ? word : word + "/"});
    } else {
      return base::fail(ErrorCode::invalid, fmt::format("the workflow has several outputs ({}): write -o name=path, or -o folder/", all));
    }
  }
  return wishes;
}

base::Result<SaveOutput> plan_output(const json::object& outputs, const OutputWish& wish) {
  const json::value* value = outputs.if_contains(wish.name);
  if (value == nullptr || value->is_null())
    return base::fail(ErrorCode::not_found, fmt::format("the run has nothing for its output \"{}\"", wish.name));
  SaveOutput out{wish.path, output_items(json::object{{wish.name, *value}}), ""};
  const bool one = out.items.size() == 1;
  // An artifact of several files brings a folder of the output's name along.
  if (is_folder(wish.path) && !(one && out.items[0].several)) {
    const std::string extension = one ? fs::path(out.items[0].filename).extension().string() : out.items.empty() ? ".json" : "/";
    out.path = (fs::path(wish.path) / wish.name).string() + extension;
  }
  if (out.items.empty()) out.text = pretty_json(*value) + "\n";
  // Files of one list may bear one name: each gets its number.
  if (out.items.size() > 1)
    for (std::size_t i = 0; i < out.items.size(); ++i)
      if (!out.items[i].several)
        out.items[i].filename = fmt::format("{}-{}{}", wish.name, i + 1, fs::path(out.items[i].filename).extension().string());
  return out;
}

}  // namespace kinora::cli

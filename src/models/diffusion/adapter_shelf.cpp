#include "models/diffusion/adapter_shelf.hpp"

#include <algorithm>

#include "models/single_file/video_model.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::diffusion {
namespace {

namespace fs = std::filesystem;

// The reason without the file's path, which is nothing to the one who asked.
AdapterRefused refusal(const std::string& name, bool broken, const nn::LoadError& error) {
  return {name, broken, error.field().empty() ? error.reason() : error.field() + ": " + error.reason()};
}

// Of a model with two experts an adapter's name tells the one that it was made for, where the request does not.
std::string part_of(const AdapterChoice& choice, const Components& components) {
  if (!choice.component.empty() || !components.has("transformer_2")) return choice.component;
  if (single_file::is_second_expert(choice.name)) return "transformer_2";
  return single_file::is_first_of_two(choice.name) ? "transformer" : "";
}

fs::file_time_type written(const fs::path& file) {
  std::error_code absent;
  return fs::last_write_time(file, absent);
}

}  // namespace

bool AdapterShelf::holds(const std::vector<AdapterChoice>& choices) const {
  return std::equal(choices.begin(), choices.end(), held_.begin(), held_.end(), [](const AdapterChoice& a, const Held& b) {
    return a.file == b.choice.file && a.name == b.choice.name && a.scale == b.choice.scale && a.component == b.choice.component &&
           written(a.file) == b.written;
  });
}

void AdapterShelf::set(const std::vector<AdapterChoice>& choices, Components& components) {
  if (components.adapted() == !choices.empty() && holds(choices)) return;
  std::vector<Held> wanted;
  for (const auto& choice : choices) {
    const auto time = written(choice.file);
    const auto known =
        std::find_if(held_.begin(), held_.end(), [&](const Held& held) { return held.choice.file == choice.file && held.written == time; });
    try {
      auto file = known != held_.end() ? known->use.file
                                       : std::make_shared<const lora::AdapterFile>(lora::read_adapter(nn::open_checkpoint(choice.file)));
      wanted.push_back({choice, time, {.file = std::move(file), .scale = choice.scale, .component = part_of(choice, components)}});
    } catch (const nn::LoadError& error) {
      throw refusal(choice.name, true, error);
    }
  }
  std::vector<lora::AdapterUse> uses;
  uses.reserve(wanted.size());
  for (const auto& held : wanted) uses.push_back(held.use);
  try {
    components.adapt(uses);
  } catch (const nn::LoadError& error) {
    const auto refused = std::find_if(wanted.begin(), wanted.end(), [&](const Held& held) { return held.use.file->file == error.file(); });
    throw refusal(refused == wanted.end() ? "" : refused->choice.name, false, error);
  }
  held_ = std::move(wanted);
}

}  // namespace kinora::models::diffusion

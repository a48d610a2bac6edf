#include "runner/model_store.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "nn/model_folder.hpp"

namespace kinora::runner {
namespace {

bool offers(const nn::ModelFolder& model, std::string_view task) {
  const auto& tasks = model.card.tasks;
  return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

}  // namespace

base::json::array ModelStore::list() const {
  const auto listing = nn::list_model_folders(folder_);
  for (const auto& refusal : listing.refusals) base::log::warn("runner", "model folder refused", {{"reason", refusal}});
  const std::lock_guard lock(mutex_);
  base::json::array all;
  for (const auto& model : listing.models) {
    base::json::object entry{{"id", model.id},
                             {"name", model.card.name},
                             {"tasks", base::json::array(model.card.tasks.begin(), model.card.tasks.end())},
                             {"task", model.card.tasks.front()},
                             {"scale", model.card.scale},
                             {"license", model.card.license},
                             {"loaded", model.id == loaded_id_},
                             {"bytes", model.weights_bytes},
                             {"description", model.card.description}};
    if (model.id == loaded_id_) entry["runtime"] = runtime_;
    all.push_back(std::move(entry));
  }
  return all;
}

base::Result<std::string> ModelStore::choose(const std::optional<std::string>& model, std::string_view task, int scale) const {
  const nn::ModelFolder* found = nullptr;
  const auto listing = nn::list_model_folders(folder_);
  for (const auto& candidate : listing.models) {
    if (!offers(candidate, task) || (model && candidate.id != *model)) continue;
    if (found == nullptr || (found->card.scale != scale && candidate.card.scale == scale)) found = &candidate;
  }
  if (found != nullptr) return found->id;
  if (!model) return base::fail(base::ErrorCode::not_found, "no model here serves " + std::string(task));
  return base::fail(base::ErrorCode::not_found, "no model \"" + *model + "\" here serves " + std::string(task));
}

models::Upscaler& ModelStore::use(const std::string& id) {
  if (loaded_ && loaded_id_ == id) return *loaded_;
  {
    const std::lock_guard lock(mutex_);
    loaded_id_.clear();
    runtime_.clear();
  }
  loaded_.reset();  // before the next one takes its memory
  loaded_ = models::load_upscaler(nn::read_model_folder(folder_ / id), settings_);
  base::log::info("runner", "model loaded", {{"model", id}, {"runtime", loaded_->description()}});
  const std::lock_guard lock(mutex_);
  loaded_id_ = id;
  runtime_ = loaded_->description();
  return *loaded_;
}

}  // namespace kinora::runner

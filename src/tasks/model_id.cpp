#include "tasks/model_id.hpp"

#include <algorithm>

#include "tasks/order.hpp"

namespace kinora::tasks {

bool is_model_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxModelBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '@'; });
}

std::string unusable_name(std::string_view model) { return "unusable:" + std::string(model); }

}  // namespace kinora::tasks

#pragma once
// What models are called between the processes.
#include <string>
#include <string_view>

namespace kinora::tasks {

// 1 to kMaxModelBytes (order.hpp) printable ASCII characters other than space, '"', '\\' and '@': names stand in headers and paths.
bool is_model_id(std::string_view text);
// "unusable:OWNER/NAME": the name without capacity by which a worker says that it has the model and cannot use it.
std::string unusable_name(std::string_view model);

}  // namespace kinora::tasks

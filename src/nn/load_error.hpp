#pragma once
// The one exception of nn and models: a model file or folder that cannot be used. Thrown while loading only, never while running.
#include <stdexcept>
#include <string>
#include <string_view>

namespace kinora::nn {

// what() is "FILE: FIELD: REASON" (FIELD left out when empty); all three are for a person.
class LoadError : public std::runtime_error {
 public:
  LoadError(std::string_view file, std::string_view field, std::string_view reason)
      : std::runtime_error(join(file, field, reason)), file_(file), field_(field), reason_(reason) {}
  const std::string& file() const { return file_; }
  const std::string& field() const { return field_; }
  const std::string& reason() const { return reason_; }

 private:
  static std::string join(std::string_view file, std::string_view field, std::string_view reason) {
    std::string text(file);
    if (!field.empty()) text.append(": ").append(field);
    return text.append(": ").append(reason);
  }
  std::string file_, field_, reason_;
};

}  // namespace kinora::nn

#pragma once
// Takes a module path apart from the front. The parts are separated by '.', or by '_' in the names of adapter files.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

struct Rename {
  std::string_view from, to;  // written with '.'
};

class PathCut {
 public:
  PathCut(std::string_view path, char separator) : rest_(path), separator_(separator) {}

  std::string_view rest() const { return rest_; }
  // "output_blocks": drops it and the separator after it when the rest begins with it as whole parts.
  bool take(std::string_view parts);
  std::optional<std::int64_t> take_number();  // 0..9999
  // The rest with the first entry whose `from` it begins with replaced by `to`; else as it is.
  std::string renamed(std::initializer_list<Rename> table) const;
  // Joins with the separator; the '.' of parts become it.
  std::string joined(std::initializer_list<std::string_view> parts) const;

 private:
  std::optional<std::string_view> after(std::string_view parts) const;

  std::string_view rest_;
  char separator_;
};

}  // namespace kinora::models::single_file

#include "nn/safetensors_header.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace kinora::nn {
namespace {

constexpr std::size_t kLengthBytes = 8;

// A streaming reader: no document tree is built, so a hostile header costs no more memory than its own bytes times a small factor.
// Every handler answers false to stop; reason_ then says why.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(SafetensorsHeader& out) : out_(out) {}

  std::string reason;
  std::string field;

  bool null() override { return wrong_type("null"); }
  bool boolean(bool) override { return wrong_type("a boolean"); }
  bool number_integer(number_integer_t) override { return wrong_type("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return wrong_type("a fraction"); }
  bool binary(binary_t&) override { return wrong_type("binary"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) return fail("a side of its shape overflows");
      if (current_.shape.size() >= kMaxTensorRank) return fail("more than 16 dimensions");
      current_.shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (place_ == Place::offsets) {
      if (offsets_ == 2) return fail("data_offsets must hold two numbers");
      (offsets_++ == 0 ? current_.begin : current_.end) = value;
      return true;
    }
    return wrong_type("a number");
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      if (!out_.metadata.emplace(key_, value).second) return fail("duplicate key in __metadata__");
      return true;
    }
    if (place_ != Place::tensor || key_ != "dtype") return wrong_type("a string");
    const auto dtype = dtype_from_name(value);
    if (!dtype) return fail("unknown dtype \"" + value.substr(0, 32) + "\"");
    current_.dtype = *dtype;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::top;
      return true;
    }
    if (place_ != Place::top) return wrong_type("an object");
    field = key_;
    if (key_ == "__metadata__") {
      if (metadata_seen_) return fail("duplicate name");
      metadata_seen_ = true;
      place_ = Place::metadata;
      return true;
    }
    if (out_.tensors.size() >= kMaxTensors) return fail("too many tensors");
    if (!names_.insert(key_).second) return fail("duplicate name");
    current_ = TensorEntry{.name = key_, .dtype = Dtype::f32, .shape = {}, .begin = 0, .end = 0};
    offsets_ = 0;
    seen_.clear();
    place_ = Place::tensor;
    return true;
  }

  bool key(string_t& value) override {
    key_ = value;
    if (place_ != Place::tensor) return true;
    if (value != "dtype" && value != "shape" && value != "data_offsets") return fail("unknown field \"" + value.substr(0, 32) + "\"");
    if (!seen_.insert(value).second) return fail("field \"" + value + "\" given twice");
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) {
      if (seen_.size() != 3) return fail("needs dtype, shape and data_offsets");
      if (offsets_ != 2) return fail("data_offsets must hold two numbers");
      out_.tensors.push_back(std::move(current_));
    }
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || (key_ != "shape" && key_ != "data_offsets")) return wrong_type("an array");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    return true;
  }
  bool end_array() override {
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail("header is not JSON at byte " + std::to_string(position));
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets, end };

  bool fail(std::string why) {
    reason = std::move(why);
    return false;
  }
  bool wrong_type(std::string_view found) {
    if (place_ == Place::start) return fail("header is not a JSON object");
    if (place_ == Place::top) field = key_;
    return fail("unexpected " + std::string(found) + (place_ == Place::tensor ? " for " + key_ : ""));
  }

  SafetensorsHeader& out_;
  Place place_ = Place::start;
  std::string key_;
  TensorEntry current_;
  std::size_t offsets_ = 0;
  bool metadata_seen_ = false;
  std::set<std::string> seen_;
  std::set<std::string> names_;
};

std::uint64_t bytes_of(const TensorEntry& tensor, std::string_view file) {
  std::uint64_t bytes = bytes_per_element(tensor.dtype);
  for (const std::int64_t side : tensor.shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(side), &bytes))
      throw LoadError(file, tensor.name, "the product of its shape overflows 64 bits");
  return bytes;
}

// The data must be tiled exactly: each tensor begins where the one before it ends.
void check_layout(std::vector<TensorEntry>& tensors, std::uint64_t data_bytes, std::string_view file) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end < b.end : a.name < b.name;
  });
  std::uint64_t position = 0;
  for (const TensorEntry& tensor : tensors) {
    if (tensor.end < tensor.begin || tensor.end > data_bytes) throw LoadError(file, tensor.name, "its data_offsets leave the file");
    if (tensor.end - tensor.begin != bytes_of(tensor, file))
      throw LoadError(file, tensor.name, "its data_offsets do not match shape and dtype");
    if (tensor.begin < position) throw LoadError(file, tensor.name, "overlaps the tensor before it");
    if (tensor.begin > position) throw LoadError(file, tensor.name, "a hole lies before its data");
    position = tensor.end;
  }
  if (position != data_bytes) throw LoadError(file, "", "bytes after the last tensor");
}

}  // namespace

const TensorEntry* SafetensorsHeader::find(std::string_view name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorEntry& entry) { return entry.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, std::uint64_t file_bytes, std::string_view file_name) {
  if (file.size() < kLengthBytes || file_bytes < kLengthBytes) throw LoadError(file_name, "", "too short for a safetensors file");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kMaxSafetensorsHeaderBytes) throw LoadError(file_name, "", "header longer than the limit of 100 MB");
  if (length > file_bytes - kLengthBytes || length > file.size() - kLengthBytes)
    throw LoadError(file_name, "", "header length lies beyond the file");

  SafetensorsHeader header;
  header.data_offset = kLengthBytes + length;
  const auto* text = reinterpret_cast<const char*>(file.data()) + kLengthBytes;
  if (length == 0 || *text != '{') throw LoadError(file_name, "", "header is not a JSON object");
  HeaderReader reader(header);
  if (!nlohmann::json::sax_parse(text, text + length, &reader)) throw LoadError(file_name, reader.field, reader.reason);
  check_layout(header.tensors, file_bytes - header.data_offset, file_name);
  return header;
}

}  // namespace kinora::nn

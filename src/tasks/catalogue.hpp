#pragma once
// The catalogue of tasks: what a job may ask for. One table, read by every role: the gateway validates a client's input
// with it, a worker validates a stranger's order with it again, the command line prints it.
//
// Pure data with static lifetime; thread-safe.
#include <span>
#include <string_view>

namespace kinora::tasks {

enum class MediaKind { image, video, audio, sound, media };  // sound: audio or video; media: any of them
enum class ParamType { integer, number, string, boolean, object, array };
std::string_view name(MediaKind kind);
std::string_view name(ParamType type);
// True when a file of kind `offered` (an artifact's kind: "image", "video", "audio", ...) may stand in a slot of `wanted`.
bool accepts(MediaKind wanted, std::string_view offered);

// One media input of a task.
struct InputSlot {
  std::string_view slot;
  MediaKind kind = MediaKind::media;
  bool required = true;
  bool many = false;  // an array, in order
  std::string_view doc;
};

// One parameter. For integer and number, min and max are inclusive bounds of the value; for string of its bytes; for array of
// its items. An array's items are strings (one of `values` when that is not empty) or, when `members` is set, objects.
struct ParamSpec {
  std::string_view name;
  ParamType type = ParamType::string;
  double min = 0;
  double max = 0;
  std::span<const std::string_view> values{};  // string: the only ones allowed (empty: any)
  std::string_view default_json{};             // JSON text; empty: stays absent
  bool required = false;
  bool internal = false;                 // only the network's own orders may carry it, not a client's job
  bool token = false;                    // string: [a-z0-9_-] only
  bool rate = false;                     // string: a picture rate (picture_rate.hpp)
  std::span<const ParamSpec> members{};  // of an object, or of an array's objects
  std::string_view doc{};
};

struct OutputSlot {
  std::string_view slot;
  bool file = true;   // false: JSON in `outputs`, no file
  bool many = false;  // several files
  std::string_view doc;
  MediaKind kind = MediaKind::media;  // of the files; media: no one kind
};

// What two parameters of one task have to do with each other.
struct ParamRule {
  enum class Kind { at_most_one, ascending };  // ascending: first < second when both are there
  Kind kind = Kind::at_most_one;
  std::string_view first, second;
};

struct TaskSpec {
  std::string_view name;  // "video-upscale"
  std::string_view summary;
  bool internal = false;    // made by the planner only; a client's job may not name it
  bool has_models = false;  // runs on kinora-runner with a model; its capability names are `<task>` and `<task>:<model>`
  std::span<const InputSlot> inputs{};
  std::span<const ParamSpec> params{};
  std::span<const OutputSlot> outputs{};
  std::span<const ParamRule> rules{};
  std::string_view price_unit = "second";  // of compute
  int default_deadline_s = 3600;           // of one attempt

  const InputSlot* find_input(std::string_view slot) const;
  const ParamSpec* find_param(std::string_view param) const;
};

std::span<const TaskSpec> catalogue();
// nullptr when there is none of that name.
const TaskSpec* find_task(std::string_view name);

}  // namespace kinora::tasks

#include "gateway/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "tasks/catalogue.hpp"

namespace kinora::gateway {
namespace {

const json::value* member(const json::object& object, std::string_view key) { return object.if_contains(key); }

double number(const json::object& object, std::string_view key) {
  const json::value* found = member(object, key);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

std::string_view text(const json::object& object, std::string_view key) {
  const json::value* found = member(object, key);
  return found != nullptr && found->is_string() ? std::string_view(found->as_string()) : std::string_view();
}

std::int64_t param(const tasks::TaskOrder& order, std::string_view name) {
  const json::value* found = order.params.if_contains(name);
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

std::optional<std::string> judge_scale(const tasks::TaskOrder& order, const MediaFacts& source, const MediaFacts& result) {
  const json::value* asked = order.params.if_contains("scale");
  const double scale = asked != nullptr && asked->is_number() ? asked->to_number<double>() : 0;
  if (scale < 1 || source.width == 0) return std::nullopt;
  // Parts of a pixel are left out; sides of a video are rounded up to even.
  const auto wanted = [&](std::int64_t side) { return static_cast<std::int64_t>(static_cast<double>(side) * scale + 1e-6); };
  const auto even = [](std::int64_t side) { return side + side % 2; };
  const auto fits = [&](std::int64_t made, std::int64_t side) {
    const bool chain = order.task == "video-enhance", video = chain || order.task == "video-upscale";
    // An interpolation that goes first makes sides even before they are enlarged.
    return made == wanted(side) || (video && made == even(wanted(side))) || (chain && made == even(wanted(even(side))));
  };
  if (fits(result.width, source.width) && fits(result.height, source.height)) return std::nullopt;
  return fmt::format("{}x{} where {}x{} was asked", result.width, result.height, wanted(source.width), wanted(source.height));
}

// How long a clip or loop of this source should be; nullopt: that depends on what is not known here.
std::optional<double> asked_seconds(const tasks::TaskOrder& order, const MediaFacts& source) {
  const auto value = [&](std::string_view name) -> std::optional<double> {
    const json::value* found = order.params.if_contains(name);
    if (found == nullptr || !found->is_number()) return std::nullopt;
    return found->to_number<double>();
  };
  if (order.task == "loop") {
    if (const auto length = value("duration_s")) return length;
    if (source.duration_s <= 0 || source.audio) return std::nullopt;  // a loop counts the pictures, a file's length the longest track
    return source.duration_s * value("count").value_or(2);
  }
  const double start = value("start_s").value_or(0);
  std::optional<double> end = value("end_s");
  if (const auto length = value("duration_s")) end = start + *length;
  if (!end || source.duration_s <= 0 || *end > source.duration_s) return std::nullopt;
  return *end - start;
}

// A rendition touches a side of the box that was asked for, or is as large as its source (which pixel shape and rotation may only stretch
// and turn). Without a list of renditions its name tells its short side.
std::optional<std::string> judge_rendition(const tasks::TaskOrder& order, const MediaFacts& source, const jobs::DeliveredFile& file,
                                           const MediaFacts& result) {
  constexpr int kRounding = 2;  // sides are even
  const auto is = [&](int side, std::int64_t wanted) { return std::abs(side - wanted) <= kRounding; };
  const auto [low, high] = std::minmax(result.width, result.height);
  const auto [source_low, source_high] = std::minmax(source.width, source.height);
  const bool whole = low >= source_low - kRounding && high >= source_high - kRounding;
  const std::string name = file.name.substr(0, file.name.rfind('.'));
  const json::value* list = order.params.if_contains("renditions");
  if (list == nullptr || !list->is_array()) {
    std::int64_t side = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), side);
    if (error != std::errc{} || std::string_view(end, static_cast<std::size_t>(name.data() + name.size() - end)) != "p")
      return std::nullopt;
    const bool rung = side == 1080 || side == 720 || side == 480 || side == 360 || side == 240;
    if (is(low, side) && (rung || whole)) return std::nullopt;
    return fmt::format("{}x{}, which is no size of its ladder", result.width, result.height);
  }
  for (const json::value& item : list->get_array()) {
    if (!item.is_object() || text(item.get_object(), "name") != name) continue;
    const auto width = static_cast<std::int64_t>(number(item.get_object(), "width"));
    const auto height = static_cast<std::int64_t>(number(item.get_object(), "height"));
    // With both sides, "1280x720" means 720 lines whichever way up the picture is.
    const auto fits = [&](std::int64_t w, std::int64_t h) {
      const bool inside = (w == 0 || result.width <= w + kRounding) && (h == 0 || result.height <= h + kRounding);
      return inside && (whole || (w > 0 && is(result.width, w)) || (h > 0 && is(result.height, h)));
    };
    if (fits(width, height) || (width > 0 && height > 0 && fits(height, width))) return std::nullopt;
    return fmt::format("{}x{} where {}x{} was asked", result.width, result.height, width, height);
  }
  return std::nullopt;
}

std::optional<std::string> judge_duration(const MediaFacts& source, const MediaFacts& result) {
  if (source.duration_s <= 0) return std::nullopt;
  const double slack = std::max(kDurationSlackS, source.fps > 0 ? 1 / source.fps : 0);
  if (result.duration_s > 0 && std::abs(result.duration_s - source.duration_s) <= slack) return std::nullopt;
  return fmt::format("{:.3f} s long where the source is {:.3f} s", result.duration_s, source.duration_s);
}

// Of what is made from a prompt. Models round: sides down by less than a step of at most 64 pixels, lengths to 1 + n k frames, n at most 8.
std::optional<std::string> judge_generated(const tasks::TaskOrder& order, const MediaFacts& source, const MediaFacts& result) {
  constexpr std::int64_t kSideStep = 64, kFrameStep = 8;
  const auto width = param(order, "width"), height = param(order, "height"), frames = param(order, "frames"), fps = param(order, "fps");
  const auto fits = [](std::int64_t asked, std::int64_t made) { return asked == 0 || (made <= asked && asked - made < kSideStep); };
  // A side below the model's step is made as large as that.
  if (!fits(std::max(width, width > 0 ? kSideStep : 0), result.width) || !fits(std::max(height, height > 0 ? kSideStep : 0), result.height))
    return fmt::format("{}x{} where {}x{} was asked", result.width, result.height, width, height);
  if (order.task == "text-to-image") return std::nullopt;
  if (fps > 0 && result.fps > 0 && std::abs(result.fps - static_cast<double>(fps)) > 0.01)
    return fmt::format("of {:.3f} frames a second where {} were asked", result.fps, fps);
  const bool extends = order.task == "video-extend";
  if (!extends && frames > 0 && result.frames > 0 && std::abs(result.frames - frames) >= kFrameStep)
    return fmt::format("of {} frames where {} were asked", result.frames, frames);
  const double asked = number(order.params, "duration_s"), before = extends ? source.duration_s : 0;
  if (asked <= 0 || result.fps <= 0 || (extends && before <= 0)) return std::nullopt;
  const double slack = static_cast<double>(kFrameStep) / 2 / result.fps + kDurationSlackS;
  if (std::abs(result.duration_s - before - asked) <= slack) return std::nullopt;
  return fmt::format("{:.3f} s long where {:.3f} s were asked", result.duration_s, before + asked);
}

}  // namespace

MediaFacts facts_of(const json::value& media) {
  MediaFacts facts;
  if (!media.is_object()) return facts;
  const auto& object = media.as_object();
  facts.duration_s = number(object, "duration_s");
  facts.width = static_cast<int>(number(object, "width"));
  facts.height = static_cast<int>(number(object, "height"));
  facts.fps = number(object, "fps");
  const json::value* streams = member(object, "streams");
  if (streams == nullptr || !streams->is_array()) return facts;
  for (const auto& stream : streams->as_array()) {
    if (!stream.is_object()) continue;
    const auto type = text(stream.as_object(), "type");
    facts.audio = facts.audio || type == "audio";
    if (type == "video" && !facts.video) facts.frames = static_cast<std::int64_t>(number(stream.as_object(), "frames"));
    facts.video = facts.video || type == "video";
  }
  return facts;
}

std::optional<std::string> judge_file(const tasks::TaskOrder& order, const MediaFacts& source, const jobs::DeliveredFile& file,
                                      const MediaFacts& result) {
  const auto wrong = [&](std::optional<std::string> what) -> std::optional<std::string> {
    if (what) return file.name + " is " + *what;
    return std::nullopt;
  };
  if (order.task == "extract-audio") {
    if (!result.audio) return wrong("without sound");
    if (const auto asked = asked_seconds(order, source); asked && result.duration_s > *asked + kDurationSlackS)
      return wrong(fmt::format("{:.3f} s long where {:.3f} s were asked", result.duration_s, *asked));
    return std::nullopt;
  }
  if (!result.video || result.width < 1 || result.height < 1) {
    // Sound alone is what a source of sound alone gives.
    if (order.task == "transcode" && result.audio && !source.video) return wrong(judge_duration(source, result));
    return wrong("without a picture");
  }
  if (order.task == "text-to-image" || order.task == "text-to-video" || order.task == "image-to-video" || order.task == "video-extend")
    return wrong(judge_generated(order, source, result));
  if (order.task == "image-upscale") return wrong(judge_scale(order, source, result));
  if (order.task == "video-upscale" || order.task == "video-enhance") {
    if (auto bad = judge_scale(order, source, result)) return wrong(bad);
    if (order.params.contains("range")) return std::nullopt;  // a chunk: its part of the source is judged after the join
    return wrong(judge_duration(source, result));
  }
  if (order.task == "frame-interpolation") {
    const auto even = [](std::int64_t side) { return side + side % 2; };
    if (source.width > 0 && (result.width != even(source.width) || result.height != even(source.height)))
      return wrong(fmt::format("{}x{} where the source is {}x{}", result.width, result.height, source.width, source.height));
    if (order.params.contains("range")) return std::nullopt;  // a chunk: judged after the join
    return wrong(judge_duration(source, result));
  }
  if (order.task == "clip" || order.task == "loop") {
    const auto asked = asked_seconds(order, source);
    if (!asked || std::abs(result.duration_s - *asked) <= std::max(kDurationSlackS, source.fps > 0 ? 1 / source.fps : 0))
      return std::nullopt;
    return wrong(fmt::format("{:.3f} s long where {:.3f} s were asked", result.duration_s, *asked));
  }
  if (order.task == "concat") {
    const auto width = param(order, "width"), height = param(order, "height");
    if ((width > 0 && result.width != width - width % 2) || (height > 0 && result.height != height - height % 2))
      return wrong(fmt::format("{}x{} where {}x{} was asked", result.width, result.height, width, height));
    return std::nullopt;
  }
  if (order.task == "extract-frames") {
    const auto width = param(order, "width");
    if (width > 0 && result.width > width) return wrong(fmt::format("{} wide where {} was asked", result.width, width));
    return std::nullopt;
  }
  if (order.task == "transcode" && file.slot == "renditions")
    if (auto bad = judge_rendition(order, source, file, result)) return wrong(bad);
  if (order.task == "join" || order.task == "transcode") return wrong(judge_duration(source, result));
  if (order.task == "thumbnail") {
    const auto width = param(order, "width");
    if (width > 0 && result.width > width) return wrong(fmt::format("{} wide where {} was asked", result.width, width));
  }
  return std::nullopt;
}

std::vector<std::string> playlist_names(std::string_view name, std::string_view playlist) {
  const auto slash = name.rfind('/');
  const std::string folder(slash == std::string_view::npos ? std::string_view() : name.substr(0, slash + 1));
  std::vector<std::string> names;
  const auto take = [&](std::string_view reference) {
    if (!reference.empty() && reference.find("://") == std::string_view::npos) names.push_back(folder + std::string(reference));
  };
  while (!playlist.empty()) {
    const auto end = std::min(playlist.find('\n'), playlist.size());
    std::string_view line = playlist.substr(0, end);
    playlist.remove_prefix(std::min(end + 1, playlist.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with('#')) {
      take(line);
    } else if (const auto uri = line.find("URI=\""); uri != std::string_view::npos) {  // EXT-X-MAP, EXT-X-MEDIA (RFC 8216 4.3)
      const auto value = line.substr(uri + 5);
      take(value.substr(0, std::min(value.find('"'), value.size())));
    }
  }
  return names;
}

std::optional<std::string> judge_set(const tasks::TaskOrder& order, const std::vector<jobs::DeliveredFile>& files,
                                     const std::vector<std::pair<std::string, std::string>>& playlists) {
  const auto has_slot = [&](std::string_view slot) {
    return std::ranges::any_of(files, [&](const jobs::DeliveredFile& file) { return file.slot == slot; });
  };
  if (order.task == "transcode") {
    const json::value* formats = order.params.if_contains("formats");
    if (formats != nullptr && formats->is_array())
      for (const auto& format : formats->as_array()) {
        if (format == "hls" && !has_slot("hls")) return "the HLS ladder is missing";
        if (format == "mp4" && !has_slot("renditions")) return "the MP4 renditions are missing";
      }
  } else if (const auto* task = tasks::find_task(order.task)) {
    for (const auto& slot : task->outputs)
      if (slot.file && !has_slot(slot.slot)) return "there is no file for " + std::string(slot.slot);
    const auto wanted = param(order, "n");
    const auto made = std::ranges::count_if(files, [](const jobs::DeliveredFile& file) { return file.slot == "images"; });
    if (wanted > 0 && made != wanted) return fmt::format("there are {} pictures where {} were asked", made, wanted);
  }
  std::set<std::string_view> delivered;
  for (const auto& file : files) delivered.insert(file.name);
  for (const auto& [name, playlist] : playlists)
    for (const auto& reference : playlist_names(name, playlist))
      if (!delivered.contains(reference)) return fmt::format("{} names {}, which was not delivered", name, reference);
  return std::nullopt;
}

}  // namespace kinora::gateway

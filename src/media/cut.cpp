#include "media/cut.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "media/decode_times.hpp"
#include "media/describe.hpp"
#include "media/entry_point.hpp"
#include "media/input.hpp"
#include "media/joints.hpp"
#include "media/muxer.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr double kMinTargetSeconds = 0.1, kMaxTargetSeconds = 3600, kTargetTolerance = 0.005;
// Packets whose description is kept while planning: 10 hours at 240 frames per second.
constexpr std::size_t kMaxPackets = 10'000'000;

struct PacketNote {
  std::int64_t pts = 0;
  bool key = false;      // as the container says
  bool entry = false;    // a key frame that decoding can start at
  bool dropped = false;  // the edit list hides its frame
};

std::vector<std::int64_t> all_pts(const std::vector<PacketNote>& packets, std::size_t first, std::size_t end) {
  std::vector<std::int64_t> pts;
  for (std::size_t i = first; i < end; ++i) pts.push_back(packets[i].pts);
  return pts;
}

struct Picture {
  std::int64_t pts = 0;
  std::size_t packet = 0;
  std::size_t through = 0;  // the last packet that it and all before it need
};

// First pass: the video's packets, in file (decoding) order.
struct Survey {
  std::vector<PacketNote> packets;
  std::vector<Picture> pictures;  // those that are shown, in the order of their times
  bool usable_times = true;
  bool interlaced = false;   // some of them
  std::int64_t end_pts = 0;  // behind the last one
};

// Not every header tells it, and a video may change.
bool begins_interlaced(const std::string& path, const Limits& limits) {
  VideoReaderOptions options;
  options.limits = limits;
  auto reader = VideoReader::open(path, options);
  if (!reader) return false;
  const auto first = reader->next();
  return first && *first && (*first)->interlaced();
}
bool interlaced_packet(const AVStream& stream) {
  const AVCodecParserContext* parser = av_stream_get_parser(&stream);
  return parser != nullptr && parser->field_order != AV_FIELD_UNKNOWN && parser->field_order != AV_FIELD_PROGRESSIVE;
}

base::Result<Survey> survey(Input& input, int stream, const Control& control) {
  Survey s;
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "out of memory for a packet");
  while (input.read(*packet)) {
    if (packet->stream_index != stream) continue;
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    if (s.packets.size() >= kMaxPackets) return base::fail(ErrorCode::too_large, "more than 10 million video packets");
    s.usable_times = s.usable_times && packet->pts != AV_NOPTS_VALUE;
    s.interlaced = s.interlaced || interlaced_packet(input.stream(stream));
    const std::int64_t pts = packet->pts != AV_NOPTS_VALUE ? packet->pts : 0;
    const bool dropped = (packet->flags & AV_PKT_FLAG_DISCARD) != 0;
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    const bool entry = key && is_entry_point(*input.stream(stream).codecpar, {packet->data, static_cast<std::size_t>(packet->size)});
    s.packets.push_back({pts, key, entry, dropped});
    if (dropped) continue;
    const std::int64_t end = pts + std::max<std::int64_t>(packet->duration, 1);
    s.end_pts = s.pictures.empty() ? end : std::max(s.end_pts, end);
    s.pictures.push_back({.pts = pts, .packet = s.packets.size() - 1});
  }
  std::ranges::sort(s.pictures, {}, &Picture::pts);
  std::size_t through = 0;
  for (Picture& picture : s.pictures) picture.through = through = std::max(through, picture.packet);
  // Frames that an edit list hides must lie outside of what is shown, or times alone cannot tell them.
  for (const PacketNote& p : s.packets)
    if (p.dropped && !s.pictures.empty() && p.pts >= s.pictures.front().pts && p.pts < s.end_pts) s.usable_times = false;
  s.usable_times = s.usable_times && !s.pictures.empty() && !decode_times(all_pts(s.packets, 0, s.packets.size())).empty();
  return s;
}

struct Plan {
  struct Part {
    std::size_t first = 0;  // packet number
    std::size_t last = 0;   // inclusive
    std::int64_t start_pts = 0, end_pts = 0;
    std::size_t pictures = 0;  // from start to end
  };
  std::vector<Part> parts;
  bool usable = true;  // false: broken times, the file cannot be expressed in chunks
};

std::size_t entry_before(const std::vector<PacketNote>& packets, std::size_t i) {
  do --i;
  while (i > 0 && !packets[i].entry);
  return i;
}

// Where to cut. One part when times do not allow it.
Plan plan_parts(const Survey& s, Rational base, double target_s, int max_chunks, bool look_ahead) {
  Plan plan;
  plan.usable = s.usable_times;
  // Key frames that go back in time: a broken file, or several films in one.
  std::int64_t last_key = std::numeric_limits<std::int64_t>::min();
  for (const PacketNote& p : s.packets) {
    if (!p.entry) continue;
    plan.usable = plan.usable && p.pts > last_key;
    last_key = p.pts;
  }
  if (!plan.usable) return plan;
  // Times are rounded to the stream's clock: "2 s later" may be a hair less.
  const auto target = std::max<std::int64_t>(1, std::llround(target_s * (1 - kTargetTolerance) / base.value()));
  std::vector<std::size_t> cuts{0};  // pictures
  Joints joints(base);
  for (std::size_t i = 0; i < s.pictures.size(); ++i) {
    const Picture& picture = s.pictures[i];
    const PacketNote& p = s.packets[picture.packet];
    if (!joints.next(p.pts, p.key) || !p.entry || picture.packet == 0) continue;
    if (p.pts - s.pictures[cuts.back()].pts >= target && cuts.size() < static_cast<std::size_t>(max_chunks)) cuts.push_back(i);
  }
  // Pictures behind its end that a part holds. A deinterlacer looks at one more on either side, which may be two packets, a field each.
  const std::size_t ahead = s.interlaced ? (look_ahead ? 4 : 2) : (look_ahead ? 1 : 0);
  for (std::size_t c = 0; c < cuts.size(); ++c) {
    const bool is_last = c + 1 == cuts.size();
    const std::size_t end = is_last ? s.pictures.size() : cuts[c + 1];
    Plan::Part part;
    part.first = c == 0 ? 0 : s.pictures[cuts[c]].packet;
    if (c > 0 && s.interlaced) part.first = entry_before(s.packets, part.first);
    part.start_pts = s.pictures[cuts[c]].pts;
    part.end_pts = is_last ? s.end_pts : s.pictures[end].pts;
    // Leading pictures of the key frame at the end come behind it in decoding order, and need it.
    part.last = s.pictures[std::min(end + ahead, s.pictures.size()) - 1].through;
    part.pictures = end - cuts[c];
    plan.parts.push_back(part);
  }
  return plan;
}

std::string chunk_name(std::size_t i) {
  char name[32];
  std::snprintf(name, sizeof name, "chunk_%05zu.nut", i);
  return name;
}

// Second pass: writes the parts. Several may be open at a time, where one's tail is the next one's head.
class Cutter {
 public:
  Cutter(Input& input, int stream, const std::string& folder, std::int64_t offset)
      : input_(input), stream_(stream), folder_(folder), offset_(offset) {}

  base::Status open(std::size_t i, std::vector<std::int64_t> dts) {
    KINORA_TRY(Muxer muxer, Muxer::open(folder_ + "/" + chunk_name(i), "nut", {}));
    const AVStream& source = input_.stream(stream_);
    KINORA_TRY(AVStream * out, muxer.add_stream(*source.codecpar, source.time_base));
    // NUT has none of its own for ProRes.
    if (av_codec_get_tag(muxer.format().oformat->codec_tag, out->codecpar->codec_id) == 0)
      out->codecpar->codec_tag = source.codecpar->codec_tag;
    const StreamInfo& info = input_.info().streams[static_cast<std::size_t>(stream_)];
    av_dict_set(&out->metadata, kColorKey, color_text(info.color).c_str(), 0);
    av_dict_set(&out->metadata, i > 0 ? kMidStreamKey : kFirstChunkKey, "1", 0);
    out->sample_aspect_ratio = info.sample_aspect.known() ? to_av(info.sample_aspect) : AVRational{0, 1};
    out->avg_frame_rate = source.avg_frame_rate;
    KINORA_OK(muxer.start());
    clock_ = from_av(muxer.format().streams[0]->time_base);
    open_.push_back({i, std::move(muxer), std::move(dts)});
    return {};
  }

  // To the open parts that hold it, which end with their last one.
  base::Status write(const AVPacket& packet, const Plan& plan, std::size_t number) {
    for (Open& o : open_) {
      const Plan::Part& part = plan.parts[o.part];
      if (number < part.first || number > part.last) continue;
      PacketPtr copy(av_packet_clone(&packet));
      if (!copy) return base::fail(ErrorCode::internal, "out of memory for a packet");
      copy->pts += offset_;
      copy->dts = o.dts[number - part.first] + offset_;
      KINORA_OK(o.muxer.write(*copy, 0, input_.stream(stream_).time_base));
      if (number == part.last) KINORA_OK(o.muxer.finish());
    }
    std::erase_if(open_, [&](const Open& o) { return plan.parts[o.part].last == number; });
    return {};
  }

  // Of the chunks' packets: NUT refines the source's.
  Rational clock() const { return clock_; }

 private:
  struct Open {
    std::size_t part;
    Muxer muxer;
    std::vector<std::int64_t> dts;  // of its packets
  };

  Input& input_;
  int stream_;
  const std::string& folder_;
  std::int64_t offset_;
  Rational clock_{1, 1};
  std::vector<Open> open_;
};

// The file itself as the only chunk: its reader sees what a reader of the source sees, without any limit of time.
base::Result<CutPlan> whole_file(const std::string& path, const std::string& folder, Rational base) {
  constexpr std::int64_t kForever = (std::int64_t{1} << 53) - 1;  // the largest that every JSON reader keeps
  CutPlan plan;
  plan.time_base = base;
  Chunk chunk;
  chunk.file = "chunk_00000.source";
  chunk.start_pts = -kForever;
  chunk.end_pts = kForever;
  std::error_code error;
  std::filesystem::copy_file(path, folder + "/" + chunk.file, std::filesystem::copy_options::overwrite_existing, error);
  if (!error) chunk.bytes = static_cast<std::int64_t>(std::filesystem::file_size(folder + "/" + chunk.file, error));
  if (error) return base::fail(ErrorCode::io, "writing a chunk: " + error.message());
  plan.chunks.push_back(std::move(chunk));
  return plan;
}

}  // namespace

base::Result<CutPlan> cut(const std::string& path, const std::string& output_dir, const CutOptions& options, const Control& control) {
  if (!(options.target_s >= kMinTargetSeconds && options.target_s <= kMaxTargetSeconds))
    return base::fail(ErrorCode::invalid, "a chunk is 0.1 to 3600 seconds");
  if (options.max_chunks < 1 || options.max_chunks > kMaxChunks) return base::fail(ErrorCode::invalid, "1 to 100000 chunks");
  KINORA_TRY(Input input, Input::open(path, options.limits));
  const StreamInfo* video = input.info().video();
  if (video == nullptr) return base::fail(ErrorCode::unsupported, "the file has no video stream");
  if (!video->decodable) return base::fail(ErrorCode::unsupported, "no decoder for this file's " + video->codec);
  const int stream = video->index;
  input.keep_only(stream);
  KINORA_TRY(Survey notes, survey(input, stream, control));
  if (notes.packets.empty()) return base::fail(ErrorCode::invalid, "the video holds no packet");
  notes.interlaced = notes.interlaced || video->interlaced || begins_interlaced(path, options.limits);
  const Rational base = video->time_base;
  const double length_s = notes.pictures.empty() ? 0 : static_cast<double>(notes.end_pts - notes.pictures.front().pts) * base.value();
  const Plan plan =
      plan_parts(notes, base, std::max(options.target_s, length_s / options.max_chunks), options.max_chunks, options.look_ahead);

  if (!plan.usable) return whole_file(path, output_dir, base);

  std::int64_t offset = 0;
  for (const PacketNote& p : notes.packets) offset = std::max(offset, -p.pts);
  // Rounded up to whole stretches, so that chunks have the source's joints: den ticks are num seconds.
  const std::int64_t stretches = Joints::kStretchSeconds * base.den;
  offset = (offset + stretches - 1) / stretches * stretches;

  KINORA_TRY(Input again, Input::open(path, options.limits));
  again.keep_only(stream);
  Cutter cutter(again, stream, output_dir, offset);
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "out of memory for a packet");
  std::size_t next = 0;
  std::size_t number = 0;
  while (number < notes.packets.size() && again.read(*packet)) {
    if (packet->stream_index != stream) continue;
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    for (; next < plan.parts.size() && number == plan.parts[next].first; ++next)
      KINORA_OK(cutter.open(next, decode_times(all_pts(notes.packets, number, plan.parts[next].last + 1))));
    KINORA_OK(cutter.write(*packet, plan, number));
    ++number;
    if (control.report)
      control.report({static_cast<double>(number) / static_cast<double>(notes.packets.size()), static_cast<std::int64_t>(number),
                      static_cast<std::int64_t>(notes.packets.size())});
  }
  if (number < notes.packets.size()) return base::fail(ErrorCode::io, "the file changed while it was cut");
  CutPlan result;
  result.time_base = cutter.clock();
  result.pts_offset = rescale({offset, base}, result.time_base);
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const Plan::Part& part = plan.parts[i];
    Chunk chunk;
    chunk.file = chunk_name(i);
    chunk.start_pts = rescale({part.start_pts + offset, base}, result.time_base);
    chunk.end_pts = rescale({part.end_pts + offset, base}, result.time_base);
    chunk.frames = static_cast<std::int64_t>(part.pictures);
    std::error_code error;
    chunk.bytes = static_cast<std::int64_t>(std::filesystem::file_size(output_dir + "/" + chunk.file, error));
    if (error) return base::fail(ErrorCode::io, "a chunk that was just written cannot be read");
    result.chunks.push_back(std::move(chunk));
  }
  return result;
}

}  // namespace kinora::media

#include "media/join.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "media/decode_times.hpp"
#include "media/describe.hpp"
#include "media/tracks.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxJoinedPackets = 10'000'000;

bool same_video(const AVCodecParameters& a, const AVCodecParameters& b) {
  return a.codec_id == b.codec_id && a.width == b.width && a.height == b.height && a.format == b.format;
}

bool same_headers(const AVCodecParameters& a, const AVCodecParameters& b) {
  return a.extradata_size == b.extradata_size &&
         (a.extradata_size == 0 || std::memcmp(a.extradata, b.extradata, static_cast<std::size_t>(a.extradata_size)) == 0);
}

void apply(const ColorTags& tags, AVCodecParameters& parameters) {
  parameters.color_primaries = static_cast<AVColorPrimaries>(tags.primaries);
  parameters.color_trc = static_cast<AVColorTransferCharacteristic>(tags.transfer);
  parameters.color_space = static_cast<AVColorSpace>(tags.matrix);
  if (tags.range != ColorRange::unspecified) parameters.color_range = tags.range == ColorRange::full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

// Parameter sets before the packet's data, both in Annex B form (start codes), as our encoders make them.
base::Status prepend(AVPacket& packet, const AVCodecParameters& parameters) {
  const auto annex_b = [](const std::uint8_t* d, int size) {
    return size > 3 && d[0] == 0 && d[1] == 0 && (d[2] == 1 || (d[2] == 0 && d[3] == 1));
  };
  if (!annex_b(parameters.extradata, parameters.extradata_size) || !annex_b(packet.data, packet.size))
    return base::fail(ErrorCode::invalid, "chunks were encoded with different settings and cannot share a file");
  const int before = packet.size;
  if (av_packet_make_writable(&packet) < 0 || av_grow_packet(&packet, parameters.extradata_size) < 0)
    return base::fail(ErrorCode::internal, "join: out of memory");
  std::memmove(packet.data + parameters.extradata_size, packet.data, static_cast<std::size_t>(before));
  std::memcpy(packet.data, parameters.extradata, static_cast<std::size_t>(parameters.extradata_size));
  return {};
}

class Joiner {
 public:
  Joiner(const std::vector<std::string>& chunks, const std::string& output, const JoinOptions& options, const Control& control)
      : chunks_(chunks), output_(output), options_(options), control_(control) {}

  base::Result<Joined> run() {
    std::vector<std::int64_t> pts;
    for (std::size_t i = 0; i < chunks_.size(); ++i) KINORA_OK(look(i, pts));
    // Decoding times of the joined stream as a whole: chunks were encoded apart, so theirs need not fit together.
    dts_ = decode_times(pts);
    if (dts_.empty()) return base::fail(ErrorCode::invalid, "chunks overlap in time");
    for (std::size_t i = 0; i < chunks_.size(); ++i) KINORA_OK(append(i));
    if (tracks_) KINORA_OK(tracks_->finish(*muxer_));
    KINORA_OK(muxer_->finish());
    return Joined{static_cast<std::int64_t>(packets_)};
  }

 private:
  base::Result<Input> open(std::size_t number) const;
  // First pass: is this chunk fit to follow the ones before?
  base::Status look(std::size_t number, std::vector<std::int64_t>& pts);
  base::Status start(const Input& input, const StreamInfo& video);
  base::Status append(std::size_t number);
  std::string what(std::size_t number) const { return "chunk " + std::to_string(number); }

  const std::vector<std::string>& chunks_;
  const std::string& output_;
  const JoinOptions& options_;
  const Control& control_;
  std::optional<Muxer> muxer_;
  std::optional<SourceTracks> tracks_;
  Av<AVCodecParameters> parameters_;  // of the first chunk
  AVRational base_{1, 1};
  std::vector<std::int64_t> dts_;
  bool headers_differ_ = false;
  std::int64_t origin_ = 0;  // in base_
  std::size_t packets_ = 0;
  std::ptrdiff_t last_chunk_ = 0;  // first pass: where its packets begin
};

base::Result<Input> Joiner::open(std::size_t number) const {
  auto input = Input::open(chunks_[number], options_.limits);
  if (!input) return base::fail(input.error().within(what(number)));
  const StreamInfo* video = input->info().video();
  if (video == nullptr) return base::fail(ErrorCode::invalid, what(number) + " holds no video");
  input->keep_only(video->index);
  return input;
}

base::Status Joiner::look(std::size_t number, std::vector<std::int64_t>& pts) {
  KINORA_TRY(Input input, open(number));
  const int index = input.info().video()->index;
  const AVStream& stream = input.stream(index);
  if (number == 0) {
    base_ = stream.time_base;
    parameters_.reset(avcodec_parameters_alloc());
    if (!parameters_ || avcodec_parameters_copy(parameters_.get(), stream.codecpar) < 0)
      return base::fail(ErrorCode::internal, "join: out of memory");
  } else {
    if (!same_video(*parameters_, *stream.codecpar))
      return base::fail(ErrorCode::invalid, what(number) + " differs from the first in codec, size or pixel format");
    if (av_cmp_q(stream.time_base, base_) != 0) return base::fail(ErrorCode::invalid, what(number) + " has another clock than the first");
    headers_differ_ = headers_differ_ || !same_headers(*parameters_, *stream.codecpar);
  }
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "join: out of memory");
  const std::int64_t before =
      pts.empty() ? std::numeric_limits<std::int64_t>::min() : *std::max_element(pts.begin() + last_chunk_, pts.end());
  last_chunk_ = static_cast<std::ptrdiff_t>(pts.size());
  while (input.read(*packet)) {
    if (packet->stream_index != index) continue;
    if (control_.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    if (packet->pts == AV_NOPTS_VALUE) return base::fail(ErrorCode::invalid, what(number) + " holds a packet without a time");
    const bool first = static_cast<std::ptrdiff_t>(pts.size()) == last_chunk_;
    if (first && (packet->flags & AV_PKT_FLAG_KEY) == 0)
      return base::fail(ErrorCode::invalid, what(number) + " does not start with a key frame");
    if (packet->pts <= before) return base::fail(ErrorCode::invalid, what(number) + " overlaps the one before");
    if (pts.size() >= kMaxJoinedPackets) return base::fail(ErrorCode::too_large, "more than 10 million packets");
    pts.push_back(packet->pts);
  }
  if (static_cast<std::ptrdiff_t>(pts.size()) == last_chunk_) return base::fail(ErrorCode::invalid, what(number) + " holds no picture");
  return {};
}

base::Status Joiner::start(const Input& input, const StreamInfo& video) {
  apply(video.color, *parameters_);
  KINORA_TRY(muxer_, Muxer::open(output_, muxer_name(options_.container), muxer_options(options_.container)));
  KINORA_TRY(AVStream * out, muxer_->add_stream(*parameters_, base_));
  if (parameters_->codec_id == AV_CODEC_ID_HEVC && options_.container != Container::mpegts && options_.container != Container::nut)
    out->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  if (options_.container == Container::nut) av_dict_set(&out->metadata, kColorKey, color_text(video.color).c_str(), 0);
  out->sample_aspect_ratio = video.sample_aspect.known() ? to_av(video.sample_aspect) : AVRational{0, 1};
  out->avg_frame_rate = input.stream(video.index).avg_frame_rate;
  origin_ = av_rescale_q(options_.pts_offset, to_av(options_.pts_offset_base), base_);
  if (!options_.source.empty()) {
    KINORA_TRY(tracks_, SourceTracks::open(options_.source, options_.container, options_.limits));
    KINORA_OK(tracks_->dress_video(*out));
    KINORA_OK(tracks_->add_to(*muxer_));
    origin_ += av_rescale_q(tracks_->origin_us(), kMicroseconds, base_);
  }
  return muxer_->start();
}

base::Status Joiner::append(std::size_t number) {
  KINORA_TRY(Input input, open(number));
  const StreamInfo& video = *input.info().video();
  const AVCodecParameters& parameters = *input.stream(video.index).codecpar;
  if (number == 0) KINORA_OK(start(input, video));
  PacketPtr packet(av_packet_alloc());
  if (!packet) return base::fail(ErrorCode::internal, "join: out of memory");
  while (input.read(*packet)) {
    if (packet->stream_index != video.index) continue;
    if (control_.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    if (packets_ >= dts_.size()) return base::fail(ErrorCode::io, what(number) + " changed while it was joined");
    // One file has one description; chunks with another one carry theirs before their key frames.
    if (headers_differ_ && (packet->flags & AV_PKT_FLAG_KEY) != 0) KINORA_OK(prepend(*packet, parameters));
    packet->dts = dts_[packets_] - origin_;
    packet->pts -= origin_;
    const double at = static_cast<double>(packet->dts) * av_q2d(base_);
    KINORA_OK(muxer_->write(*packet, 0, base_));
    if (tracks_) KINORA_OK(tracks_->advance(*muxer_, at));
    ++packets_;
    if (control_.report)
      control_.report({static_cast<double>(packets_) / static_cast<double>(dts_.size()), static_cast<std::int64_t>(packets_),
                       static_cast<std::int64_t>(dts_.size())});
  }
  return {};
}

}  // namespace

base::Result<Joined> join(const std::vector<std::string>& chunks, const std::string& output, const JoinOptions& options,
                          const Control& control) {
  if (chunks.empty() || chunks.size() > static_cast<std::size_t>(kMaxChunks))
    return base::fail(ErrorCode::invalid, "a join takes 1 to 100000 chunks");
  return Joiner(chunks, output, options, control).run();
}

}  // namespace kinora::media

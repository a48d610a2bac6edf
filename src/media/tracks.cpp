#include "media/tracks.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "media/audio.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::int64_t kAudioBitrate = 128'000;
// Edit lists (a stream that starts late) count in this; FFmpeg's 1000 would shift pictures by up to a millisecond.
constexpr const char* kMovieTimescale = "90000";

// Container-level words that describe the source file, not the film.
bool is_container_word(const char* key) {
  for (const char* word : {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "vendor_id"})
    if (av_strcasecmp(key, word) == 0) return true;
  return false;
}

void copy_metadata(AVDictionary** to, const AVDictionary* from) {
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(from, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr)
    if (!is_container_word(entry->key)) av_dict_set(to, entry->key, entry->value, 0);
}

base::Status copy_chapters(AVFormatContext& to, const AVFormatContext& from, std::int64_t origin_us) {
  to.chapters = static_cast<AVChapter**>(av_calloc(std::max(from.nb_chapters, 1U), sizeof(AVChapter*)));
  if (to.chapters == nullptr) return base::fail(ErrorCode::internal, "output: out of memory");
  for (unsigned i = 0; i < from.nb_chapters; ++i) {
    const AVChapter& source = *from.chapters[i];
    auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
    if (chapter == nullptr) return base::fail(ErrorCode::internal, "output: out of memory");
    const std::int64_t origin = av_rescale_q(origin_us, kMicroseconds, source.time_base);
    chapter->id = source.id;
    chapter->time_base = source.time_base;
    chapter->start = std::max<std::int64_t>(source.start - origin, 0);
    chapter->end = std::max<std::int64_t>(source.end - origin, 0);
    av_dict_copy(&chapter->metadata, source.metadata, 0);
    to.chapters[to.nb_chapters++] = chapter;
  }
  return {};
}

struct Track {
  bool began = false;  // a packet was copied
  int input = 0;
  int output = 0;
  std::optional<AudioTranscoder> transcoder;
  std::int64_t origin = 0;  // in the input stream's ticks
};

}  // namespace

bool can_copy(Container container, const AVCodecParameters& parameters) {
  const AVCodecID id = parameters.codec_id;
  const auto one_of = [id](std::initializer_list<AVCodecID> ids) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
  switch (container) {
    case Container::mp4:
    case Container::fragmented_mp4:
      return one_of({AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_MP2, AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3, AV_CODEC_ID_ALAC,
                     AV_CODEC_ID_FLAC, AV_CODEC_ID_OPUS, AV_CODEC_ID_MOV_TEXT, AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1,
                     AV_CODEC_ID_VP9});
    case Container::mpegts:
      return one_of({AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_MP2, AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3, AV_CODEC_ID_DVB_SUBTITLE,
                     AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_MPEG2VIDEO});
    case Container::nut: break;
  }
  return true;
}

const char* muxer_name(Container container) {
  switch (container) {
    case Container::mpegts: return "mpegts";
    case Container::nut: return "nut";
    case Container::mp4:
    case Container::fragmented_mp4: break;
  }
  return "mp4";
}

std::vector<std::pair<std::string, std::string>> muxer_options(Container container) {
  switch (container) {
    case Container::mp4: return {{"movflags", "+faststart"}, {"movie_timescale", kMovieTimescale}};
    // delay_moov: the edit list that keeps audio priming and B-frame delay in sync is known with the first packets only.
    case Container::fragmented_mp4:
      return {{"movflags", "+frag_keyframe+empty_moov+default_base_moof+delay_moov"}, {"movie_timescale", kMovieTimescale}};
    case Container::mpegts:
    case Container::nut: break;
  }
  return {};
}

struct SourceTracks::State {
  State(Input input_, Container container_, const Limits& limits_) : input(std::move(input_)), container(container_), limits(limits_) {}
  base::Status add_track(Muxer& muxer, int index);
  base::Status pass(Muxer& muxer, Track& track);

  Input input;
  Container container;
  Limits limits;
  std::vector<Track> tracks;
  PacketPtr packet{av_packet_alloc()};
  bool pending = false;  // packet holds one that lies ahead of the output
  bool ended = false;
};

base::Status SourceTracks::State::add_track(Muxer& muxer, int index) {
  const AVStream& source = input.stream(index);
  const AVCodecParameters& parameters = *source.codecpar;
  const bool audio = parameters.codec_type == AVMEDIA_TYPE_AUDIO;
  // A track without parameters (its description is missing from the file) can neither be copied nor decoded.
  if (audio && (parameters.sample_rate <= 0 || parameters.ch_layout.nb_channels <= 0)) return {};
  Track track;
  track.input = index;
  track.output = static_cast<int>(muxer.format().nb_streams);
  if (container != Container::nut)
    track.origin =
        av_rescale_q(input.format().start_time == AV_NOPTS_VALUE ? 0 : input.format().start_time, kMicroseconds, source.time_base);
  AVStream* stream = nullptr;
  if (can_copy(container, parameters)) {
    KINORA_TRY(stream, muxer.add_stream(parameters, source.time_base));
  } else if (audio) {
    auto transcoder = AudioTranscoder::open(source, kAudioBitrate, limits);
    if (!transcoder) return {};  // no decoder for it here: the film stays watchable without this track
    track.transcoder = std::move(*transcoder);
    Av<AVCodecParameters> encoded(avcodec_parameters_alloc());
    if (!encoded || avcodec_parameters_from_context(encoded.get(), &track.transcoder->encoder()) < 0)
      return base::fail(ErrorCode::internal, "output: out of memory");
    KINORA_TRY(stream, muxer.add_stream(*encoded, track.transcoder->encoder().time_base));
  } else {
    return {};
  }
  copy_metadata(&stream->metadata, source.metadata);
  stream->disposition = source.disposition;
  tracks.push_back(std::move(track));
  return {};
}

base::Status SourceTracks::State::pass(Muxer& muxer, Track& track) {
  const AVStream& source = input.stream(track.input);
  if (!track.transcoder) {
    if (packet->pts != AV_NOPTS_VALUE) packet->pts -= track.origin;
    if (packet->dts != AV_NOPTS_VALUE) packet->dts -= track.origin;
    auto written = muxer.write(*packet, track.output, source.time_base);
    // A damaged packet that the container's filter cannot read (AAC without its header) is left out, as a player would.
    if (!written && written.error().code == base::ErrorCode::invalid && track.began) return {};
    track.began = track.began || written.has_value();
    return written;
  }
  const AVRational encoded = track.transcoder->encoder().time_base;
  const std::int64_t origin = av_rescale_q(track.origin, source.time_base, encoded);
  return track.transcoder->push(*packet, [&](AVPacket& out) -> base::Status {
    out.pts -= origin;
    out.dts -= origin;
    return muxer.write(out, track.output, encoded);
  });
}

SourceTracks::SourceTracks(std::unique_ptr<State> state) : state_(std::move(state)) {}
SourceTracks::SourceTracks(SourceTracks&&) noexcept = default;
SourceTracks& SourceTracks::operator=(SourceTracks&&) noexcept = default;
SourceTracks::~SourceTracks() = default;

base::Result<SourceTracks> SourceTracks::open(const std::string& path, Container container, const Limits& limits) {
  KINORA_TRY(Input input, Input::open(path, limits));
  auto state = std::make_unique<State>(std::move(input), container, limits);
  if (!state->packet) return base::fail(ErrorCode::internal, "output: out of memory");
  return SourceTracks(std::move(state));
}

const MediaInfo& SourceTracks::info() const { return state_->input.info(); }
std::int64_t SourceTracks::origin_us() const {
  const std::int64_t start = state_->input.format().start_time;
  return state_->container == Container::nut || start == AV_NOPTS_VALUE ? 0 : start;
}

base::Status SourceTracks::dress_video(AVStream& video) const {
  const StreamInfo* info = state_->input.info().video();
  if (info == nullptr) return {};
  const AVStream& source = state_->input.stream(info->index);
  if (const std::int32_t* matrix = display_matrix(source); matrix != nullptr) {
    std::int32_t copy[9];
    std::memcpy(copy, matrix, sizeof copy);
    if (!set_display_matrix(video, copy)) return base::fail(ErrorCode::internal, "output: out of memory");
  }
  copy_metadata(&video.metadata, source.metadata);
  video.disposition = source.disposition;
  return {};
}

base::Status SourceTracks::add_to(Muxer& muxer) {
  State& s = *state_;
  AVFormatContext& from = s.input.format();
  copy_metadata(&muxer.format().metadata, from.metadata);
  if (s.container != Container::nut) KINORA_OK(copy_chapters(muxer.format(), from, origin_us()));
  for (const StreamInfo& stream : s.input.info().streams) {
    if (stream.type == StreamType::audio || stream.type == StreamType::subtitle) KINORA_OK(s.add_track(muxer, stream.index));
  }
  for (unsigned i = 0; i < from.nb_streams; ++i) {
    const bool used = std::any_of(s.tracks.begin(), s.tracks.end(), [i](const Track& t) { return t.input == static_cast<int>(i); });
    if (!used) from.streams[i]->discard = AVDISCARD_ALL;
  }
  return {};
}

base::Status SourceTracks::advance(Muxer& muxer, double until_s) {
  State& s = *state_;
  while (!s.ended && !s.tracks.empty()) {
    if (!s.pending && !s.input.read(*s.packet)) {
      s.ended = true;
      for (Track& track : s.tracks) {
        if (!track.transcoder) continue;
        const AVRational encoded = track.transcoder->encoder().time_base;
        const std::int64_t origin = av_rescale_q(track.origin, s.input.stream(track.input).time_base, encoded);
        KINORA_OK(track.transcoder->flush([&](AVPacket& out) -> base::Status {
          out.pts -= origin;
          out.dts -= origin;
          return muxer.write(out, track.output, encoded);
        }));
      }
      break;
    }
    const auto track = std::find_if(s.tracks.begin(), s.tracks.end(), [&](const Track& t) { return t.input == s.packet->stream_index; });
    s.pending = false;
    if (track == s.tracks.end()) continue;
    const std::int64_t at = s.packet->dts != AV_NOPTS_VALUE ? s.packet->dts : s.packet->pts;
    const double seconds =
        at == AV_NOPTS_VALUE ? 0 : static_cast<double>(at - track->origin) * av_q2d(s.input.stream(track->input).time_base);
    if (seconds > until_s) {
      s.pending = true;
      return {};
    }
    KINORA_OK(s.pass(muxer, *track));
  }
  return {};
}

base::Status SourceTracks::finish(Muxer& muxer) { return advance(muxer, std::numeric_limits<double>::infinity()); }

}  // namespace kinora::media

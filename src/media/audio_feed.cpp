#include "media/audio_feed.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "media/audio.hpp"
#include "media/input.hpp"

namespace kinora::media {
namespace {

// AAC in ADTS frames (transport streams) carries its description in every frame; MP4 wants it once, as an
// AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). Made for plain AAC LC; false for anything else.
bool describe_adts(AVCodecParameters& parameters) {
  constexpr std::array kRates{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350};
  const auto rate = std::find(kRates.begin(), kRates.end(), parameters.sample_rate);
  constexpr int kProfileLow = 1;  // FFmpeg's number; the constant's name differs between its versions
  const int channels = parameters.ch_layout.nb_channels;
  const int configuration = channels >= 1 && channels <= 6 ? channels : channels == 8 ? 7 : 0;
  if (parameters.profile != kProfileLow || rate == kRates.end() || configuration == 0) return false;
  constexpr int kObjectType = 2;  // AAC LC
  const auto rate_index = static_cast<int>(rate - kRates.begin());
  const int bits = kObjectType << 11 | rate_index << 7 | configuration << 3;
  auto* config = static_cast<std::uint8_t*>(av_mallocz(2 + AV_INPUT_BUFFER_PADDING_SIZE));
  if (config == nullptr) return false;
  config[0] = static_cast<std::uint8_t>(bits >> 8);
  config[1] = static_cast<std::uint8_t>(bits & 0xff);
  parameters.extradata = config;
  parameters.extradata_size = 2;
  return true;
}

// Takes the ADTS headers off. Null: out of memory.
Av<AVBSFContext> adts_stripper(const AVStream& stream) {
  AVBSFContext* raw = nullptr;
  if (av_bsf_alloc(av_bsf_get_by_name("aac_adtstoasc"), &raw) < 0) return nullptr;
  Av<AVBSFContext> filter(raw);
  filter->time_base_in = stream.time_base;
  if (avcodec_parameters_copy(filter->par_in, stream.codecpar) < 0 || av_bsf_init(filter.get()) < 0) return nullptr;
  return filter;
}

}  // namespace

struct AudioFeed::State {
  explicit State(Input input_) : input(std::move(input_)) {}
  base::Status flush(const Sink& sink);

  Input input;
  std::vector<Track> tracks;
  std::vector<std::optional<AudioTranscoder>> transcoders;  // one per track; absent: copied
  std::vector<Av<AVBSFContext>> strippers;                  // one per track; null: nothing to take off
  PacketPtr packet{av_packet_alloc()};
  bool pending = false, ended = false;
};

AudioFeed::AudioFeed(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioFeed::AudioFeed(AudioFeed&&) noexcept = default;
AudioFeed& AudioFeed::operator=(AudioFeed&&) noexcept = default;
AudioFeed::~AudioFeed() = default;

base::Result<AudioFeed> AudioFeed::open(const std::string& path, std::int64_t bitrate, const Limits& limits) {
  KINORA_TRY(Input input, Input::open(path, limits));
  auto state = std::make_unique<State>(std::move(input));
  AVFormatContext& format = state->input.format();
  for (unsigned i = 0; i < format.nb_streams; ++i) format.streams[i]->discard = AVDISCARD_ALL;
  for (const StreamInfo& info : state->input.info().streams) {
    if (info.type != StreamType::audio || info.channels <= 0 || info.sample_rate <= 0) continue;
    AVStream& stream = state->input.stream(info.index);
    Track track;
    track.stream = info;
    track.parameters.reset(avcodec_parameters_alloc());
    if (!track.parameters || !state->packet) return base::fail(base::ErrorCode::internal, "out of memory for audio");
    std::optional<AudioTranscoder> transcoder;
    Av<AVBSFContext> stripper;
    avcodec_parameters_copy(track.parameters.get(), stream.codecpar);
    track.time_base = stream.time_base;
    bool copy = stream.codecpar->codec_id == AV_CODEC_ID_AAC;
    if (copy && stream.codecpar->extradata_size == 0) {
      copy = describe_adts(*track.parameters);
      if (copy) stripper = adts_stripper(stream);
      if (copy && !stripper) return base::fail(base::ErrorCode::internal, "out of memory for audio");
    }
    if (!copy) {
      auto opened = AudioTranscoder::open(stream, bitrate, limits);
      if (!opened) continue;
      avcodec_parameters_from_context(track.parameters.get(), &opened->encoder());
      track.time_base = opened->encoder().time_base;
      transcoder = std::move(*opened);
    }
    stream.discard = AVDISCARD_DEFAULT;
    state->tracks.push_back(std::move(track));
    state->transcoders.push_back(std::move(transcoder));
    state->strippers.push_back(std::move(stripper));
  }
  return AudioFeed(std::move(state));
}

const std::vector<AudioFeed::Track>& AudioFeed::tracks() const { return state_->tracks; }
const MediaInfo& AudioFeed::info() const { return state_->input.info(); }
std::int64_t AudioFeed::start_us() const {
  const std::int64_t start = state_->input.format().start_time;
  return start == AV_NOPTS_VALUE ? 0 : start;
}
const AVFormatContext& AudioFeed::format() const { return state_->input.format(); }

base::Status AudioFeed::State::flush(const Sink& sink) {
  for (std::size_t i = 0; i < tracks.size(); ++i)
    if (transcoders[i]) KINORA_OK(transcoders[i]->flush([&](AVPacket& out) { return sink(i, out); }));
  return {};
}

base::Result<bool> AudioFeed::advance(double until_s, const Sink& sink) {
  State& s = *state_;
  while (!s.ended && !s.tracks.empty()) {
    if (!s.pending && !s.input.read(*s.packet)) {
      s.ended = true;
      KINORA_OK(s.flush(sink));
      break;
    }
    s.pending = false;
    const auto track =
        std::find_if(s.tracks.begin(), s.tracks.end(), [&](const Track& t) { return t.stream.index == s.packet->stream_index; });
    if (track == s.tracks.end()) continue;
    const std::int64_t at = s.packet->dts != AV_NOPTS_VALUE ? s.packet->dts : s.packet->pts;
    if (at != AV_NOPTS_VALUE && static_cast<double>(at) * track->stream.time_base.value() > until_s) {
      s.pending = true;
      return true;
    }
    const auto index = static_cast<std::size_t>(track - s.tracks.begin());
    if (s.transcoders[index]) {
      KINORA_OK(s.transcoders[index]->push(*s.packet, [&](AVPacket& out) { return sink(index, out); }));
    } else {
      if (AVBSFContext* stripper = s.strippers[index].get(); stripper != nullptr) {
        // A packet without a readable ADTS header is damage: it is left out.
        if (av_bsf_send_packet(stripper, s.packet.get()) < 0 || av_bsf_receive_packet(stripper, s.packet.get()) < 0) continue;
      }
      KINORA_OK(sink(index, *s.packet));
    }
  }
  return false;
}

}  // namespace kinora::media

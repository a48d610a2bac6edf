#include <algorithm>
#include <cmath>
#include <deque>

#include "media/audio_graph.hpp"
#include "media/input.hpp"
#include "media/pcm.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// Timestamps rounded to milliseconds jitter; what lies further off is a gap or an overlap.
constexpr double kJitterSeconds = 0.03;

}  // namespace

const StreamInfo* sound_of(const MediaInfo& info) {
  const StreamInfo* found = nullptr;
  for (const StreamInfo& stream : info.streams) {
    if (stream.type != StreamType::audio || !stream.decodable || stream.channels <= 0 || stream.sample_rate <= 0) continue;
    if (found == nullptr || (stream.is_default && !found->is_default)) found = &stream;
  }
  return found;
}

struct PcmReader::State {
  // Silence, then samples.
  struct Piece {
    std::int64_t silence = 0;
    std::vector<float> samples;
    std::size_t used = 0;
  };

  explicit State(Input input_) : input(std::move(input_)) {}
  base::Status more();     // decodes until there is a piece, or the track has ended
  base::Status receive();  // what the decoder has
  base::Status take();     // what the filter has
  void place(const AVFrame& frame);

  Input input;
  int index = -1;
  PcmShape shape;
  std::int64_t start = 0;  // sample 0 on the stream's clock, in samples
  Av<AVCodecContext> decoder;
  AudioGraph graph;
  PacketPtr packet{av_packet_alloc()};
  FramePtr decoded{av_frame_alloc()}, shaped{av_frame_alloc()};
  std::deque<Piece> pieces;
  std::int64_t position = 0;  // the sample behind the last piece
  bool placed = false, ended = false;
};

void PcmReader::State::place(const AVFrame& frame) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto* samples = reinterpret_cast<const float*>(frame.data[0]);
  std::int64_t count = frame.nb_samples;
  std::int64_t at = position;
  if (frame.pts != AV_NOPTS_VALUE) {
    const std::int64_t stated = av_rescale_q(frame.pts, graph.time_base(), {1, shape.rate}) - start;
    if (!placed || std::abs(static_cast<double>(stated - position)) > kJitterSeconds * shape.rate) at = stated;
  }
  const std::int64_t late = std::clamp<std::int64_t>(position - at, 0, count);  // before the start, or heard already
  samples += static_cast<std::size_t>(late) * channels;
  count -= late;
  at += late;
  // The first sample that is kept settles where the rest belongs.
  placed = placed || count > 0;
  if (count <= 0) return;
  Piece piece;
  piece.silence = std::max<std::int64_t>(at - position, 0);
  piece.samples.assign(samples, samples + static_cast<std::size_t>(count) * channels);
  pieces.push_back(std::move(piece));
  position = std::max(at, position) + count;
}

base::Status PcmReader::State::take() {
  for (;;) {
    KINORA_TRY(const bool got, graph.pull(*shaped));
    if (!got) return {};
    place(*shaped);
    av_frame_unref(shaped.get());
  }
}

base::Status PcmReader::State::receive() {
  while (avcodec_receive_frame(decoder.get(), decoded.get()) >= 0) {
    if (decoded->sample_rate <= 0 || decoded->nb_samples <= 0) continue;
    decoded->pts = decoded->best_effort_timestamp;
    if (graph && !graph.fits(*decoded)) {
      KINORA_OK(graph.push(nullptr));
      KINORA_OK(take());
      graph = {};
    }
    if (!graph) {
      KINORA_TRY(graph, AudioGraph::make(*decoded, input.stream(index).time_base,
                                         {AV_SAMPLE_FMT_FLT, shape.rate, default_layout(shape.channels), 0, false}));
    }
    KINORA_OK(graph.push(decoded.get()));
    KINORA_OK(take());
  }
  return {};
}

base::Status PcmReader::State::more() {
  while (pieces.empty() && !ended) {
    if (input.read(*packet)) {
      if (packet->stream_index != index) continue;
      // A packet that the decoder refuses is damage: the gap becomes silence by its timestamps.
      if (avcodec_send_packet(decoder.get(), packet.get()) < 0) continue;
      KINORA_OK(receive());
    } else {
      ended = true;
      avcodec_send_packet(decoder.get(), nullptr);
      KINORA_OK(receive());
      if (graph) {
        KINORA_OK(graph.push(nullptr));
        KINORA_OK(take());
      }
    }
  }
  return {};
}

PcmReader::PcmReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
PcmReader::PcmReader(PcmReader&&) noexcept = default;
PcmReader& PcmReader::operator=(PcmReader&&) noexcept = default;
PcmReader::~PcmReader() = default;

base::Result<PcmReader> PcmReader::open(const std::string& path, double start_s, PcmShape shape, const Limits& limits) {
  KINORA_TRY(Input input, Input::open(path, limits));
  const StreamInfo* sound = sound_of(input.info());
  if (sound == nullptr) return base::fail(ErrorCode::unsupported, "the file holds no sound that can be decoded");
  const double start = input.info().start_s + start_s;
  auto state = std::make_unique<State>(std::move(input));
  state->index = sound_of(state->input.info())->index;
  state->shape = shape;
  state->start = std::llround(start * shape.rate);
  state->input.keep_only(state->index);
  KINORA_TRY(state->decoder, open_decoder(state->input.stream(state->index), 1, limits));
  if (!state->packet || !state->decoded || !state->shaped) return base::fail(ErrorCode::internal, "out of memory for audio");
  return PcmReader(std::move(state));
}

base::Result<std::size_t> PcmReader::read(float* out, std::size_t samples) {
  State& s = *state_;
  const auto channels = static_cast<std::size_t>(s.shape.channels);
  std::size_t done = 0;
  while (done < samples) {
    KINORA_OK(s.more());
    if (s.pieces.empty()) break;
    State::Piece& piece = s.pieces.front();
    if (piece.silence > 0) {
      const auto count = static_cast<std::size_t>(std::min<std::int64_t>(piece.silence, static_cast<std::int64_t>(samples - done)));
      std::fill_n(out + done * channels, count * channels, 0.0F);
      piece.silence -= static_cast<std::int64_t>(count);
      done += count;
      continue;
    }
    const std::size_t count = std::min((piece.samples.size() - piece.used) / channels, samples - done);
    std::copy_n(piece.samples.data() + piece.used, count * channels, out + done * channels);
    piece.used += count * channels;
    done += count;
    if (piece.used == piece.samples.size()) s.pieces.pop_front();
  }
  return done;
}

}  // namespace kinora::media

#include "media/outputs.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "media/tracks.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::int64_t kHlsShift = kHlsStartSeconds * AV_TIME_BASE;

std::string audio_name(std::size_t track) { return "audio_" + std::to_string(track + 1); }

void describe_track(AVStream& out, const StreamInfo& in) {
  if (!in.language.empty()) av_dict_set(&out.metadata, "language", in.language.c_str(), 0);
  if (!in.title.empty()) av_dict_set(&out.metadata, "title", in.title.c_str(), 0);
  if (in.is_default) out.disposition |= AV_DISPOSITION_DEFAULT;
}

}  // namespace

base::Status Sink::write(const AVPacket& packet, int stream, AVRational time_base) {
  PacketPtr copy(av_packet_clone(&packet));
  if (!copy) return base::fail(ErrorCode::internal, "out of memory for a packet");
  const std::int64_t shift = av_rescale_q(shift_us, kMicroseconds, time_base);
  if (copy->pts != AV_NOPTS_VALUE) copy->pts += shift;
  if (copy->dts != AV_NOPTS_VALUE) copy->dts += shift;
  return muxer.write(*copy, stream, time_base);
}

base::Status Outputs::add_tracks(Sink& sink) {
  for (const AudioFeed::Track& track : audio_.tracks()) {
    KINORA_TRY(AVStream * stream, sink.muxer.add_stream(*track.parameters, track.time_base));
    describe_track(*stream, track.stream);
    sink.audio.push_back(stream->index);
  }
  return {};
}

base::Result<Sink> Outputs::open_mp4(const std::string& name) {
  KINORA_TRY(Muxer muxer, Muxer::open(folder_ + "/" + name + ".mp4", "mp4", muxer_options(Container::mp4)));
  Sink sink{std::move(muxer), -audio_.start_us(), -1, {}};
  const AVFormatContext& source = audio_.format();
  for (const char* key : {"title", "artist", "comment", "copyright", "description", "date"})
    if (const AVDictionaryEntry* entry = av_dict_get(source.metadata, key, nullptr, 0); entry != nullptr)
      av_dict_set(&sink.muxer.format().metadata, key, entry->value, 0);
  return sink;
}

base::Result<Sink> Outputs::open_playlist(const std::string& name) {
  std::error_code error;
  std::filesystem::create_directory(folder_ + "/" + name, error);
  if (error) return base::fail(ErrorCode::io, "output folder: " + error.message());
  KINORA_TRY(Muxer muxer, open_hls(folder_ + "/" + name, options_.segments, options_.segment_s));
  return Sink{std::move(muxer), kHlsShift - audio_.start_us(), -1, {}};
}

base::Status Outputs::add_rendition(const Rendition& rendition, const AVCodecParameters& video, AVRational time_base, double frame_rate) {
  Made made;
  made.rendition = rendition;
  const auto add_video = [&](Sink& sink, bool mp4_like) -> base::Status {
    KINORA_TRY(AVStream * stream, sink.muxer.add_stream(video, time_base));
    if (video.codec_id == AV_CODEC_ID_HEVC && mp4_like) stream->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
    stream->sample_aspect_ratio = {1, 1};
    if (frame_rate > 0) stream->avg_frame_rate = av_d2q(frame_rate, 100'000);
    sink.video = stream->index;
    return {};
  };
  if (options_.hls) {
    KINORA_TRY(made.hls, open_playlist(rendition.name));
    KINORA_OK(add_video(*made.hls, options_.segments == SegmentType::fmp4));
    if (!several_tracks_) KINORA_OK(add_tracks(*made.hls));
    KINORA_OK(made.hls->muxer.start());
    variants_.push_back({rendition.name + "/index.m3u8", folder_ + "/" + rendition.name, codec_string(video), rendition.width,
                         rendition.height, frame_rate, video.color_trc});
  }
  if (options_.mp4) {
    KINORA_TRY(made.mp4, open_mp4(rendition.name));
    KINORA_OK(add_video(*made.mp4, true));
    KINORA_OK(add_tracks(*made.mp4));
    KINORA_OK(made.mp4->muxer.start());
  }
  made_.push_back(std::move(made));
  return {};
}

base::Status Outputs::add_audio(bool with_video) {
  if (options_.hls && (several_tracks_ || !with_video)) {
    for (std::size_t i = 0; i < audio_.tracks().size(); ++i) {
      const AudioFeed::Track& track = audio_.tracks()[i];
      const std::string name = audio_name(i);
      KINORA_TRY(Sink sink, open_playlist(name));
      KINORA_TRY(AVStream * stream, sink.muxer.add_stream(*track.parameters, track.time_base));
      describe_track(*stream, track.stream);
      KINORA_OK(sink.muxer.start());
      const std::string title = !track.stream.title.empty()      ? track.stream.title
                                : !track.stream.language.empty() ? track.stream.language
                                                                 : "Track";
      audio_variants_.push_back({name + "/index.m3u8", folder_ + "/" + name, codec_string(*track.parameters),
                                 title + " " + std::to_string(i + 1), track.stream.language, i == 0});
      audio_playlists_.emplace_back(name, std::move(sink));
    }
  }
  if (options_.mp4 && !with_video) {
    KINORA_TRY(audio_file_, open_mp4("audio"));
    KINORA_OK(add_tracks(*audio_file_));
    KINORA_OK(audio_file_->muxer.start());
  }
  return {};
}

base::Status Outputs::write_video(std::size_t rendition, const AVPacket& packet, AVRational time_base) {
  Made& made = made_[rendition];
  if (made.hls) KINORA_OK(made.hls->write(packet, made.hls->video, time_base));
  if (made.mp4) KINORA_OK(made.mp4->write(packet, made.mp4->video, time_base));
  return {};
}

base::Status Outputs::write_audio(std::size_t track, const AVPacket& packet) {
  const AVRational time_base = audio_.tracks()[track].time_base;
  for (Made& made : made_) {
    if (made.hls && !several_tracks_) KINORA_OK(made.hls->write(packet, made.hls->audio[track], time_base));
    if (made.mp4) KINORA_OK(made.mp4->write(packet, made.mp4->audio[track], time_base));
  }
  if (track < audio_playlists_.size()) KINORA_OK(audio_playlists_[track].second.write(packet, 0, time_base));
  if (audio_file_) KINORA_OK(audio_file_->write(packet, audio_file_->audio[track], time_base));
  return {};
}

base::Status Outputs::list_playlist(const std::string& name, std::vector<OutputFile>& files) const {
  files.push_back({"hls", name, name + "/index.m3u8", "application/vnd.apple.mpegurl"});
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/" + name, error))
    names.push_back(entry.path().filename().string());
  if (error) return base::fail(ErrorCode::io, "output folder: " + error.message());
  std::sort(names.begin(), names.end());
  const char* mime = options_.segments == SegmentType::fmp4 ? "video/iso.segment" : "video/mp2t";
  const std::filesystem::path inside(name);
  for (const std::string& file : names) {
    if (file == "init.mp4") files.push_back({"hls", name, (inside / file).string(), "video/mp4"});
    if (file.starts_with("seg_")) files.push_back({"hls", name, (inside / file).string(), mime});
  }
  return {};
}

base::Result<std::vector<OutputFile>> Outputs::finish() {
  for (Made& made : made_) {
    if (made.hls) KINORA_OK(made.hls->muxer.finish());
    if (made.mp4) KINORA_OK(made.mp4->muxer.finish());
  }
  for (auto& [name, sink] : audio_playlists_) KINORA_OK(sink.muxer.finish());
  if (audio_file_) KINORA_OK(audio_file_->muxer.finish());

  std::vector<OutputFile> files;
  if (options_.hls) {
    const bool muxed = audio_playlists_.empty() && !audio_.tracks().empty();
    KINORA_TRY(const std::string master,
               master_playlist(variants_, audio_variants_, muxed ? codec_string(*audio_.tracks().front().parameters) : ""));
    std::ofstream out(folder_ + "/master.m3u8", std::ios::binary);
    out << master;
    out.close();
    if (!out) return base::fail(ErrorCode::io, "the master playlist cannot be written");
    files.push_back({"hls", "", "master.m3u8", "application/vnd.apple.mpegurl"});
    for (const Made& made : made_) KINORA_OK(list_playlist(made.rendition.name, files));
    for (const auto& [name, sink] : audio_playlists_) KINORA_OK(list_playlist(name, files));
  }
  for (const Made& made : made_)
    if (made.mp4) files.push_back({"renditions", made.rendition.name, made.rendition.name + ".mp4", "video/mp4"});
  if (audio_file_) files.push_back({"renditions", "audio", "audio.mp4", "audio/mp4"});
  return files;
}

}  // namespace kinora::media

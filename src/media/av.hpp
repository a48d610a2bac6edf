#pragma once
// FFmpeg's objects with owners, its error numbers as base::Error, and the few names that differ between 5.1 and 7.x.
// Inside this room only.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "media/rational.hpp"

namespace kinora::media {

struct AvDelete {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVFrame* p) const { av_frame_free(&p); }
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(AVFilterGraph* p) const { avfilter_graph_free(&p); }
  void operator()(SwsContext* p) const { sws_freeContext(p); }
  void operator()(SwrContext* p) const { swr_free(&p); }
  void operator()(AVBSFContext* p) const { av_bsf_free(&p); }
  void operator()(AVCodecParameters* p) const { avcodec_parameters_free(&p); }
};
template <class T>
using Av = std::unique_ptr<T, AvDelete>;
using PacketPtr = Av<AVPacket>;
using FramePtr = Av<AVFrame>;

// Options for avformat_* and avcodec_*; freed with the object.
class AvOptions {
 public:
  AvOptions() = default;
  AvOptions(const AvOptions&) = delete;
  AvOptions& operator=(const AvOptions&) = delete;
  ~AvOptions() { av_dict_free(&dictionary_); }
  void set(const char* key, const std::string& value) { av_dict_set(&dictionary_, key, value.c_str(), 0); }
  void set(const char* key, std::int64_t value) { av_dict_set_int(&dictionary_, key, value, 0); }
  AVDictionary** get() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

// FFmpeg's error as ours: damaged input -> invalid, unknown codec -> unsupported, memory -> internal, EXIT -> canceled,
// the operating system's -> io.
base::Error av_failure(int code, std::string_view doing);
inline tl::unexpected<base::Error> av_fail(int code, std::string_view doing) { return base::fail(av_failure(code, doing)); }

// FFmpeg's messages go nowhere unless KINORA_FFMPEG_LOG is set (its value is the level's number). Called by every door.
void quiet_logs();

// FFmpeg's AV_TIME_BASE_Q is a C literal.
inline constexpr AVRational kMicroseconds{1, AV_TIME_BASE};

inline AVRational to_av(Rational r) { return {static_cast<int>(r.num), static_cast<int>(r.den)}; }
inline Rational from_av(AVRational r) { return {r.num, r.den}; }

// Frame fields that were renamed after 5.1.
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
inline std::int64_t frame_duration(const AVFrame& f) { return f.duration; }
inline void set_frame_duration(AVFrame& f, std::int64_t ticks) { f.duration = ticks; }
#else
inline std::int64_t frame_duration(const AVFrame& f) { return f.pkt_duration; }
inline void set_frame_duration(AVFrame& f, std::int64_t ticks) { f.pkt_duration = ticks; }
#endif
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
inline bool frame_key(const AVFrame& f) { return (f.flags & AV_FRAME_FLAG_KEY) != 0; }
inline bool frame_interlaced(const AVFrame& f) { return (f.flags & AV_FRAME_FLAG_INTERLACED) != 0; }
#else
inline bool frame_key(const AVFrame& f) { return f.key_frame != 0; }
inline bool frame_interlaced(const AVFrame& f) { return f.interlaced_frame != 0; }
#endif

// The 3x3 display matrix of a stream (side data moved to the codec parameters in 6.1); nullptr: none.
const std::int32_t* display_matrix(const AVStream& stream);
// Gives the stream such a matrix. False: out of memory.
bool set_display_matrix(AVStream& stream, const std::int32_t (&matrix)[9]);

}  // namespace kinora::media

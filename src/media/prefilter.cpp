#include "media/prefilter.hpp"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

namespace kinora::media {
namespace {

std::string chain_for(const StreamInfo& stream, const Frame& first, Prefilter::Turn turn) {
  std::string chain;
  const auto add = [&chain](const char* filter) {
    if (!chain.empty()) chain += ',';
    chain += filter;
  };
  // One frame per frame: rate and timestamps stay. Only pictures that are flagged are touched.
  if (stream.interlaced || first.interlaced()) add("yadif=mode=send_frame:deint=interlaced");
  if (turn == Prefilter::Turn::no) return chain;
  if (stream.rotation == 90) add("transpose=clock");
  if (stream.rotation == 180) add("hflip,vflip");
  if (stream.rotation == 270) add("transpose=cclock");
  if (stream.mirrored) add("hflip");
  return chain;
}

}  // namespace

base::Result<Prefilter> Prefilter::make(const StreamInfo& stream, const Frame& first, Turn turn) {
  Prefilter filter;
  filter.base_ = stream.time_base;
  const std::string chain = chain_for(stream, first, turn);
  if (chain.empty()) return filter;
  filter.graph_.reset(avfilter_graph_alloc());
  AVFilterGraph* graph = filter.graph_.get();
  if (graph == nullptr) return base::fail(base::ErrorCode::internal, "out of memory for a filter");
  const AVFrame& frame = *first.av();
  const std::string source_options = "video_size=" + std::to_string(frame.width) + "x" + std::to_string(frame.height) +
                                     ":pix_fmt=" + std::to_string(frame.format) + ":time_base=" + std::to_string(stream.time_base.num) +
                                     "/" + std::to_string(stream.time_base.den);
  int code = avfilter_graph_create_filter(&filter.source_, avfilter_get_by_name("buffer"), "in", source_options.c_str(), nullptr, graph);
  if (code >= 0) code = avfilter_graph_create_filter(&filter.target_, avfilter_get_by_name("buffersink"), "out", nullptr, nullptr, graph);
  if (code < 0) return av_fail(code, "picture filter");
  AVFilterInOut* outputs = avfilter_inout_alloc();
  AVFilterInOut* inputs = avfilter_inout_alloc();
  if (outputs != nullptr && inputs != nullptr) {
    *outputs = AVFilterInOut{av_strdup("in"), filter.source_, 0, nullptr};
    *inputs = AVFilterInOut{av_strdup("out"), filter.target_, 0, nullptr};
    code = avfilter_graph_parse_ptr(graph, chain.c_str(), &inputs, &outputs, nullptr);
  } else {
    code = AVERROR(ENOMEM);
  }
  avfilter_inout_free(&outputs);
  avfilter_inout_free(&inputs);
  if (code >= 0) code = avfilter_graph_config(graph, nullptr);
  if (code < 0) return av_fail(code, "picture filter");
  return filter;
}

base::Status Prefilter::drain(const Sink& sink) {
  for (;;) {
    FramePtr out(av_frame_alloc());
    if (!out) return base::fail(base::ErrorCode::internal, "out of memory for a picture");
    const int code = av_buffersink_get_frame(target_, out.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return av_fail(code, "picture filter");
    // yadif counts in half ticks.
    const AVRational base = av_buffersink_get_time_base(target_);
    const std::int64_t pts = av_rescale_q(out->pts, base, to_av(base_));
    Frame frame(out.release());
    frame.set_pts({pts, base_});
    if (!durations_.empty()) {
      frame.set_duration_ticks(durations_.front());
      durations_.pop_front();
    }
    KINORA_OK(sink(frame));
  }
}

base::Status Prefilter::push(const Frame& frame, const Sink& sink) {
  if (!graph_) return sink(frame);
  durations_.push_back(frame.duration_ticks());
  if (const int code = av_buffersrc_write_frame(source_, frame.av()); code < 0) return av_fail(code, "picture filter");
  return drain(sink);
}

base::Status Prefilter::flush(const Sink& sink) {
  if (!graph_) return {};
  if (const int code = av_buffersrc_add_frame(source_, nullptr); code < 0) return av_fail(code, "picture filter");
  return drain(sink);
}

}  // namespace kinora::media

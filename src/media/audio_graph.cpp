#include "media/audio_graph.hpp"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <algorithm>
#include <array>

namespace kinora::media {

using base::ErrorCode;

std::string layout_text(const AVChannelLayout& layout) {
  std::array<char, 64> text{};
  av_channel_layout_describe(&layout, text.data(), text.size());
  return text.data();
}

std::string default_layout(int channels) {
  AVChannelLayout layout{};
  av_channel_layout_default(&layout, std::max(channels, 1));
  std::string text = layout_text(layout);
  av_channel_layout_uninit(&layout);
  return text;
}

base::Result<AudioGraph> AudioGraph::make(const AVFrame& first, AVRational base, const AudioShape& shape) {
  AudioGraph made;
  made.graph_.reset(avfilter_graph_alloc());
  AVFilterGraph* graph = made.graph_.get();
  if (graph == nullptr) return base::fail(ErrorCode::internal, "out of memory for a filter");
  graph->nb_threads = 1;
  const bool unnamed = first.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC || first.ch_layout.nb_channels == 0;
  const std::string layout = unnamed ? default_layout(first.ch_layout.nb_channels) : layout_text(first.ch_layout);
  const std::string source =
      "time_base=" + std::to_string(base.num) + "/" + std::to_string(base.den) + ":sample_rate=" + std::to_string(first.sample_rate) +
      ":sample_fmt=" + av_get_sample_fmt_name(static_cast<AVSampleFormat>(first.format)) + ":channel_layout=" + layout;
  const std::string wanted = std::string("sample_fmts=") + av_get_sample_fmt_name(shape.format) +
                             ":sample_rates=" + std::to_string(shape.rate) + ":channel_layouts=" + shape.layout;
  AVFilterContext* resample = nullptr;
  AVFilterContext* format = nullptr;
  const auto add = [graph](AVFilterContext*& filter, const char* kind, const char* name, const char* options) {
    return avfilter_graph_create_filter(&filter, avfilter_get_by_name(kind), name, options, nullptr, graph);
  };
  int code = add(made.source_, "abuffer", "in", source.c_str());
  if (code >= 0) code = add(resample, "aresample", "time", shape.follow_times ? "async=1:min_hard_comp=0.1" : nullptr);
  if (code >= 0) code = add(format, "aformat", "shape", wanted.c_str());
  if (code >= 0) code = add(made.target_, "abuffersink", "out", nullptr);
  if (code >= 0) code = avfilter_link(made.source_, 0, resample, 0);
  if (code >= 0) code = avfilter_link(resample, 0, format, 0);
  if (code >= 0) code = avfilter_link(format, 0, made.target_, 0);
  if (code >= 0) code = avfilter_graph_config(graph, nullptr);
  if (code < 0) return av_fail(code, "audio filter");
  if (shape.frame_samples > 0) av_buffersink_set_frame_size(made.target_, static_cast<unsigned>(shape.frame_samples));
  made.format_ = first.format;
  made.rate_ = first.sample_rate;
  made.channels_ = first.ch_layout.nb_channels;
  return made;
}

bool AudioGraph::fits(const AVFrame& frame) const {
  return frame.format == format_ && frame.sample_rate == rate_ && frame.ch_layout.nb_channels == channels_;
}

base::Status AudioGraph::push(AVFrame* frame) {
  if (const int code = av_buffersrc_add_frame(source_, frame); code < 0) return av_fail(code, "audio filter");
  return {};
}

base::Result<bool> AudioGraph::pull(AVFrame& out) {
  const int code = av_buffersink_get_frame(target_, &out);
  if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return false;
  if (code < 0) return av_fail(code, "audio filter");
  return true;
}

AVRational AudioGraph::time_base() const { return av_buffersink_get_time_base(target_); }

}  // namespace kinora::media

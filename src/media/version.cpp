#include "media/version.hpp"

#include "media/av.hpp"

namespace kinora::media {
namespace {

std::string text(unsigned version) {
  return std::to_string(AV_VERSION_MAJOR(version)) + "." + std::to_string(AV_VERSION_MINOR(version)) + "." +
         std::to_string(AV_VERSION_MICRO(version));
}

}  // namespace

boost::json::object versions() {
  boost::json::object encoders;
  for (const char* name : {"libx264", "libx265", "aac"}) encoders[name] = avcodec_find_encoder_by_name(name) != nullptr;
  return {{"type", "result"},
          {"ffmpeg",
           {{"release", av_version_info()},
            {"avformat", text(avformat_version())},
            {"avcodec", text(avcodec_version())},
            {"avfilter", text(avfilter_version())},
            {"swscale", text(swscale_version())}}},
          {"encoders", std::move(encoders)}};
}

}  // namespace kinora::media

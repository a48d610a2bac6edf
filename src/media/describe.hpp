#pragma once
// FFmpeg's view of an opened file -> MediaInfo. Inside this room only.
#include "media/av.hpp"
#include "media/probe.hpp"

namespace kinora::media {

MediaInfo describe_media(const AVFormatContext& format);
ColorTags color_of(const AVCodecParameters& parameters);
// Stream metadata of our NUT chunks that carries the colour tags NUT itself has no field for: "1/13/1/tv".
inline constexpr const char* kColorKey = "kinora_color";
// Stream metadata of a chunk that starts in the middle of a video: pictures before its start may be shown damaged (the
// reader drops them by time), so that FFmpeg holds none of the good ones back.
inline constexpr const char* kMidStreamKey = "kinora_mid_stream";
// Of the first chunk: what it holds before its start is no picture of the video (an edit list hides it), not even to look at.
inline constexpr const char* kFirstChunkKey = "kinora_first_chunk";
std::string color_text(const ColorTags& tags);
ColorTags color_from_text(const char* text);  // anything else than color_text's output: all unspecified

}  // namespace kinora::media

#pragma once
// The sound of a file as a file of its own, cut to the sample.
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"

namespace kinora::media {

enum class AudioType { m4a, mp3, wav, flac, ogg };  // AAC, MP3, 16-bit PCM, FLAC, Opus

struct ExtractAudioOptions {
  AudioType type = AudioType::m4a;
  double start_s = 0;              // from the file's start (its earliest stream)
  std::optional<double> end_s;     // absent, or past the end: where the sound ends
  int sample_rate = 0;             // 0: the source's; brought to the next one that the codec has
  int channels = 0;                // 0: the source's
  std::int64_t bitrate = 128'000;  // per stereo pair; not for wav and flac
  Limits limits;
};
const char* extension_of(AudioType type);  // "m4a"
const char* mime_of(AudioType type);

// Returns seconds. unsupported: no sound, or channels that the codec cannot hold; conflict: no sound between start_s and end_s.
base::Result<double> extract_audio(const std::string& path, const std::string& output, const ExtractAudioOptions& options = {},
                                   const Control& control = {});

}  // namespace kinora::media

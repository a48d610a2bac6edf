#pragma once
// For tests of this room and of kinora-media: clips, scratch folders, and FFmpeg's own tools as the independent peer.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace kinora::media::testing {

// The folder of clips: KINORA_MEDIA_DIR, or tests/media.
inline std::filesystem::path media_dir() {
  if (const char* folder = std::getenv("KINORA_MEDIA_DIR"); folder != nullptr && *folder != '\0') return folder;
  return std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media";
}
// A clip of tests/media that a test needs by name.
inline std::string clip(const std::string& name) { return (std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media" / name).string(); }

class ScratchDir {
 public:
  ScratchDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kinora_media_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (std::filesystem::path(path_) / name).string(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

struct Ran {
  int status = -1;
  std::string output;  // stdout
};
inline Ran shell(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer;
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) ran.output.append(buffer.data(), got);
  ran.status = ::pclose(pipe);
  return ran;
}
inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}
// `ffprobe -of csv=p=0 -show_entries <entries> <more> file`, by lines.
inline std::vector<std::string> ffprobe(const std::string& file, const std::string& entries, const std::string& more = "") {
  return lines(shell("ffprobe -v error -of csv=p=0 -show_entries " + quoted(entries) + " " + more + " " + quoted(file)).output);
}
inline std::string ffprobe_line(const std::string& file, const std::string& entries, const std::string& more = "") {
  const auto found = ffprobe(file, entries, more);
  return found.empty() ? std::string() : found.front();
}
// `ffmpeg -i input <arguments> output`.
inline bool ffmpeg(const std::string& input, const std::string& arguments, const std::string& output) {
  return shell("ffmpeg -v error -nostdin -y -i " + quoted(input) + " " + arguments + " " + quoted(output)).status == 0;
}
// Best-effort times of the first video's frames in seconds, as ffprobe decodes them.
inline std::vector<double> frame_times(const std::string& file) {
  std::vector<double> times;
  for (const std::string& line : ffprobe(file, "frame=best_effort_timestamp_time", "-select_streams v:0"))
    times.push_back(std::atof(line.c_str()));
  return times;
}

}  // namespace kinora::media::testing

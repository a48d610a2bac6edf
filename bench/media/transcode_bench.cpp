// The ladder of a 10 s clip through kinora-media against the `ffmpeg` command with the same sizes, rates and outputs (HLS and MP4
// of each rendition in one run), alternating, medians of wall time. Aim: kinora-media's rate is at least 0.95 of ffmpeg's.
// Usage: transcode_bench <kinora-media> <clip> [rounds]
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

double seconds_of(const std::string& command) {
  const auto start = std::chrono::steady_clock::now();
  if (std::system(command.c_str()) != 0) {
    std::fprintf(stderr, "failed: %s\n", command.c_str());
    std::exit(1);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Step {
  const char* name;
  int height;
  int kbps;
};
constexpr Step kSteps[] = {{"480p", 480, 1400}, {"360p", 360, 900}, {"240p", 240, 500}};

std::string ours(const std::string& program, const std::string& clip, const fs::path& folder) {
  std::string renditions;
  for (const Step& s : kSteps) {
    if (!renditions.empty()) renditions += ',';
    renditions += std::string("{\"name\":\"") + s.name + "\",\"height\":" + std::to_string(s.height) +
                  ",\"bitrate_kbps\":" + std::to_string(s.kbps) + "}";
  }
  std::ofstream(folder / "request.json") << "{\"input\":\"" << clip << "\",\"output_dir\":\"" << (folder / "out").string()
                                         << "\",\"renditions\":[" << renditions << "]}";
  fs::create_directories(folder / "out");
  return "'" + program + "' transcode < '" + (folder / "request.json").string() + "' > /dev/null";
}

std::string theirs(const std::string& clip, const fs::path& folder) {
  std::string command = "ffmpeg -v error -nostdin -y -i '" + clip + "' -filter_complex '[0:v]split=3[a][b][c];";
  const char* labels[] = {"a", "b", "c"};
  for (int i = 0; i < 3; ++i)
    command += std::string("[") + labels[i] + "]scale=-2:" + std::to_string(kSteps[i].height) + ",setsar=1,split=1[v" + std::to_string(i) +
               "]" + (i < 2 ? ";" : "'");
  for (int i = 0; i < 3; ++i) {
    const Step& s = kSteps[i];
    const fs::path out = folder / "peer" / s.name;
    fs::create_directories(out);
    // Encoded once, written twice: the tee muxer is ffmpeg's way.
    command += " -map [v" + std::to_string(i) + "] -map 0:a? -c:v libx264 -preset veryfast -b:v " + std::to_string(s.kbps) + "k -maxrate " +
               std::to_string(s.kbps * 3 / 2) + "k -bufsize " + std::to_string(s.kbps * 2) +
               "k -g 1000000 -sc_threshold 0 -force_key_frames 'expr:gte(t,n_forced*2)' -c:a copy -flags +global_header -f tee "
               "'[f=hls:hls_time=2:hls_list_size=0:hls_segment_filename=" +
               (out / "seg_%05d.ts").string() + "]" + (out / "index.m3u8").string() + "|[f=mp4:movflags=+faststart]" +
               (folder / "peer" / (std::string(s.name) + ".mp4")).string() + "'";
  }
  return command;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: transcode_bench <kinora-media> <clip> [rounds]\n");
    return 2;
  }
  const std::string program = arguments[1];
  const fs::path folder = fs::temp_directory_path() / ("kinora_transcode_bench_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  // 10 seconds of the clip, without encoding it again.
  const std::string clip = (folder / "clip.mp4").string();
  seconds_of("ffmpeg -v error -nostdin -y -i '" + std::string(arguments[2]) + "' -t 10 -c copy -map 0:v:0 -map 0:a:0? '" + clip + "'");
  const int rounds = count > 3 ? std::max(1, std::atoi(arguments[3])) : 3;
  std::vector<double> us, peer;
  for (int i = 0; i < rounds; ++i) {
    us.push_back(seconds_of(ours(program, clip, folder)));
    peer.push_back(seconds_of(theirs(clip, folder)));
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  const double ratio = median(peer) / median(us);
  std::printf("processors %u, rounds %d, compiler %s\n", std::thread::hardware_concurrency(), rounds, __VERSION__);
  std::printf("kinora-media %.2f s, ffmpeg %.2f s, ratio %.3f (aim 0.95)\n", median(us), median(peer), ratio);
  return ratio >= 0.95 ? 0 : 1;
}

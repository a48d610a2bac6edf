// kinora-runner as a process: started for real on loopback, asked with curl, judged by ffprobe, told to stop by signals.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/json.hpp"
#include "base/test_program.hpp"
#include "runner/test_tools.hpp"

extern char** environ;

namespace kinora::runner {
namespace {

using ::testing::HasSubstr;

const std::string kProgram = std::string(KINORA_BINARY_DIR) + "/bin/kinora-runner";

class RunnerProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    KINORA_NEEDS_PROGRAM(kProgram);
    testing::make_model(work_.path() / "models/repeat2x");
    start();
  }
  void TearDown() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void start() {
    int out[2];
    ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::vector<std::string> words{kProgram, "--work-dir", work_.path().string(), "--models", work_ / "models", "--threads", "1"};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ASSERT_EQ(::posix_spawn(&pid_, kProgram.c_str(), &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    const auto first = base::parse_json(line);
    ASSERT_TRUE(first) << line;
    url_ = std::string(first->at("url").as_string());
  }

  std::string make_clip(const std::string& name, int seconds) {
    const auto d = std::to_string(seconds);
    EXPECT_EQ(testing::ffmpeg("-f lavfi -i testsrc2=s=160x120:r=25:d=" + d + " -f lavfi -i sine=d=" + d +
                              " -c:v libx264 -preset ultrafast -c:a aac '" + (work_ / name) + "'"),
              "");
    return work_ / name;
  }
  std::string curl(const std::string& arguments) const { return testing::shell("curl -sN " + arguments); }
  std::string upscale(const std::string& input, const std::string& options = "") const {
    return curl(options + " -X POST " + url_ + "/tasks/video-upscale -d '{\"inputs\":{\"video\":\"" + input + "\"},\"output_dir\":\"" +
                (work_ / "out") + "\"}'");
  }
  // Peak resident memory, KiB, as the kernel counts it.
  long peak_kib() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/status");
    for (std::string word; in >> word;)
      if (word == "VmHWM:") {
        long value = 0;
        in >> value;
        return value;
      }
    return 0;
  }
  // The exit status, or the negative signal; -1000 when it has not ended within the time.
  int wait_end(std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) return -1000;
      std::this_thread::yield();
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  testing::Scratch work_;
  pid_t pid_ = -1;
  std::string url_;
};

TEST_F(RunnerProcess, upscales_a_clip_with_its_sound) {
  const auto in = make_clip("in.mp4", 2);
  EXPECT_THAT(upscale(in), HasSubstr("\"type\":\"result\""));
  const auto out = work_ / "out/upscaled.mp4";
  EXPECT_EQ(testing::ffprobe(out, "codec_name,width,height,nb_frames"), "h264,320,240,50");
  EXPECT_EQ(testing::ffprobe(out, "codec_name,nb_frames", "a:0"), testing::ffprobe(in, "codec_name,nb_frames", "a:0"));
}

TEST_F(RunnerProcess, needs_no_more_memory_for_a_ten_times_longer_clip) {
  const auto brief = make_clip("short.mp4", 4), lengthy = make_clip("long.mp4", 40);
  EXPECT_THAT(upscale(brief), HasSubstr("\"type\":\"result\""));
  const long before = peak_kib();
  EXPECT_THAT(upscale(lengthy), HasSubstr("\"frames\":1000"));
  const long after = peak_kib();
  EXPECT_GT(before, 0);
  // 900 further frames would be 200 MB of decoded pictures.
  EXPECT_LT(after - before, 24 * 1024) << before << " KiB -> " << after << " KiB";
}

TEST_F(RunnerProcess, stops_a_task_whose_client_goes_and_serves_the_next) {
  const auto lengthy = make_clip("long.mp4", 60), brief = make_clip("short.mp4", 1);
  EXPECT_THAT(upscale(lengthy, "--max-time 1"), HasSubstr("exit status"));  // curl gives up
  EXPECT_THAT(upscale(brief), HasSubstr("\"frames\":25"));
}

TEST_F(RunnerProcess, ends_on_sigterm_while_it_works_and_leaves_no_output) {
  const auto lengthy = make_clip("long.mp4", 60);
  std::jthread client([&] { upscale(lengthy); });
  while (curl(url_ + "/native/info").find("\"load\":0") != std::string::npos) std::this_thread::yield();
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(wait_end(std::chrono::seconds(20)), 0);
  EXPECT_FALSE(std::filesystem::exists(work_ / "out/upscaled.mp4"));
}

TEST_F(RunnerProcess, says_what_is_wrong_with_its_options) {
  EXPECT_THAT(testing::shell(kProgram + " --models /nowhere --work-dir /tmp"), HasSubstr("/nowhere"));
  const auto arguments = kProgram + " --models '" + (work_ / "models") + "' --work-dir /tmp ";
  EXPECT_THAT(testing::shell(arguments + "--device tpu"), HasSubstr("tpu: not a device"));
  EXPECT_THAT(testing::shell(arguments + "--device cuda:77"), HasSubstr("cuda:77"));
  EXPECT_THAT(testing::shell(arguments + "--device cpu+tpu"), HasSubstr("tpu: not a device"));
  EXPECT_THAT(testing::shell(arguments + "--device cpu+"), HasSubstr("--device"));
  EXPECT_THAT(testing::shell(arguments + "--listen nonsense"), HasSubstr("ADDRESS:PORT"));
  EXPECT_THAT(testing::shell(arguments + "--listen 127.0.0.1:99999"), HasSubstr("ADDRESS:PORT"));
  EXPECT_EQ(testing::shell(kProgram + " --version"), "0.1.0");
}

}  // namespace
}  // namespace kinora::runner

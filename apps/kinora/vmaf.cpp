#include "kinora/vmaf.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/json.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;

std::optional<fs::path> in_path(const std::string& name) {
  const char* all = std::getenv("PATH");
  std::string rest = all != nullptr ? all : "";
  while (!rest.empty()) {
    const auto end = rest.find(':');
    fs::path candidate = fs::path(rest.substr(0, end)) / name;
    rest.erase(0, end == std::string::npos ? end : end + 1);
    std::error_code error;
    if (candidate.is_absolute() && fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

struct Said {
  proc::Exit exit;
  std::string text, errors;
};

proc::Task<base::Result<Said>> run(boost::asio::any_io_executor executor, proc::ProcessOptions options) {
  KINORA_CO_TRY(auto process, proc::Process::start(executor, options));
  Said said;
  for (;;) {
    KINORA_CO_TRY(const auto line, co_await process.read_line());
    if (!line) break;
    said.text += *line + '\n';
  }
  said.exit = co_await process.wait();
  said.errors = process.stderr_tail();
  co_return said;
}

}  // namespace

proc::Task<std::optional<fs::path>> find_ffmpeg_with_vmaf(boost::asio::any_io_executor executor) {
  const auto program = in_path("ffmpeg");
  if (!program) co_return std::nullopt;
  proc::ProcessOptions options;
  options.program = *program;
  options.arguments = {"-hide_banner", "-nostdin", "-filters"};
  const auto said = co_await run(executor, std::move(options));
  co_return said && said->text.find(" libvmaf ") != std::string::npos ? program : std::nullopt;
}

base::Result<std::vector<double>> read_vmaf_log(std::string_view log) {
  const auto none = [] { return base::fail(base::ErrorCode::invalid, "ffmpeg wrote no VMAF scores"); };
  boost::system::error_code error;
  const json::value parsed = json::parse(log, error);
  if (error || !parsed.is_object()) return none();
  const json::value* frames = parsed.get_object().if_contains("frames");
  if (frames == nullptr || !frames->is_array() || frames->get_array().empty()) return none();
  std::vector<double> scores;
  for (const json::value& frame : frames->get_array()) {
    const json::value* metrics = frame.is_object() ? frame.get_object().if_contains("metrics") : nullptr;
    const json::value* score = metrics != nullptr && metrics->is_object() ? metrics->get_object().if_contains("vmaf") : nullptr;
    if (score == nullptr || !score->is_number()) return none();
    scores.push_back(score->to_number<double>());
  }
  return scores;
}

proc::Task<base::Result<std::vector<double>>> vmaf(boost::asio::any_io_executor executor, fs::path ffmpeg, fs::path reference,
                                                   fs::path file) {
  // Frames are paired by their numbers, as for the other values, whatever their times say.
  const std::string numbered = "setpts=N/(25*TB)", threads = std::to_string(std::max(1U, std::thread::hardware_concurrency()));
  proc::ProcessOptions options;
  options.program = std::move(ffmpeg);
  options.arguments = {"-hide_banner", "-nostdin", "-loglevel", "error"};
  for (const auto& path : {file, reference}) options.arguments.insert(options.arguments.end(), {"-i", "file:" + path.string()});
  options.arguments.insert(
      options.arguments.end(),
      {"-lavfi",
       "[0:v:0]" + numbered + "[made];[1:v:0]" + numbered +
           "[original];[made][original]libvmaf=log_fmt=json:log_path=/dev/stdout:shortest=1:repeatlast=0:n_threads=" + threads,
       "-f", "null", "-"});
  KINORA_CO_TRY(const Said said, co_await run(executor, std::move(options)));
  if (!said.exit.success()) co_return base::fail(base::ErrorCode::io, "ffmpeg " + said.exit.text() + ": " + said.errors);
  co_return read_vmaf_log(said.text);
}

}  // namespace kinora::cli

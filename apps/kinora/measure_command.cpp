// kinora measure a.mp4 b.mp4: PSNR-Y, SSIM, flicker and, where it can, VMAF of b against a, frame by frame and in the mean; as a drawing;
// both in one picture.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <numeric>
#include <optional>

#include "kinora/command.hpp"
#include "kinora/job_input.hpp"
#include "kinora/quality_plot.hpp"
#include "kinora/run_coroutine.hpp"
#include "kinora/vmaf.hpp"
#include "proc/media_tool.hpp"
#include "proc/programs.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;

struct MeasureOptions {
  std::string reference, file, plot, video;
  double slider = 0.5;
  bool frames = true;
  bool vmaf = false, no_vmaf = false;  // neither: where ffmpeg has it
};

std::string number_text(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value != nullptr && value->is_number() ? fmt::format("{:.4f}", value->to_number<double>()) : "-";
}

void print_table(const json::object& result) {
  const bool vmaf = result.contains("vmaf");
  const auto row = [vmaf](const std::string& name, const json::object& values) {
    std::printf("%-7s %9s %8s %8s", name.c_str(), number_text(values, "psnr_y").c_str(), number_text(values, "ssim").c_str(),
                number_text(values, "flicker").c_str());
    std::printf(vmaf ? " %8s\n" : "\n", number_text(values, "vmaf").c_str());
  };
  if (const json::value* frames = result.if_contains("frames"); frames != nullptr && frames->is_array()) {
    std::printf("%-7s %9s %8s %8s%s\n", "frame", "psnr_y", "ssim", "flicker", vmaf ? "     vmaf" : "");
    std::size_t number = 0;
    for (const json::value& frame : frames->get_array()) row(std::to_string(number++), frame.as_object());
  }
  row("mean", result);
}

// What to say when one file has more pictures than the other: they are compared in order, as far as both go.
std::optional<std::string> unequal_lengths(const json::object& result) {
  const json::value *reference = result.if_contains("frames_reference"), *input = result.if_contains("frames_input");
  if (reference == nullptr || input == nullptr || *reference == *input) return std::nullopt;
  return fmt::format("{} pictures against {}: compared one by one as far as both go, whatever their times", json::serialize(*reference),
                     json::serialize(*input));
}

json::object files_of(const MeasureOptions& options) {
  return {{"reference", fs::absolute(options.reference).string()}, {"input", fs::absolute(options.file).string()}};
}

proc::Task<base::Status> write_slider(const proc::MediaTool& tool, const MeasureOptions& options) {
  // Beside its place, so that it can be moved there.
  const fs::path target = fs::absolute(options.video), folder = target.string() + fmt::format(".{}.part", ::getpid());
  std::error_code error;
  fs::create_directories(folder, error);
  json::object request = files_of(options);
  request["output_dir"] = folder.string();
  request["position"] = options.slider;
  const proc::ToolOutcome outcome = co_await tool.run("slider", request);
  base::Status status;
  if (const proc::ToolError* failed = outcome.error())
    status = base::fail(base::ErrorCode::invalid, failed->detail);
  else if (fs::rename(folder / "slider.mp4", target, error); error)
    status = base::fail(base::ErrorCode::io, "cannot write " + options.video + ": " + error.message());
  fs::remove_all(folder, error);
  co_return status;
}

base::Status write_plot(const json::object& result, const MeasureOptions& options) {
  std::ofstream out(options.plot, std::ios::binary | std::ios::trunc);
  out << quality_plot(result, options.file + " against " + options.reference);
  out.close();
  if (!out) return base::fail(base::ErrorCode::io, "cannot write " + options.plot);
  return {};
}

// Adds "vmaf" to the means and to each frame.
proc::Task<base::Status> add_vmaf(boost::asio::any_io_executor executor, const MeasureOptions& options, json::object& result) {
  if (options.no_vmaf) co_return base::Status();
  const auto ffmpeg = co_await find_ffmpeg_with_vmaf(executor);
  if (!ffmpeg && options.vmaf)
    co_return base::fail(base::ErrorCode::unsupported, "VMAF needs an ffmpeg with the filter libvmaf in PATH (ffmpeg -filters lists it)");
  if (!ffmpeg) co_return base::Status();
  KINORA_CO_TRY(const auto scores, co_await vmaf(executor, *ffmpeg, fs::absolute(options.reference), fs::absolute(options.file)));
  result["vmaf"] = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  json::value* frames = result.if_contains("frames");
  if (frames == nullptr || !frames->is_array()) co_return base::Status();
  auto score = scores.begin();
  for (json::value& frame : frames->get_array())
    if (score != scores.end()) frame.as_object()["vmaf"] = *score++;
  co_return base::Status();
}

proc::Task<base::Result<json::object>> measure(boost::asio::any_io_executor executor, const proc::MediaTool& tool,
                                               const MeasureOptions& options) {
  if (!options.video.empty()) KINORA_CO_OK(co_await write_slider(tool, options));
  const proc::ToolOutcome outcome = co_await tool.run("measure", files_of(options));
  if (const proc::ToolError* error = outcome.error()) co_return base::fail(base::ErrorCode::invalid, error->detail);
  json::object result = *outcome.result();
  KINORA_CO_OK(co_await add_vmaf(executor, options, result));
  if (!options.plot.empty()) KINORA_CO_OK(write_plot(result, options));
  co_return result;
}

}  // namespace

void add_measure_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("measure",
                                         "PSNR-Y, SSIM, flicker and VMAF of a file against a reference of the same size and frames\n"
                                         "  kinora measure original.mp4 made.mp4 --plot quality.svg --video both.mp4 --slider 0.5");
  const auto options = std::make_shared<MeasureOptions>();
  command->add_option("reference", options->reference, "the original")->required()->check(CLI::ExistingFile);
  command->add_option("file", options->file, "what to measure")->required()->check(CLI::ExistingFile);
  command->add_flag("!--no-frames", options->frames, "only the means");
  CLI::Option* vmaf = command->add_flag("--vmaf", options->vmaf, "fail where the ffmpeg in PATH has no libvmaf, instead of going without");
  command->add_flag("--no-vmaf", options->no_vmaf, "without VMAF")->excludes(vmaf);
  command->add_option("--plot", options->plot, "an SVG of the values frame by frame");
  CLI::Option* video =
      command->add_option("--video", options->video, "an MP4 that shows the original left of a line and the file right of it");
  command->add_option("--slider", options->slider, "where the line stands, 0 (left) to 1")->needs(video)->check(CLI::Range(0.0, 1.0));
  command->callback([&context, options] {
    context.action = [&context, options] {
      const auto program = proc::find_program("kinora-media");
      if (!program) return report(context, program.error());
      return run_coroutine([&](boost::asio::any_io_executor executor) -> proc::Task<int> {
        const proc::MediaTool tool(executor, {.program = *program});
        auto result = co_await measure(executor, tool, *options);
        if (!result) co_return report(context, result.error());
        if (const auto warning = unequal_lengths(*result)) std::fprintf(stderr, "warning: %s\n", warning->c_str());
        if (!options->frames) result->erase("frames");
        if (context.json)
          std::printf("%s\n", json::serialize(*result).c_str());
        else
          print_table(*result);
        co_return kExitOk;
      });
    };
  });
}

}  // namespace kinora::cli

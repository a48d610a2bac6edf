// kinora measure a.mp4 b.mp4: PSNR-Y and SSIM of b against a, frame by frame and in the mean.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>

#include "kinora/command.hpp"
#include "kinora/job_input.hpp"
#include "kinora/run_coroutine.hpp"
#include "proc/media_tool.hpp"
#include "proc/programs.hpp"

namespace kinora::cli {
namespace {

namespace json = base::json;

std::string number_text(const json::value& value) {
  if (!value.is_number()) return "inf";  // identical frames
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value.to_number<double>());
  return text;
}

}  // namespace

void add_measure_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("measure", "PSNR-Y and SSIM of a file against a reference of the same size and frames");
  struct Options {
    std::string reference, file;
    bool frames = true;
  };
  const auto options = std::make_shared<Options>();
  command->add_option("reference", options->reference, "the original")->required()->check(CLI::ExistingFile);
  command->add_option("file", options->file, "what to measure")->required()->check(CLI::ExistingFile);
  command->add_flag("!--no-frames", options->frames, "only the means");
  command->callback([&context, options] {
    context.action = [&context, options] {
      const auto program = proc::find_program("kinora-media");
      if (!program) return report(context, program.error());
      return run_coroutine([&](boost::asio::any_io_executor executor) -> proc::Task<int> {
        const proc::MediaTool tool(executor, {.program = *program});
        const json::object request{{"reference", std::filesystem::absolute(options->reference).string()},
                                   {"input", std::filesystem::absolute(options->file).string()}};
        const proc::ToolOutcome outcome = co_await tool.run("measure", request);
        if (const proc::ToolError* error = outcome.error()) co_return report(context, {base::ErrorCode::invalid, error->detail});
        const json::object& result = *outcome.result();
        if (context.json) {
          std::printf("%s\n", json::serialize(result).c_str());
          co_return kExitOk;
        }
        if (const json::value* frames = result.if_contains("frames"); options->frames && frames != nullptr && frames->is_array()) {
          std::printf("%7s %9s %8s\n", "frame", "psnr_y", "ssim");
          std::size_t number = 0;
          for (const json::value& frame : frames->get_array())
            std::printf("%7zu %9s %8s\n", number++, number_text(frame.at("psnr_y")).c_str(), number_text(frame.at("ssim")).c_str());
        }
        std::printf("mean    %9s %8s\n", number_text(result.at("psnr_y")).c_str(), number_text(result.at("ssim")).c_str());
        co_return kExitOk;
      });
    };
  });
}

}  // namespace kinora::cli

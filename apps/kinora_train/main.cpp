// kinora-train: trains the small starter models, and measures them.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "kinora_train/evaluate.hpp"
#include "kinora_train/interpolator/command.hpp"
#include "kinora_train/positive.hpp"
#include "kinora_train/trainer.hpp"
#include "kinora_train/video/command.hpp"

namespace {

using kinora::train::EvaluateSettings;
using kinora::train::positive;
using kinora::train::Precision;
using kinora::train::TrainSettings;

void say(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

void add_upscaler(CLI::App& app, TrainSettings& settings) {
  CLI::App& command = *app.add_subcommand("upscaler", "train an upscaler from photos and clips");
  command.add_option("--data", settings.data, "folders or files with photos and clips")->required()->expected(1, -1);
  command.add_option("--list", settings.list, "use only these files of --data: one relative path a line");
  command.add_option("--samples", settings.samples, "prepared samples: read when the file exists, else written");
  command.add_option("--out", settings.out, "model folder to write")->required();
  command.add_option("--checkpoint", settings.checkpoint, "where a run can be resumed from (default: OUT.checkpoint)");
  command.add_option("--start", settings.start,
                     "model folder to start from: of this network, fewer convolutions or a divisor of its scale (default: random weights)");
  auto* minutes = command.add_option("--minutes", settings.minutes, "how long to train")->check(positive());
  auto* steps = command.add_option("--steps", settings.steps, "how many updates to make")->check(positive());
  minutes->excludes(steps);
  command.add_flag("--resume", settings.resume, "go on from the checkpoint");
  command.add_option("--seed", settings.seed, "of everything random")->capture_default_str();
  command.add_option("--threads", settings.threads, "processor threads")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_option("--scale", settings.scale, "how much larger its pictures are")->check(CLI::IsMember({2, 4}))->capture_default_str();
  command.add_option("--features", settings.features, "channels of the hidden convolutions")
      ->check(CLI::Range(4, 256))
      ->capture_default_str();
  command.add_option("--convolutions", settings.convolutions, "hidden convolutions")->check(CLI::Range(1, 64))->capture_default_str();
  command.add_option("--shots", settings.shots, "shots to prepare from all sources")->check(CLI::Range(1, 100000))->capture_default_str();
  command.add_option("--batch", settings.batch, "patches an update")->check(CLI::Range(1, 1024))->capture_default_str();
  command.add_option("--rate", settings.peak_rate, "highest learning rate")->check(positive())->capture_default_str();
  command.add_option("--muon-rate", settings.muon_rate, "of the hidden convolutions, times --rate")
      ->check(positive())
      ->capture_default_str();
  command.add_option("--average", settings.average_decay, "decay of the weights' average")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_flag_callback(
      "--bf16", [&] { settings.precision = Precision::bf16; }, "convolutions in bfloat16 (faster on some processors)");
  command.callback([&] {
    if (!settings.minutes && !settings.steps) throw CLI::RequiredError("--minutes or --steps");
    const auto report = kinora::train::train_upscaler(settings, say);
    say("done after " + std::to_string(report.steps) + " steps: held-out PSNR-Y " + std::to_string(report.best_psnr) + " dB, bicubic " +
        std::to_string(report.bicubic_psnr) + " dB; model in " + settings.out.string());
  });
}

void add_evaluate(CLI::App& app, EvaluateSettings& settings) {
  CLI::App& command = *app.add_subcommand("evaluate-upscaler", "compare an upscaler with Lanczos on clips");
  command.add_option("--model", settings.model, "model folder")->required();
  command.add_option("--against", settings.against, "another upscaler's folder, for two more columns");
  command.add_option("--scale", settings.scale, "how much smaller the pictures are made (default: as the model enlarges)")
      ->check(CLI::Range(1, 8));
  command.add_option("--clips", settings.clips, "files or folders with clips and photos")->required()->expected(1, -1);
  command.add_option("--crf", settings.crf, "of libx264")->check(CLI::Range(0, 51))->capture_default_str();
  command.add_option("--preset", settings.preset, "of libx264")->capture_default_str();
  command.add_option("--frames", settings.frames, "pictures of each clip")->check(CLI::Range(1, 100000))->capture_default_str();
  command.add_flag("--variants", settings.variants, "also from a softened and from a noisy version of every clip");
  command.add_flag("--update-card", settings.update_card, "write the table into the model's card.json");
  command.add_option("--crops", settings.crops, "folder for crops: Lanczos | model | original");
  command.add_option("--precision", settings.precision, "automatic, fp32 or bf16")->capture_default_str();
  command.add_option("--threads", settings.threads, "processor threads")->check(CLI::Range(1, 256))->capture_default_str();
  command.callback([&] { std::printf("%s", kinora::train::table_of(kinora::train::evaluate_upscaler(settings, say)).c_str()); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains and measures Kinora's starter models", "kinora-train");
  app.require_subcommand(1);
  TrainSettings train;
  EvaluateSettings evaluate;
  kinora::train::VideoCommands video;
  kinora::train::InterpolatorCommands interpolator;
  add_upscaler(app, train);
  add_evaluate(app, evaluate);
  kinora::train::add_interpolator_commands(app, interpolator, say);
  kinora::train::add_video_commands(app, video, say);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    say(std::string("kinora-train: ") + error.what());
    return 1;
  }
}

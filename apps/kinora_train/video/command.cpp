#include "kinora_train/video/command.hpp"
#include "kinora_train/positive.hpp"

#include <ATen/Parallel.h>

#include <cstdio>
#include <numeric>

#include "kinora_train/clips/captions.hpp"

namespace kinora::train {
namespace {

// What the contact sheet shows, of combinations seen in training and not.
constexpr std::array kShown{Combination{Shape::ball, Colour::red, Direction::left, Background::sky},
                            Combination{Shape::star, Colour::yellow, Direction::up, Background::night},
                            Combination{Shape::square, Colour::blue, Direction::right, Background::sand},
                            Combination{Shape::triangle, Colour::orange, Direction::down, Background::grass},
                            Combination{Shape::ball, Colour::green, Direction::right, Background::snow},
                            Combination{Shape::star, Colour::white, Direction::left, Background::sunset}};

void add_training(CLI::App& app, StarterSettings& settings, const Talk& talk) {
  CLI::App& command = *app.add_subcommand("text-to-video", "train a tiny text-to-video model on clips of moving shapes");
  command.add_option("--out", settings.out, "model folder to write")->required();
  command.add_option("--work", settings.work, "folder for what a run goes on from (default: OUT.work)");
  auto* minutes =
      command.add_option("--minutes", settings.minutes, "how long to train: processor time divided by --threads")->check(positive());
  auto* steps = command.add_option("--steps", settings.steps, "how many updates to make")->check(positive());
  minutes->excludes(steps);
  command.add_option("--vae-share", settings.vae_share, "part of it for the VAE")->check(CLI::Range(0.01, 0.99))->capture_default_str();
  command.add_option("--decoder-share", settings.decoder_share, "part of it for the VAE's decoder alone, at the end")
      ->check(CLI::Range(0.01, 0.98))
      ->capture_default_str();
  command.add_flag("--resume", settings.resume, "go on with what is in --work");
  command.add_option("--seed", settings.seed, "of everything random")->capture_default_str();
  command.add_option("--threads", settings.threads, "processor threads")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_flag("--bf16", settings.bf16, "compute in bfloat16 (faster on some processors)");
  command.add_option("--clips", settings.clips, "clips to learn from")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  command.add_option("--batch", settings.batch, "clips an update of the transformer")->check(CLI::Range(1, 4096))->capture_default_str();
  command.add_option("--vae-rate", settings.vae_rate, "highest learning rate of the VAE")->check(positive())->capture_default_str();
  command.add_option("--rate", settings.rate, "highest learning rate of the transformer")->check(positive())->capture_default_str();
  command.add_option("--save-every", settings.save_every_s, "seconds between checkpoints")->check(positive())->capture_default_str();
  command.add_option("--judge", settings.judged, "held-out captions that are tried after a checkpoint")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command.callback([&settings, talk] {
    if (!settings.minutes && !settings.steps) throw CLI::RequiredError("--minutes or --steps");
    train_starter(settings, talk);
  });
}

void add_check(CLI::App& app, VideoCommands& all, const Talk& talk) {
  CLI::App& command = *app.add_subcommand("text-to-video-check", "try a model with captions that it was not trained on");
  command.add_option("MODEL", all.model, "model folder")->required();
  command.add_option("--combinations", all.trial.combinations, "of shape, colour, direction and background")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--seeds", all.seeds, "clips of each combination")->check(CLI::Range(1, 100))->capture_default_str();
  command.add_flag("--plain", all.trial.plain, "only the plainest wording of each caption");
  command.add_option("--sheet", all.sheet, "also a picture of some clips (PNG or JPEG, by its ending)");
  command.add_option("--threads", all.threads, "processor threads")->check(CLI::Range(1, 256))->capture_default_str();
  command.callback([&all, talk] {
    at::set_num_threads(all.threads);
    all.trial.seeds.resize(static_cast<std::size_t>(all.seeds));
    std::iota(all.trial.seeds.begin(), all.trial.seeds.end(), 1);
    const auto pipeline = models::load_pipeline(all.model);
    if (!all.sheet.empty()) {
      std::vector<Clip> clips;
      for (const auto& what : kShown) {
        const models::GenerationRequest request{.task = models::Task::text_to_video, .prompts = {plain_caption(what)}, .seeds = {1}};
        clips.push_back(clip_of(pipeline->run(request).pictures));
        talk("\"" + plain_caption(what) + "\" looks like: " + describe(look_at(clips.back())));
      }
      write_contact_sheet(all.sheet, clips);
    }
    std::printf("%s", table(try_model(*pipeline, all.trial, talk)).c_str());
  });
}

void add_see(CLI::App& app, VideoCommands& all) {
  CLI::App& command = *app.add_subcommand("see-clip", "say what a clip of one moving shape shows");
  command.add_option("FILE", all.file, "video")->required();
  command.callback([&all] { std::printf("%s\n", describe(look_at(read_clip_file(all.file))).c_str()); });
}

}  // namespace

void add_video_commands(CLI::App& app, VideoCommands& settings, const Talk& talk) {
  add_training(app, settings.training, talk);
  add_check(app, settings, talk);
  add_see(app, settings);
}

}  // namespace kinora::train

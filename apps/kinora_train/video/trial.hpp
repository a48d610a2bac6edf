#pragma once
// What a text-to-video model makes of captions, judged by the checker.
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kinora_train/clips/clip_checker.hpp"
#include "kinora_train/fit.hpp"
#include "models/pipeline.hpp"

namespace kinora::train {

struct TrialSettings {
  int combinations = 100;  // of those held out of training, chosen by a fixed order; at most all of them
  std::vector<std::uint64_t> seeds{1, 2, 3};
  bool plain = false;  // only the plainest wording; else any
};

struct Trial {
  Combination asked;
  std::string caption;
  std::uint64_t seed = 0;
  Seen seen;
};

// One clip for each combination and seed, with the model's defaults. talk: one line for each clip that is not as asked for.
std::vector<Trial> try_model(models::Pipeline& pipeline, const TrialSettings& settings, const Talk& talk);

struct Score {
  int clips = 0, shape = 0, colour = 0, direction = 0, background = 0, all = 0;  // how many are as asked for
};
// Of the trials with this seed, or of all.
Score score(const std::vector<Trial>& trials, std::optional<std::uint64_t> seed = std::nullopt);

// A Markdown table, one row for each seed and one for all, in percent.
std::string table(const std::vector<Trial>& trials);

// The frames as a clip.
Clip clip_of(const std::vector<models::RgbPicture>& frames);
// The first video of a file, as it is shown; at most 1000 frames. Throws Failure.
Clip read_clip_file(const std::filesystem::path& path);

// A PNG or JPEG (by its ending) with one row for each clip: first, middle and last frame and two between.
void write_contact_sheet(const std::filesystem::path& path, const std::vector<Clip>& clips);

}  // namespace kinora::train

#pragma once
// `kinora-train evaluate-interpolator`: what a model makes between the pictures of clips that it should never have seen.
//
// Of each clip every second picture is dropped and made again from its two neighbours: by the model through the same loader, conversions
// and scene judgement as the runner (neighbours that are the same picture give the earlier one; at a cut the later one is shown), by the
// mean of both neighbours, and by repeating the earlier one. Luma PSNR and SSIM against the dropped picture. Throws Failure, nn::LoadError,
// c10::Error.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "media/quality.hpp"

namespace kinora::train {

// Clips that repeating the earlier picture rebuilds better than this have next to no motion, in dB of PSNR-Y.
inline constexpr double kStill = 40;

struct InterpolationEvaluateSettings {
  std::filesystem::path model;               // models::describe_network()
  std::vector<std::filesystem::path> clips;  // files or folders
  int frames = 24;                           // pictures of each clip that are made again
  bool update_card = false;                  // put the table into the model's card.json
  std::filesystem::path crops;               // folder for side-by-side crops (blend | model | true picture), empty: none
  int threads = 1;
};

struct InterpolatedClip {
  std::string clip;  // file name without ending
  int width = 0, height = 0, frames = 0;
  media::FrameQuality repeated{}, blended{}, model{};  // means over the pictures
  double gain() const { return model.psnr_y - blended.psnr_y; }
  bool still() const { return repeated.psnr_y >= kStill; }
};

struct InterpolationEvaluation {
  std::vector<InterpolatedClip> clips;
  std::vector<std::string> skipped;  // "path: why"
  // Means over clips in dB; 0 when there is none.
  double mean_gain() const;            // over the mean of neighbours
  double mean_gain_of_moving() const;  // the same without still() clips
  double mean_gain_over_repeat() const;
  double least_gain() const;
};

// `talk` gets a line for every finished clip. Throws Failure when no clip could be used.
InterpolationEvaluation evaluate_interpolator(const InterpolationEvaluateSettings& settings,
                                              const std::function<void(const std::string&)>& talk);

// The table as Markdown, with the summary lines.
std::string table_of(const InterpolationEvaluation& evaluation);

}  // namespace kinora::train

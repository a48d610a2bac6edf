#pragma once
// `kinora-train evaluate-upscaler`: what a model gains over Lanczos on clips that it should never have seen.
//
// Each clip: its own pictures, perhaps blurred or with noise -> shrunk by swscale's bicubic -> H.264 (libx264) -> decode -> enlarged by
// swscale's Lanczos and by the model, through the same loader and conversions as the runner -> luma PSNR and SSIM of both against the
// clip's own pictures.
// Throws Failure, nn::LoadError, c10::Error.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kinora::train {

inline constexpr double kSoftSigma = 1.5;       // blur of the "soft" variant, pixels of the clip
inline constexpr double kNoisyDeviation = 8.0;  // noise of the "noisy" variant, levels of 0..255
// Clips whose neighbouring pixels differ by this much in the mean (levels of 0..255) count as detailed.
inline constexpr double kDetailed = 4.0;

struct EvaluateSettings {
  std::filesystem::path model;
  std::filesystem::path against;             // another model to compare with; empty: none
  int scale = 0;                             // 0: the model's. Of another scale, its picture is resampled, as the runner does
  std::vector<std::filesystem::path> clips;  // files or folders; still pictures count as clips of one picture
  int crf = 23;
  std::string preset = "medium";
  int frames = 48;                      // consecutive pictures from a third of the clip on
  bool variants = false;                // also from a softened and from a noisy version of every clip
  bool update_card = false;             // put the table into the model's card.json
  std::filesystem::path crops;          // folder for side-by-side crops (Lanczos | model | original), empty: none
  std::string precision = "automatic";  // or fp32, bf16
  int threads = 1;
};

struct ClipScore {
  std::string clip;     // file name without ending
  std::string variant;  // "", "soft", "noisy"
  int width = 0, height = 0, frames = 0;
  double detail = 0;
  double lanczos_psnr = 0, lanczos_ssim = 0;  // means over the pictures
  double model_psnr = 0, model_ssim = 0;
  std::optional<double> against_psnr;  // of the model to compare with
  double gain() const { return model_psnr - lanczos_psnr; }
  bool moving() const { return frames > 1; }  // no still picture
  bool detailed() const { return moving() && variant.empty() && detail >= kDetailed; }
};

struct Evaluation {
  std::vector<ClipScore> scores;
  std::vector<std::string> skipped;  // "path: why"
  // Means over clips as they are (no variants); 0 when there is none.
  double mean_gain_detailed() const;
  double mean_gain_clips() const;
  double mean_gain_stills() const;
  double least_gain() const;
  // Mean of the model's PSNR less that of the one to compare with, over all rows; none: not compared.
  std::optional<double> mean_lead() const;
};

// `talk` gets a line for every finished clip. Throws Failure when no clip could be used.
Evaluation evaluate_upscaler(const EvaluateSettings& settings, const std::function<void(const std::string&)>& talk);

// The table as Markdown, with the two summary lines.
std::string table_of(const Evaluation& evaluation);

}  // namespace kinora::train

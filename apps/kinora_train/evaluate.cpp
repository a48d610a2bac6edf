#include "kinora_train/evaluate.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "kinora_train/error.hpp"
#include "kinora_train/h264_loop.hpp"
#include "kinora_train/judged_pictures.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/scaler.hpp"
#include "kinora_train/side_by_side.hpp"
#include "kinora_train/sources.hpp"
#include "kinora_train/text.hpp"
#include "media/image.hpp"
#include "media/quality.hpp"
#include "media/rgb.hpp"
#include "media/video_reader.hpp"
#include "models/upscaler.hpp"
#include "nn/model_folder.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

media::Frame altered(const media::Frame& frame, const std::string& variant, std::uint64_t seed) {
  const at::Tensor rgb = rgb_of(frame).to(at::kFloat);
  const at::Tensor changed = variant == "soft" ? blurred(rgb, kSoftSigma) : noisy(rgb, kNoisyDeviation, seed);
  return frame_of(to_bytes(changed), frame.color());
}

// The model on one picture, with the runner's conversions: packed 8-bit RGB in and out.
class ModelEnlarger {
 public:
  ModelEnlarger(const EvaluateSettings& settings, const nn::ModelFolder& folder) {
    models::UpscalerSettings how;
    if (settings.precision == "fp32")
      how.precision = models::Precision::fp32;
    else if (settings.precision == "bf16")
      how.precision = models::Precision::bf16;
    else if (settings.precision != "automatic")
      throw Failure("precision must be automatic, fp32 or bf16");
    upscaler_ = models::load_upscaler(folder, how);
    if (upscaler_->scale() != 2) throw Failure("the table is for models that enlarge 2x");
  }

  media::Frame run(const media::Frame& low) {
    const auto pixels = static_cast<std::size_t>(low.width()) * static_cast<std::size_t>(low.height());
    small_.resize(pixels * 3);
    big_.resize(pixels * 12);
    take(converter_.to_rgb(low, {.data = small_.data(), .type = media::RgbType::packed_u8, .width = low.width(), .height = low.height()}));
    upscaler_->upscale({small_.data(), models::SampleType::packed_u8, low.width(), low.height()}, big_.data());
    return take(
        converter_.to_frame({.data = big_.data(), .type = media::RgbType::packed_u8, .width = low.width() * 2, .height = low.height() * 2},
                            media::PixelFormat::yuv420p, low.color(), low.width(), low.height()));
  }
  std::string description() const { return upscaler_->description(); }

 private:
  std::unique_ptr<models::Upscaler> upscaler_;
  media::RgbConverter converter_;
  std::vector<std::uint8_t> small_, big_;
};

ClipScore score_of(const std::string& clip, const std::string& variant, const std::vector<media::Frame>& pictures,
                   const EvaluateSettings& settings, ModelEnlarger& model) {
  ClipScore score{.clip = clip, .variant = variant, .width = pictures.front().width(), .height = pictures.front().height()};
  std::vector<media::Frame> small;
  small.reserve(pictures.size());
  for (const media::Frame& picture : pictures) small.push_back(resized(picture, score.width / 2, score.height / 2, Kernel::bicubic));
  small = through_h264(small, {settings.crf, settings.preset});
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const media::Frame plain = resized(small[i], score.width, score.height, Kernel::lanczos);
    const media::Frame made = model.run(small[i]);
    const auto of_plain = take(media::measure_frame(pictures[i], plain));
    const auto of_made = take(media::measure_frame(pictures[i], made));
    score.lanczos_psnr += of_plain.psnr_y;
    score.lanczos_ssim += of_plain.ssim_y;
    score.model_psnr += of_made.psnr_y;
    score.model_ssim += of_made.ssim_y;
    score.detail += detail(rgb_of(pictures[i]));
    if (i == pictures.size() / 2 && variant.empty() && !settings.crops.empty())
      write_side_by_side(settings.crops / (clip + ".png"), {plain, made, pictures[i]});
  }
  const auto count = static_cast<double>(pictures.size());
  for (double* sum : {&score.lanczos_psnr, &score.lanczos_ssim, &score.model_psnr, &score.model_ssim, &score.detail}) *sum /= count;
  score.frames = static_cast<int>(pictures.size());
  return score;
}

std::string row(const ClipScore& score) {
  const std::string name = score.variant.empty() ? score.clip : score.clip + ", " + score.variant;
  return text("| %s | %dx%d | %d | %.1f | %.2f | %.2f | %+.2f | %.4f | %.4f |", name.c_str(), score.width, score.height, score.frames,
              score.detail, score.lanczos_psnr, score.model_psnr, score.gain(), score.lanczos_ssim, score.model_ssim);
}

template <class Chosen>
double mean_gain(const std::vector<ClipScore>& scores, const Chosen& chosen) {
  double sum = 0;
  int count = 0;
  for (const ClipScore& score : scores)
    if (chosen(score)) sum += score.gain(), ++count;
  return count == 0 ? 0 : sum / count;
}

double rounded(double value) { return std::round(value * 10000) / 10000; }

void update_card(nn::ModelFolder model, const Evaluation& evaluation, const EvaluateSettings& settings) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ClipScore& score : evaluation.scores) {
    rows.push_back({{"clip", score.clip},
                    {"variant", score.variant},
                    {"frames", score.frames},
                    {"lanczos_psnr_y_db", rounded(score.lanczos_psnr)},
                    {"model_psnr_y_db", rounded(score.model_psnr)},
                    {"lanczos_ssim", rounded(score.lanczos_ssim)},
                    {"model_ssim", rounded(score.model_ssim)}});
  }
  model.card.rest["metrics"] = {{"task", text("bicubic 2x down, libx264 %s CRF %d, 2x up, luma", settings.preset.c_str(), settings.crf)},
                                {"mean_gain_detailed_db", rounded(evaluation.mean_gain_detailed())},
                                {"mean_gain_clips_db", rounded(evaluation.mean_gain_clips())},
                                {"mean_gain_stills_db", rounded(evaluation.mean_gain_stills())},
                                {"least_gain_db", rounded(evaluation.least_gain())},
                                {"clips", rows}};
  const nn::TensorMap weights = nn::SafetensorsFile(model.weights_path()).tensors();
  nn::write_model_folder(model.path, model.architecture, model.config, model.card, weights);
}

}  // namespace

double Evaluation::mean_gain_detailed() const {
  return mean_gain(scores, [](const ClipScore& score) { return score.detailed(); });
}
double Evaluation::mean_gain_clips() const {
  return mean_gain(scores, [](const ClipScore& score) { return score.moving() && score.variant.empty(); });
}
double Evaluation::mean_gain_stills() const {
  return mean_gain(scores, [](const ClipScore& score) { return !score.moving() && score.variant.empty(); });
}

double Evaluation::least_gain() const {
  const auto least = std::min_element(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.gain() < b.gain(); });
  return least == scores.end() ? 0 : least->gain();
}

Evaluation evaluate_upscaler(const EvaluateSettings& settings, const std::function<void(const std::string&)>& talk) {
  at::set_num_threads(settings.threads);
  const nn::ModelFolder folder = nn::read_model_folder(settings.model);
  ModelEnlarger model(settings, folder);
  talk(model.description());
  const SourceList list = find_sources(settings.clips, {});
  Evaluation evaluation;
  evaluation.skipped = list.skipped;
  for (const Source& source : list.sources) {
    try {
      const std::vector<media::Frame> pictures = read_judged_pictures(source, settings.frames);
      const std::string name = source.path.stem().string();
      for (const std::string variant : {"", "soft", "noisy"}) {
        if (!variant.empty() && !settings.variants) continue;
        std::vector<media::Frame> used = pictures;
        if (!variant.empty())
          for (std::size_t i = 0; i < used.size(); ++i) used[i] = altered(pictures[i], variant, i);
        evaluation.scores.push_back(score_of(name, variant, used, settings, model));
        talk(row(evaluation.scores.back()));
      }
    } catch (const Failure& failure) {
      evaluation.skipped.push_back(source.path.string() + ": " + failure.what());
      talk("skipped " + evaluation.skipped.back());
    }
  }
  if (evaluation.scores.empty()) throw Failure("no clip could be used");
  if (settings.update_card) update_card(folder, evaluation, settings);
  return evaluation;
}

std::string table_of(const Evaluation& evaluation) {
  std::string table =
      "| clip | size | pictures | detail | Lanczos PSNR-Y dB | model PSNR-Y dB | gain dB | Lanczos SSIM | model SSIM |\n"
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const ClipScore& score : evaluation.scores) table += row(score) + "\n";
  table += text("\nMean gain over detailed clips (detail >= %.1f, as they are): %+.2f dB\n", kDetailed, evaluation.mean_gain_detailed());
  table += text("Mean gain over all clips as they are: %+.2f dB; over still pictures: %+.2f dB\n", evaluation.mean_gain_clips(),
                evaluation.mean_gain_stills());
  table += text("Least gain of all rows: %+.2f dB\n", evaluation.least_gain());
  return table;
}

}  // namespace kinora::train

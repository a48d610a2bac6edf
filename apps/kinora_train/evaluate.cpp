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
#include "models/resample.hpp"
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

models::Precision precision_of(const std::string& name) {
  if (name == "fp32") return models::Precision::fp32;
  if (name == "bf16") return models::Precision::bf16;
  if (name == "automatic") return models::Precision::automatic;
  throw Failure("precision must be automatic, fp32 or bf16");
}

// The model on one picture, with the runner's conversions: packed 8-bit RGB in and out.
class ModelEnlarger {
 public:
  // scale: 0 is the model's own.
  ModelEnlarger(const nn::ModelFolder& folder, const EvaluateSettings& settings, int scale)
      : upscaler_(models::load_upscaler(folder, {.precision = precision_of(settings.precision)})),
        scale_(scale == 0 ? upscaler_->scale() : scale) {}

  media::Frame run(const media::Frame& low) {
    const models::Picture small{.data = room(small_, low.width(), low.height()),
                                .type = models::SampleType::packed_u8,
                                .width = low.width(),
                                .height = low.height()};
    take(converter_.to_rgb(low, view_of(small_, low.width(), low.height())));
    const int width = low.width() * scale_, height = low.height() * scale_;
    std::uint8_t* const big = room(big_, width, height);
    if (upscaler_->scale() == scale_) {
      upscaler_->upscale(small, big);
    } else {
      const std::int64_t wide = small.width * upscaler_->scale(), high = small.height * upscaler_->scale();
      std::uint8_t* const between = room(between_, wide, high);
      upscaler_->upscale(small, between);
      models::resample({.data = between, .type = small.type, .width = wide, .height = high}, width, height, big);
    }
    return take(converter_.to_frame(view_of(big_, width, height), media::PixelFormat::yuv420p, low.color(), low.width(), low.height()));
  }
  int scale() const { return scale_; }
  std::string description() const { return upscaler_->description(); }

 private:
  using Bytes = std::vector<std::uint8_t>;
  static std::uint8_t* room(Bytes& bytes, std::int64_t width, std::int64_t height) {
    bytes.resize(static_cast<std::size_t>(width * height * 3));
    return bytes.data();
  }
  static media::RgbView view_of(Bytes& bytes, int width, int height) {
    return {.data = bytes.data(), .type = media::RgbType::packed_u8, .width = width, .height = height};
  }

  std::unique_ptr<models::Upscaler> upscaler_;
  int scale_;
  media::RgbConverter converter_;
  Bytes small_, between_, big_;
};

struct Enlargers {
  ModelEnlarger model;
  std::optional<ModelEnlarger> against;
};

// shown: what is shrunk, truth: what should come back.
ClipScore score_of(const std::string& clip, const std::string& variant, const std::vector<media::Frame>& shown,
                   const std::vector<media::Frame>& truth, const EvaluateSettings& settings, Enlargers& enlargers) {
  ClipScore score;
  score.clip = clip, score.variant = variant;
  score.width = truth.front().width(), score.height = truth.front().height();
  const int scale = enlargers.model.scale();
  std::vector<media::Frame> small;
  small.reserve(shown.size());
  for (const media::Frame& picture : shown) small.push_back(resized(picture, score.width / scale, score.height / scale, Kernel::bicubic));
  small = through_h264(small, {settings.crf, settings.preset});
  const auto count = static_cast<double>(truth.size());
  if (enlargers.against) score.against_psnr = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const media::Frame plain = resized(small[i], score.width, score.height, Kernel::lanczos);
    const media::Frame made = enlargers.model.run(small[i]);
    const auto of_plain = take(media::measure_frame(truth[i], plain));
    const auto of_made = take(media::measure_frame(truth[i], made));
    score.lanczos_psnr += of_plain.psnr_y / count;
    score.lanczos_ssim += of_plain.ssim_y / count;
    score.model_psnr += of_made.psnr_y / count;
    score.model_ssim += of_made.ssim_y / count;
    score.detail += detail(rgb_of(shown[i])) / count;
    if (enlargers.against) *score.against_psnr += take(media::measure_frame(truth[i], enlargers.against->run(small[i]))).psnr_y / count;
    if (i == truth.size() / 2 && variant.empty() && !settings.crops.empty())
      write_side_by_side(settings.crops / (clip + ".png"), {plain, made, truth[i]});
  }
  score.frames = static_cast<int>(truth.size());
  return score;
}

std::string row(const ClipScore& score) {
  const std::string name = score.variant.empty() ? score.clip : score.clip + ", " + score.variant;
  std::string cells =
      text("| %s | %dx%d | %d | %.1f | %.2f | %.2f | %+.2f | %.4f | %.4f |", name.c_str(), score.width, score.height, score.frames,
           score.detail, score.lanczos_psnr, score.model_psnr, score.gain(), score.lanczos_ssim, score.model_ssim);
  if (score.against_psnr) cells += text(" %.2f | %+.2f |", *score.against_psnr, score.model_psnr - *score.against_psnr);
  return cells;
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

void update_card(nn::ModelFolder model, int scale, const Evaluation& evaluation, const EvaluateSettings& settings) {
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
  model.card.rest["metrics"] = {
      {"task", text("bicubic %dx down, libx264 %s CRF %d, %dx up, luma", scale, settings.preset.c_str(), settings.crf, scale)},
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

std::optional<double> Evaluation::mean_lead() const {
  std::optional<double> lead;
  for (const ClipScore& score : scores)
    if (score.against_psnr) lead = lead.value_or(0) + (score.model_psnr - *score.against_psnr) / static_cast<double>(scores.size());
  return lead;
}

Evaluation evaluate_upscaler(const EvaluateSettings& settings, const std::function<void(const std::string&)>& talk) {
  at::set_num_threads(settings.threads);
  const nn::ModelFolder folder = nn::read_model_folder(settings.model);
  Enlargers enlargers{ModelEnlarger(folder, settings, settings.scale), std::nullopt};
  talk(enlargers.model.description());
  if (!settings.against.empty()) enlargers.against.emplace(nn::read_model_folder(settings.against), settings, enlargers.model.scale());
  const SourceList list = find_sources(settings.clips, {});
  Evaluation evaluation;
  evaluation.skipped = list.skipped;
  for (const Source& source : list.sources) {
    try {
      const std::vector<media::Frame> pictures = read_judged_pictures(source, settings.frames, 2 * enlargers.model.scale());
      const std::string name = source.path.stem().string();
      for (const std::string variant : {"", "soft", "noisy"}) {
        if (!variant.empty() && !settings.variants) continue;
        std::vector<media::Frame> shown = pictures;
        if (!variant.empty())
          for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = altered(pictures[i], variant, i);
        evaluation.scores.push_back(score_of(name, variant, shown, pictures, settings, enlargers));
        talk(row(evaluation.scores.back()));
      }
    } catch (const Failure& failure) {
      evaluation.skipped.push_back(source.path.string() + ": " + failure.what());
      talk("skipped " + evaluation.skipped.back());
    }
  }
  if (evaluation.scores.empty()) throw Failure("no clip could be used");
  if (settings.update_card) update_card(folder, enlargers.model.scale(), evaluation, settings);
  return evaluation;
}

std::string table_of(const Evaluation& evaluation) {
  const auto lead = evaluation.mean_lead();
  std::string table = "| clip | size | pictures | detail | Lanczos PSNR-Y dB | model PSNR-Y dB | gain dB | Lanczos SSIM | model SSIM |";
  std::string rule = "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";
  if (lead) table += " other PSNR-Y dB | lead dB |", rule += " ---: | ---: |";
  table += "\n" + rule + "\n";
  for (const ClipScore& score : evaluation.scores) table += row(score) + "\n";
  table += text("\nMean gain over detailed clips (detail >= %.1f, as they are): %+.2f dB\n", kDetailed, evaluation.mean_gain_detailed());
  table += text("Mean gain over all clips as they are: %+.2f dB; over still pictures: %+.2f dB\n", evaluation.mean_gain_clips(),
                evaluation.mean_gain_stills());
  table += text("Least gain of all rows: %+.2f dB\n", evaluation.least_gain());
  if (lead) table += text("Mean lead over the other model, all rows: %+.2f dB\n", *lead);
  return table;
}

}  // namespace kinora::train

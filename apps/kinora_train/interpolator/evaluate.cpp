#include "kinora_train/interpolator/evaluate.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "kinora_train/error.hpp"
#include "kinora_train/judged_pictures.hpp"
#include "kinora_train/side_by_side.hpp"
#include "kinora_train/text.hpp"
#include "media/blend.hpp"
#include "media/rgb.hpp"
#include "media/still_parts.hpp"
#include "models/interpolator.hpp"
#include "models/loose_model.hpp"
#include "nn/model_folder.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

constexpr int kSideMultiple = 4;

// The model between two pictures, with the runner's conversions, packed 8-bit RGB in and out, and what it keeps of both.
class Middle {
 public:
  explicit Middle(const nn::ModelFolder& model) : network_(models::load_interpolator(model, "cpu")) {}
  std::string description() const { return network_->description(); }

  media::Frame run(const media::Frame& before, const media::Frame& after) {
    const auto a = prepare(before), b = prepare(after);
    const auto change = network_->compare(*a, *b);
    if (change != models::Change::moved) return change == models::Change::none ? before : after;
    network_->between(*a, *b, 0.5, {}, models::SampleType::packed_u8, rgb_.data());
    auto made = take(converter_.to_frame(view(before), media::PixelFormat::yuv420p, before.color(), before.width(), before.height()));
    take(media::keep_still_parts(made, before, after, 0.5));
    return made;
  }

 private:
  media::RgbView view(const media::Frame& frame) {
    return {.data = rgb_.data(), .type = media::RgbType::packed_u8, .width = frame.width(), .height = frame.height()};
  }
  std::shared_ptr<const models::InterpolatorPicture> prepare(const media::Frame& frame) {
    rgb_.resize(static_cast<std::size_t>(frame.width()) * static_cast<std::size_t>(frame.height()) * 3);
    take(converter_.to_rgb(frame, view(frame)));
    return network_->prepare({rgb_.data(), models::SampleType::packed_u8, frame.width(), frame.height()}, {});
  }

  std::unique_ptr<models::Interpolator> network_;
  media::RgbConverter converter_;
  std::vector<std::uint8_t> rgb_;
};

void add(media::FrameQuality& sum, const media::Frame& truth, const media::Frame& made) {
  const auto quality = take(media::measure_frame(truth, made));
  sum.psnr_y += quality.psnr_y;
  sum.ssim_y += quality.ssim_y;
}

InterpolatedClip judge(const std::string& name, const std::vector<media::Frame>& pictures, const InterpolationEvaluateSettings& settings,
                       Middle& middle) {
  InterpolatedClip clip{.clip = name, .width = pictures.front().width(), .height = pictures.front().height()};
  for (std::size_t i = 1; i + 1 < pictures.size(); i += 2, ++clip.frames) {
    const media::Frame made = middle.run(pictures[i - 1], pictures[i + 1]),
                       mean = take(media::crossfade(pictures[i - 1], pictures[i + 1], 0.5));
    add(clip.repeated, pictures[i], pictures[i - 1]);
    add(clip.blended, pictures[i], mean);
    add(clip.model, pictures[i], made);
    if (clip.frames == settings.frames / 2 && !settings.crops.empty())
      write_side_by_side(settings.crops / (name + ".png"), {mean, made, pictures[i]});
  }
  for (media::FrameQuality* sum : {&clip.repeated, &clip.blended, &clip.model}) {
    sum->psnr_y /= clip.frames;
    sum->ssim_y /= clip.frames;
  }
  return clip;
}

std::string row(const InterpolatedClip& clip) {
  return text("| %s%s | %dx%d | %d | %.2f | %.2f | %.2f | %+.2f | %.4f | %.4f | %.4f |", clip.clip.c_str(), clip.still() ? " (still)" : "",
              clip.width, clip.height, clip.frames, clip.repeated.psnr_y, clip.blended.psnr_y, clip.model.psnr_y, clip.gain(),
              clip.repeated.ssim_y, clip.blended.ssim_y, clip.model.ssim_y);
}

template <class Value>
double mean(const std::vector<InterpolatedClip>& clips, const Value& value, bool with_still = true) {
  double sum = 0;
  int count = 0;
  for (const InterpolatedClip& clip : clips)
    if (with_still || !clip.still()) sum += value(clip), ++count;
  return count == 0 ? 0 : sum / count;
}

double rounded(double value) { return std::round(value * 10000) / 10000; }

void update_card(nn::ModelFolder model, const InterpolationEvaluation& evaluation) {
  nlohmann::json rows = nlohmann::json::array();
  for (const InterpolatedClip& clip : evaluation.clips) {
    rows.push_back({{"clip", clip.clip},
                    {"frames", clip.frames},
                    {"repeat_psnr_y_db", rounded(clip.repeated.psnr_y)},
                    {"blend_psnr_y_db", rounded(clip.blended.psnr_y)},
                    {"model_psnr_y_db", rounded(clip.model.psnr_y)},
                    {"repeat_ssim", rounded(clip.repeated.ssim_y)},
                    {"blend_ssim", rounded(clip.blended.ssim_y)},
                    {"model_ssim", rounded(clip.model.ssim_y)}});
  }
  model.card.rest["metrics"] = {{"task", "every second picture dropped and made again, luma"},
                                {"mean_gain_over_blend_db", rounded(evaluation.mean_gain())},
                                {"mean_gain_over_blend_moving_db", rounded(evaluation.mean_gain_of_moving())},
                                {"mean_gain_over_repeat_db", rounded(evaluation.mean_gain_over_repeat())},
                                {"least_gain_over_blend_db", rounded(evaluation.least_gain())},
                                {"clips", rows}};
  const nn::TensorMap weights = nn::SafetensorsFile(model.weights_path()).tensors();
  nn::write_model_folder(model.path, model.architecture, model.config, model.card, weights);
}

}  // namespace

double InterpolationEvaluation::mean_gain() const {
  return mean(clips, [](const auto& clip) { return clip.gain(); });
}
double InterpolationEvaluation::mean_gain_of_moving() const {
  return mean(clips, [](const auto& clip) { return clip.gain(); }, /*with_still=*/false);
}
double InterpolationEvaluation::mean_gain_over_repeat() const {
  return mean(clips, [](const auto& clip) { return clip.model.psnr_y - clip.repeated.psnr_y; });
}
double InterpolationEvaluation::least_gain() const {
  const auto least = std::min_element(clips.begin(), clips.end(), [](const auto& a, const auto& b) { return a.gain() < b.gain(); });
  return least == clips.end() ? 0 : least->gain();
}

InterpolationEvaluation evaluate_interpolator(const InterpolationEvaluateSettings& settings,
                                              const std::function<void(const std::string&)>& talk) {
  at::set_num_threads(settings.threads);
  const auto model = models::describe_network(settings.model);
  if (!model.weights_file.empty() && settings.update_card) throw Failure("a checkpoint alone has no card to update");
  Middle middle(model);
  talk(middle.description());
  const SourceList list = find_sources(settings.clips, {});
  InterpolationEvaluation evaluation;
  evaluation.skipped = list.skipped;
  for (const Source& source : list.sources) {
    try {
      const auto pictures = read_judged_pictures(source, 2 * settings.frames + 1, kSideMultiple);
      if (pictures.size() < 3) throw Failure("fewer than three pictures");
      evaluation.clips.push_back(judge(source.path.stem().string(), pictures, settings, middle));
      talk(row(evaluation.clips.back()));
    } catch (const Failure& failure) {
      evaluation.skipped.push_back(source.path.string() + ": " + failure.what());
      talk("skipped " + evaluation.skipped.back());
    }
  }
  if (evaluation.clips.empty()) throw Failure("no clip could be used");
  if (settings.update_card) update_card(model, evaluation);
  return evaluation;
}

std::string table_of(const InterpolationEvaluation& evaluation) {
  std::string table =
      "| clip | size | pictures | repeat PSNR-Y dB | blend PSNR-Y dB | model PSNR-Y dB | gain over blend dB | repeat SSIM | blend SSIM | "
      "model "
      "SSIM |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const InterpolatedClip& clip : evaluation.clips) table += row(clip) + "\n";
  table += text("\nMean gain over blending: %+.2f dB; without still clips (repeating gives %.0f dB and more): %+.2f dB\n",
                evaluation.mean_gain(), kStill, evaluation.mean_gain_of_moving());
  table += text("Mean gain over repeating: %+.2f dB\nLeast gain over blending: %+.2f dB\n", evaluation.mean_gain_over_repeat(),
                evaluation.least_gain());
  return table;
}

}  // namespace kinora::train

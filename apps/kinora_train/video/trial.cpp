#include "kinora_train/video/trial.hpp"

#include <algorithm>

#include "kinora_train/clips/captions.hpp"
#include "kinora_train/error.hpp"
#include "kinora_train/text.hpp"
#include "media/image.hpp"
#include "media/rgb.hpp"
#include "media/video_reader.hpp"

namespace kinora::train {
namespace {

constexpr std::uint64_t kOrder = 77;  // of the held-out combinations, and of their wordings
constexpr int kMostFrames = 1000;
constexpr int kShownFrames = 5, kGap = 4;  // of a contact sheet

std::vector<Combination> shuffled_held_out() {
  auto all = combinations(true);
  Random random(kOrder);
  for (std::size_t i = all.size() - 1; i > 0; --i) std::swap(all[i], all[static_cast<std::size_t>(random.integer(0, static_cast<int>(i)))]);
  return all;
}

std::string row(const std::string& name, const Score& s) {
  const auto percent = [&s](int count) { return s.clips == 0 ? 0.0 : 100.0 * count / s.clips; };
  return text("| %s | %d | %.0f %% | %.0f %% | %.0f %% | %.0f %% | %.0f %% |\n", name.c_str(), s.clips, percent(s.shape), percent(s.colour),
              percent(s.direction), percent(s.background), percent(s.all));
}

media::RgbView view(Clip& clip, int frame) {
  return {.data = clip.at(frame, 0, 0), .type = media::RgbType::packed_u8, .width = clip.width, .height = clip.height};
}

}  // namespace

std::vector<Trial> try_model(models::Pipeline& pipeline, const TrialSettings& settings, const Talk& talk) {
  auto asked = shuffled_held_out();
  asked.resize(std::min(asked.size(), static_cast<std::size_t>(settings.combinations)));
  std::vector<Trial> trials;
  for (const auto seed : settings.seeds) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      Random random(kOrder + seed, i);
      Trial trial{.asked = asked[i],
                  .caption = settings.plain ? plain_caption(asked[i]) : draw_caption(asked[i], random),
                  .seed = seed * 1000 + i,
                  .seen = {}};
      models::GenerationRequest request{.task = models::Task::text_to_video, .prompts = {trial.caption}, .seeds = {trial.seed}};
      trial.seen = look_at(clip_of(pipeline.run(request).pictures));
      trial.seed = seed;
      if (!compare(trial.seen, trial.asked).all()) talk("\"" + trial.caption + "\" looks like: " + describe(trial.seen));
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

Score score(const std::vector<Trial>& trials, std::optional<std::uint64_t> seed) {
  Score sum;
  for (const auto& trial : trials) {
    if (seed && trial.seed != *seed) continue;
    const auto right = compare(trial.seen, trial.asked);
    ++sum.clips;
    sum.shape += right.shape ? 1 : 0;
    sum.colour += right.colour ? 1 : 0;
    sum.direction += right.direction ? 1 : 0;
    sum.background += right.background ? 1 : 0;
    sum.all += right.all() ? 1 : 0;
  }
  return sum;
}

std::string table(const std::vector<Trial>& trials) {
  std::string out = "| seed | clips | shape | colour | direction | background | all |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  std::vector<std::uint64_t> seeds;
  for (const auto& trial : trials)
    if (std::find(seeds.begin(), seeds.end(), trial.seed) == seeds.end()) seeds.push_back(trial.seed);
  for (const auto seed : seeds) out += row(std::to_string(seed), score(trials, seed));
  return out + row("all", score(trials));
}

Clip clip_of(const std::vector<models::RgbPicture>& frames) {
  Clip clip;
  clip.frames = static_cast<int>(frames.size());
  if (frames.empty()) return clip;
  clip.height = static_cast<int>(frames.front().height);
  clip.width = static_cast<int>(frames.front().width);
  for (const auto& frame : frames) clip.pixels.insert(clip.pixels.end(), frame.pixels.begin(), frame.pixels.end());
  return clip;
}

Clip read_clip_file(const std::filesystem::path& path) {
  media::VideoReader reader = take(media::VideoReader::open(path.string()));
  media::RgbConverter converter;
  Clip clip;
  while (clip.frames < kMostFrames) {
    const auto frame = take(reader.next());
    if (!frame) break;
    clip.height = frame->height();
    clip.width = frame->width();
    ++clip.frames;
    clip.pixels.resize(static_cast<std::size_t>(3) * clip.frames * clip.height * clip.width);
    take(converter.to_rgb(*frame, view(clip, clip.frames - 1)));
  }
  return clip;
}

void write_contact_sheet(const std::filesystem::path& path, const std::vector<Clip>& clips) {
  if (clips.empty()) throw Failure("a contact sheet needs a clip");
  const int side_x = clips.front().width + kGap, side_y = clips.front().height + kGap;
  Clip sheet{.frames = 1, .height = static_cast<int>(clips.size()) * side_y - kGap, .width = kShownFrames * side_x - kGap, .pixels = {}};
  sheet.pixels.assign(static_cast<std::size_t>(3) * sheet.height * sheet.width, 255);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const Clip& clip = clips[i];
    if (clip.width + kGap != side_x || clip.height + kGap != side_y || clip.frames < 1) throw Failure("the clips have several sizes");
    for (int shown = 0; shown < kShownFrames; ++shown) {
      const int frame = shown * (clip.frames - 1) / (kShownFrames - 1);
      for (int y = 0; y < clip.height; ++y)
        std::copy_n(clip.at(frame, y, 0), 3 * clip.width, sheet.at(0, static_cast<int>(i) * side_y + y, shown * side_x));
    }
  }
  media::RgbConverter converter;
  const auto type = path.extension() == ".png" ? media::ImageType::png : media::ImageType::jpeg;
  const auto frame = take(converter.to_frame(view(sheet, 0), media::PixelFormat::yuv420p, {}));
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  take(media::write_image(path.string(), frame, type));
}

}  // namespace kinora::train

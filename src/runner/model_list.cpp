#include "runner/model_list.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/hub_folder.hpp"
#include "base/printable.hpp"
#include "models/check_model.hpp"
#include "models/loose_model.hpp"
#include "models/single_file/video_model.hpp"
#include "nn/json_config.hpp"
#include "nn/load_error.hpp"
#include "runner/weight_file.hpp"
#include "tasks/model_id.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxShownBytes = 4096;  // of a refusal

bool is_weight_file(const fs::path& path) {
  constexpr std::array<std::string_view, 5> kEndings{".safetensors", ".ckpt", ".pth", ".pkl", ".gguf"};
  return std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end() && fs::is_regular_file(path);
}

class Lister {
 public:
  explicit Lister(const std::vector<fs::path>& folders) {
    std::error_code error;
    for (const auto& folder : folders) roots_.push_back(fs::canonical(folder, error));
  }

  void folder(const fs::path& folder, std::size_t number) {
    number_ = number;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with('.')) continue;
      if (is_weight_file(entry.path())) later_.push_back({entry.path().stem().string(), entry.path(), number_, folder});
      if (!entry.is_directory(error) || is_listed_anyway(entry.path())) continue;
      const auto snapshot = base::find_hub_snapshot(entry.path());
      sub_folder(snapshot ? snapshot->id : name, snapshot ? snapshot->path : entry.path(), snapshot.has_value());
    }
  }

  ModelList finish() {
    std::ranges::sort(later_, {}, [](const Later& one) { return std::tie(one.id, one.path); });
    for (const Later& one : later_) {
      number_ = one.folder;
      refusing(one.shown(), one.holder, [&] { fs::is_directory(one.path) ? add(with_motion(one.id, one.path)) : loose(one); });
    }
    videos();
    for (ModelEntry& model : list_.models)
      if (checker_ && model.pipeline && !model.pipeline->safety_checker) {
        model.parts.safety_checker = checker_;
        model.pipeline->safety_checker = true;
      }
    // Both in one pass, where there is a network for each.
    const auto serves = [](std::string_view task) { return [task](const ModelEntry& model) { return model.serves(task); }; };
    if (std::ranges::any_of(list_.models, serves("frame-interpolation")))
      for (ModelEntry& model : list_.models)
        if (model.serves("video-upscale")) model.tasks.emplace_back("video-enhance");
    std::sort(list_.models.begin(), list_.models.end(), [](const ModelEntry& a, const ModelEntry& b) { return a.id < b.id; });
    std::sort(list_.adapters.begin(), list_.adapters.end(), [](const AdapterEntry& a, const AdapterEntry& b) { return a.id < b.id; });
    // Of a model that is refused twice, as one of whose experts a part is missing, the first reason is the cause.
    std::ranges::stable_sort(list_.refusals, {}, &Refusal::id);
    const auto again = std::ranges::unique(list_.refusals, {}, &Refusal::id);
    list_.refusals.erase(again.begin(), again.end());
    return std::move(list_);
  }

 private:
  // A file of weights, or the folder of a motion adapter, to be looked at once all folders are known: what it needs may lie in any.
  struct Later {
    std::string id;
    fs::path path;
    std::size_t folder = 0;
    fs::path holder;     // the folder or repository that it lies in
    bool alone = false;  // the only file there
    std::string folder_id() const { return id.substr(0, id.rfind('/')); }
    std::string shown() const { return alone ? folder_id() : id; }
  };

  // Its content is seen without it: it is one of the folders that are listed, or a link to the folder that holds it, or to one above those.
  bool is_listed_anyway(const fs::path& folder) const {
    std::error_code error;
    const auto target = fs::canonical(folder, error), holder = fs::canonical(folder.parent_path(), error);
    const auto is_above = [&](const fs::path& place) { return std::ranges::mismatch(target, place).in1 == target.end(); };
    return is_above(holder) || std::ranges::any_of(roots_, is_above);
  }

  void sub_folder(const std::string& id, const fs::path& path, bool from_hub) {
    std::error_code error;
    if (fs::exists(path / "model_index.json", error)) return refusing(id, path, [&] { add(pipeline_entry(id, path)); });
    if (fs::exists(path / "config.json", error) && !is_of_wans_authors(path))
      return refusing(id, path, [&] { described(id, path, from_hub); });
    std::vector<fs::path> files;
    gather(path, 3, files);
    for (const auto& file : files) {
      const auto name = file.filename().string();
      const bool unnamed = name == "flownet.pkl" || name.starts_with("diffusion_pytorch_model.");
      later_.push_back({id + "/" + file.stem().string(), file, number_, path, files.size() == 1 || unnamed});
    }
    if (files.empty() && from_hub) list_.refusals.push_back({id, "holds no model_index.json, so it is no pipeline that can be run"});
  }

  // A transformer in their layout, of a repository that holds the other networks beside it or above.
  static bool is_of_wans_authors(const fs::path& folder) {
    try {
      return nn::JsonConfig::read(folder / "config.json").text("_class_name", "") == "WanModel";
    } catch (const nn::LoadError&) {
      return false;
    }
  }

  // The weight files below a folder, of shards their index: repositories for ComfyUI sort files into folders, those of Wan's authors have
  // one for each expert. A folder with a description is a component's.
  void gather(const fs::path& folder, int depth, std::vector<fs::path>& files) const {
    std::error_code error;
    std::vector<fs::path> own;
    std::string shards;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with('.')) continue;
      if (name.ends_with(".safetensors.index.json")) {
        shards = shard_stem(entry.path()) + "-";
        files.push_back(entry.path());
      } else if (is_weight_file(entry.path())) {
        own.push_back(entry.path());
      } else if (depth > 1 && entry.is_directory(error) && !is_listed_anyway(entry.path()) &&
                 (!fs::exists(entry.path() / "config.json", error) || is_of_wans_authors(entry.path()))) {
        gather(entry.path(), depth - 1, files);
      }
    }
    std::ranges::copy_if(own, std::back_inserter(files),
                         [&](const fs::path& file) { return shards.empty() || !file.filename().string().starts_with(shards); });
  }

  // A folder with a config.json: an upscaler of ours; AnimateDiff's motion adapters and the safety checker are published alone.
  void described(const std::string& id, const fs::path& path, bool from_hub) {
    const auto config = nn::JsonConfig::read(path / "config.json");
    const auto names = config.texts("architectures", {});
    if (config.text("_class_name", "") == "MotionAdapter") {
      later_.push_back({id, path, number_, path});
    } else if (std::find(names.begin(), names.end(), "StableDiffusionSafetyChecker") != names.end()) {
      if (!checker_ && fs::exists(path / "preprocessor_config.json")) checker_ = path;
    } else if (from_hub) {
      list_.refusals.push_back({id, "is one part of a model, none that is used alone"});
    } else {
      add(network_entry(nn::read_model_folder(path), false));
    }
  }

  void loose(const Later& file) {
    const auto id = file.shown();
    std::vector<models::single_file::VideoPart> parts;
    const auto kind = tell_weight_file(file.path, parts);
    if (!parts.empty()) parts_.push_back({.path = file.path, .parts = std::move(parts)});
    switch (kind) {
      case WeightFile::whole_model: return add(single_file(id, file.path));
      case WeightFile::video_model:
        videos_.push_back({.id = id, .folder = number_, .holder = file.holder, .candidate = parts_.size() - 1});
        return;                             // videos()
      case WeightFile::video_part: return;  // no model of its own
      case WeightFile::sdxl_unet: return refusing(file.id, file.holder, [&] { add(with_unet(file.id, file.path)); });
      case WeightFile::adapter:
        return add(AdapterEntry{.id = file.path.stem() == "pytorch_lora_weights" ? file.folder_id() : id,
                                .path = file.path,
                                .license = license_of(file.path.parent_path()),
                                .bytes = fs::file_size(file.path)});
      case WeightFile::other: return add(network_entry(models::describe_loose_model(file.path, id), true));
    }
  }

  // The files of video transformers, each with what completes it from any folder; parts of diffusers folders count after files.
  void videos() {
    if (videos_.empty()) return;
    for (const ModelEntry& model : list_.models) {
      if (!model.pipeline || (model.pipeline->family != "wan" && model.pipeline->family != "ltx")) continue;
      for (const char* component : {"vae", "text_encoder", "image_encoder"}) {
        const auto folder = model.path / component;
        if (!component_weights(folder).empty())
          parts_.push_back({.path = folder, .parts = models::single_file::video_parts(folder, nn::open_checkpoint(folder))});
      }
    }
    for (const Video& one : videos_) {
      number_ = one.folder;
      refusing(one.id, one.holder, [&] { add(video(one.id, parts_[one.candidate])); });
    }
  }

  // A diffusers folder of the family that others are built over: the published one of that id, else the first.
  const ModelEntry* base_of(std::string_view family, std::string_view published) const {
    const ModelEntry* base = nullptr;
    for (const ModelEntry& other : list_.models)
      if (other.pipeline && other.pipeline->family == family && fs::is_directory(other.path) && !other.parts.unet &&
          !other.parts.motion_adapter && (base == nullptr || other.id == published))
        base = &other;
    return base;
  }

  ModelEntry with_motion(const std::string& id, const fs::path& adapter) const {
    constexpr std::string_view kBase = "stable-diffusion-v1-5/stable-diffusion-v1-5";
    const auto* base = base_of("sd", kBase);
    if (base == nullptr) throw nn::LoadError(adapter.string(), "", "is a motion adapter; pull " + std::string(kBase) + " for the rest");
    auto entry = pipeline_entry(id, base->path, {.motion_adapter = adapter});
    const auto bytes = weights_bytes(adapter);
    entry.bytes += bytes;
    entry.largest_part += bytes;  // it is a part of the UNet
    return entry;
  }

  ModelEntry with_unet(const std::string& id, const fs::path& file) const {
    constexpr std::string_view kBase = "stabilityai/stable-diffusion-xl-base-1.0";
    const auto* base = base_of("sdxl", kBase);
    if (base == nullptr) throw nn::LoadError(file.string(), "", "is a UNet for SDXL; pull " + std::string(kBase) + " for the rest");
    return pipeline_entry(id, base->path, {.unet = file});
  }

  ModelEntry single_file(const std::string& id, const fs::path& path) const {
    auto entry = with_tokenizers(single_file_entry(id, path), std::nullopt);
    models::check_pipeline(path, entry.parts);
    return entry;
  }

  ModelEntry video(const std::string& id, const models::single_file::Candidate& file) const {
    auto entry = single_file_entry(id, file.path, models::single_file::choose_companions(file, parts_));
    std::optional<std::int64_t> words;  // of the text encoder, where no tokenizer lies in its file
    for (const auto& one : parts_)
      for (const auto& part : one.parts)
        if (is_part(entry, one.path) && is_text_encoder(part) && !part.sentencepiece)
          words = part.config.integer("vocab_size", 0, 0, 1 << 20);
    if (words) entry = with_tokenizers(std::move(entry), words);
    models::check_pipeline(file.path, entry.parts);
    return entry;
  }
  static bool is_part(const ModelEntry& entry, const fs::path& path) {
    const auto& all = entry.parts.companions;
    return path == entry.path || std::find(all.begin(), all.end(), path) != all.end();
  }
  static bool is_text_encoder(const models::single_file::VideoPart& part) {
    return part.kind == models::single_file::PartKind::t5 || part.kind == models::single_file::PartKind::umt5;
  }

  // Few files hold a tokenizer; where none lies beside the file, that of another model of its family does, for they are all the same.
  // words: that a text encoder of a video model knows, which must be those of the other's.
  ModelEntry with_tokenizers(ModelEntry entry, std::optional<std::int64_t> words) const {
    const auto family = tokenizer_family(*entry.pipeline);
    std::error_code error;
    const fs::path needed = entry.pipeline->family == "sdxl-refiner" ? "tokenizer_2" : "tokenizer";
    const fs::path folder = entry.path.parent_path();
    if (family == "svd" || fs::is_directory(folder / needed, error)) return entry;
    for (const auto& of_authors : {folder / "google/umt5-xxl", folder.parent_path() / "google/umt5-xxl"})
      if (family == "wan" && fs::is_directory(of_authors, error)) {
        entry.parts.tokenizers = of_authors;
        return entry;
      }
    for (const ModelEntry& other : list_.models) {
      if (!other.pipeline || tokenizer_family(*other.pipeline) != family || !fs::is_directory(other.path / needed, error)) continue;
      const auto config = other.path / "text_encoder/config.json";
      if (words && nn::JsonConfig::read(config).integer("vocab_size", 0, 0, 1 << 20) != *words) continue;
      entry.parts.tokenizers = other.path;
      return entry;
    }
    const std::string_view pull = family == "sdxl"  ? "SDXL (stabilityai/stable-diffusion-xl-base-1.0)"
                                  : family == "wan" ? "Wan (Wan-AI/Wan2.1-T2V-1.3B-Diffusers)"
                                  : family == "ltx" ? "LTX-Video (Lightricks/LTX-Video)"
                                                    : "Stable Diffusion";
    throw nn::LoadError(entry.path.string(), needed.string(),
                        "is in no file; lay the folder beside it, or pull a folder of " + std::string(pull));
  }
  static std::string_view tokenizer_family(const models::PipelineInfo& info) {
    return info.family.starts_with("sdxl") ? "sdxl" : info.family == "animatediff" ? "sd" : std::string_view(info.family);
  }

  struct Video {
    std::string id;
    std::size_t folder = 0;
    fs::path holder;
    std::size_t candidate = 0;  // of parts_
  };

  // Files are told as they lie in `holder`, the model's own folder.
  template <class Work>
  void refusing(const std::string& id, const fs::path& holder, const Work& work) {
    try {
      work();
    } catch (const nn::LoadError& refusal) {
      const std::string prefix = holder.string() + "/";
      std::string reason = refusal.what();
      for (std::size_t at = 0; (at = reason.find(prefix, at)) != std::string::npos;) reason.erase(at, prefix.size());
      list_.refusals.push_back({base::printable(id, kMaxShownBytes), base::printable(reason, kMaxShownBytes)});
    }
  }
  void add(ModelEntry entry) {
    if (!tasks::is_model_id(entry.id))
      throw nn::LoadError(entry.path.string(), "",
                          "cannot be asked for by this name: rename it to ASCII without blanks, quotes, '\\' and '@'");
    add_to(list_.models, std::move(entry));
  }
  void add(AdapterEntry entry) {
    if (base::printable(entry.id, entry.id.size()) != entry.id)
      throw nn::LoadError(entry.path.string(), "", "has a name that is no text; rename it");
    add_to(list_.adapters, std::move(entry));
  }
  template <class Entry>
  void add_to(std::vector<Entry>& all, Entry entry) {
    entry.folder = number_;
    const auto same = std::find_if(all.begin(), all.end(), [&](const Entry& other) { return other.id == entry.id; });
    if (same == all.end())
      all.push_back(std::move(entry));
    else if (same->folder > number_)
      *same = std::move(entry);
  }

  ModelList list_;
  std::vector<fs::path> roots_;  // all the folders, links resolved
  std::size_t number_ = 0;       // of the folder that is looked at
  std::vector<Later> later_;
  std::vector<models::single_file::Candidate> parts_;  // of video models
  std::vector<Video> videos_;
  std::optional<fs::path> checker_;  // CompVis/stable-diffusion-safety-checker, for models without one
};

}  // namespace

ModelList list_models(const std::vector<fs::path>& folders) {
  Lister lister(folders);
  for (std::size_t i = 0; i < folders.size(); ++i) lister.folder(folders[i], i);
  return lister.finish();
}

}  // namespace kinora::runner

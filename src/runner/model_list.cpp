#include "runner/model_list.hpp"

#include <algorithm>
#include <array>

#include "base/hub_folder.hpp"
#include "models/check_model.hpp"
#include "models/loose_model.hpp"
#include "models/single_file/video_model.hpp"
#include "nn/json_config.hpp"
#include "nn/load_error.hpp"
#include "runner/weight_file.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;

bool is_weight_file(const fs::path& path) {
  constexpr std::array<std::string_view, 5> kEndings{".safetensors", ".ckpt", ".pth", ".pkl", ".gguf"};
  return std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end() && fs::is_regular_file(path);
}

class Lister {
 public:
  void folder(const fs::path& folder, std::size_t number) {
    number_ = number;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const auto name = entry.path().filename().string();
      if (name.starts_with('.')) continue;
      if (is_weight_file(entry.path())) later_.push_back({entry.path().stem().string(), entry.path(), number_});
      if (!entry.is_directory(error)) continue;
      const auto snapshot = base::find_hub_snapshot(entry.path());
      sub_folder(snapshot ? snapshot->id : name, snapshot ? snapshot->path : entry.path(), snapshot.has_value());
    }
  }

  ModelList finish() {
    std::sort(later_.begin(), later_.end(), [](const Later& a, const Later& b) { return a.id < b.id; });
    for (const Later& one : later_) {
      number_ = one.folder;
      refusing(one.id, [&] { fs::is_directory(one.path) ? add(with_motion(one.id, one.path)) : loose(one); });
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
    std::sort(list_.refusals.begin(), list_.refusals.end(), [](const Refusal& a, const Refusal& b) { return a.id < b.id; });
    return std::move(list_);
  }

 private:
  // A file of weights, or the folder of a motion adapter, to be looked at once all folders are known: what it needs may lie in any.
  struct Later {
    std::string id;
    fs::path path;
    std::size_t folder = 0;
    bool alone = false;  // the only file of its folder
  };

  void sub_folder(const std::string& id, const fs::path& path, bool from_hub) {
    std::error_code error;
    if (fs::exists(path / "model_index.json", error)) return refusing(id, [&] { add(pipeline_entry(id, path)); });
    if (fs::exists(path / "config.json", error) && !is_of_wans_authors(path)) return refusing(id, [&] { described(id, path, from_hub); });
    std::vector<fs::path> files;
    gather(path, 3, files);
    for (const auto& file : files) {
      const auto name = file.filename().string();
      const bool unnamed = name == "flownet.pkl" || name.starts_with("diffusion_pytorch_model.");
      later_.push_back({id + "/" + file.stem().string(), file, number_, files.size() == 1 || unnamed});
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
  static void gather(const fs::path& folder, int depth, std::vector<fs::path>& files) {
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
      } else if (depth > 1 && entry.is_directory(error) &&
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
      later_.push_back({id, path, number_});
    } else if (std::find(names.begin(), names.end(), "StableDiffusionSafetyChecker") != names.end()) {
      if (!checker_ && fs::exists(path / "preprocessor_config.json")) checker_ = path;
    } else if (from_hub) {
      list_.refusals.push_back({id, "is one part of a model, none that is used alone"});
    } else {
      add(network_entry(nn::read_model_folder(path), false));
    }
  }

  void loose(const Later& file) {
    const std::string folder = file.id.substr(0, file.id.rfind('/'));
    const auto& id = file.alone ? folder : file.id;
    std::vector<models::single_file::VideoPart> parts;
    const auto kind = tell_weight_file(file.path, parts);
    if (!parts.empty()) parts_.push_back({.path = file.path, .parts = std::move(parts)});
    switch (kind) {
      case WeightFile::whole_model: return add(single_file(id, file.path));
      case WeightFile::video_model: videos_.push_back({.id = id, .folder = number_, .candidate = parts_.size() - 1}); return;  // videos()
      case WeightFile::video_part: return;  // no model of its own
      case WeightFile::sdxl_unet: return add(with_unet(file.id, file.path));
      case WeightFile::adapter:
        return add(AdapterEntry{.id = file.path.stem() == "pytorch_lora_weights" ? folder : id,
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
      refusing(one.id, [&] { add(video(one.id, parts_[one.candidate])); });
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
    std::size_t folder = 0, candidate = 0;  // of parts_
  };

  template <class Work>
  void refusing(const std::string& id, const Work& work) {
    try {
      work();
    } catch (const nn::LoadError& refusal) {
      list_.refusals.push_back({id, refusal.what()});
    }
  }
  void add(ModelEntry entry) { add_to(list_.models, std::move(entry)); }
  void add(AdapterEntry entry) { add_to(list_.adapters, std::move(entry)); }
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
  std::size_t number_ = 0;  // of the folder that is looked at
  std::vector<Later> later_;
  std::vector<models::single_file::Candidate> parts_;  // of video models
  std::vector<Video> videos_;
  std::optional<fs::path> checker_;  // CompVis/stable-diffusion-safety-checker, for models without one
};

}  // namespace

ModelList list_models(const std::vector<fs::path>& folders) {
  Lister lister;
  for (std::size_t i = 0; i < folders.size(); ++i) lister.folder(folders[i], i);
  return lister.finish();
}

}  // namespace kinora::runner

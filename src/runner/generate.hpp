#pragma once
// Tasks that make pictures and videos from prompts: parameters of the catalogue -> models::GenerationRequest -> files.
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "models/pipeline.hpp"
#include "runner/task_request.hpp"

namespace kinora::runner {

// The request as the pipelines take it. seed: the one to use when the task names none. Reads the input pictures. invalid, unsupported,
// too_large: an input that is no usable picture.
base::Result<models::GenerationRequest> to_generation(const TaskRequest& request, std::uint64_t seed, const media::Limits& limits);

// How many frames a parameter `duration_s` asks for: the nearest number that the model makes, 1 + n k, or any, at the request's frames a
// second. nullopt: the task names no duration. invalid: longer than the model makes.
base::Result<std::optional<std::int64_t>> frames_of_duration(const TaskRequest& request, const models::PipelineInfo& info,
                                                             const models::GenerationRequest& wanted);

// The adapters that the task names. find: the file of an id; nullopt when there is none (not_found, naming it).
using FindAdapter = std::function<std::optional<std::filesystem::path>(const std::string& id)>;
base::Result<std::vector<models::AdapterChoice>> chosen_adapters(const TaskRequest& request, const FindAdapter& find);

struct GeneratedFile {
  std::string slot, name, mime;  // name relative to the task's output folder
};
struct Generated {
  std::vector<GeneratedFile> files;
  std::vector<std::uint64_t> seeds;
  std::int64_t width = 0, height = 0, frames = 0;  // frames: of a video, else the number of pictures
  std::int64_t fps = 0;
};

// Writes what a pipeline made: pictures/0.png ..., or video.mp4 whose comment is `recipe`. io, exhausted.
base::Result<Generated> write_pictures(const models::GenerationResult& result, const TaskRequest& request);
base::Result<Generated> write_video(const models::GenerationResult& result, const TaskRequest& request, const std::string& recipe);

// A preview as it travels in progress events: JPEG, longest side at most kPreviewSide, base64.
inline constexpr std::int64_t kPreviewSide = 256;
base::Result<std::string> encode_preview(const models::RgbPicture& picture, const std::filesystem::path& folder);

}  // namespace kinora::runner

#pragma once
// Whole Wan and LTX-Video models put together from files: the one with the transformer, and those that hold what it lacks. Errors:
// nn::LoadError.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/single_file/video_parts.hpp"

namespace kinora::models::single_file {

struct VideoModel {
  nlohmann::json index;                              // model_index.json
  std::map<std::string, nn::Checkpoint> components;  // "transformer", "transformer_2", "vae", "text_encoder", "image_encoder"
  std::map<std::string, nn::JsonConfig> configs;     // of these, of "scheduler" and "image_processor"
  std::optional<nn::StoredTensor> sentencepiece{};   // the bytes of the tokenizer's spiece.model, where a file holds them
};

bool is_video_transformer(PartKind kind);
// Of Wan 2.2 A14B the names of the files, or of their folders, tell which expert it is: "high_noise" works first, "low_noise" second.
bool is_second_expert(const std::filesystem::path& file);
bool is_first_of_two(const std::filesystem::path& file);

// parts: of the file at `path`, one of them a transformer. A part that is in two of the files, or in none, is refused by name.
VideoModel gather_video_model(const std::filesystem::path& path, std::vector<VideoPart> parts,
                              const std::vector<std::filesystem::path>& companions);

// A file or component's folder that may complete models.
struct Candidate {
  std::filesystem::path path;
  std::vector<VideoPart> parts;
};
// The candidates that complete the transformer at `path`: VAE and text encoder of its sizes, the second expert by its name, a picture
// encoder if it takes one. Of several those beside it or its folder come first, then in the order given; of several second experts none is
// guessed.
std::vector<std::filesystem::path> choose_companions(const Candidate& model, const std::vector<Candidate>& candidates);

}  // namespace kinora::models::single_file

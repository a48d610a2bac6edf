// Text and picture encoders and tokenizers against transformers: forward passes with random weights in the published sizes (large models
// with fewer layers), same threads and number format; tokenizers on the strings of the golden cases, text by text. Everything in one run.
// The peer runs when KINORA_PEER_PYTHON names a Python that has transformers.
//   text_bench [THREADS [NAME_PART]]     default: all cores, everything
#include <ATen/ops/empty.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "models/clip/clip_text.hpp"
#include "models/clip/clip_vision.hpp"
#include "models/t5/t5_encoder.hpp"
#include "nn/device.hpp"
#include "nn/pixels/pillow_resize.hpp"
#include "nn/tokenizers/clip_tokenizer.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

namespace {

using namespace kinora;
constexpr int kRuns = 6, kRounds = 3;

double best_ms(int runs, const std::function<void()>& act) {
  act();
  double best = 1e12;
  for (int run = 0; run < runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    act();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

// A network with random weights: its own list of weights is asked for first.
template <typename Model, typename Config>
Model random_model(const Config& config, at::ScalarType dtype) {
  auto dry = nn::WeightLoad::shapes_only();
  const Model empty(config, dry.root());
  nn::TensorMap weights;
  for (const auto& [name, weight] : dry.finish()) weights.emplace(name, at::empty(weight.sizes(), dtype).uniform_(-0.03, 0.03));
  nn::WeightLoad load(weights, {}, "random");
  Model model(config, load.root());
  load.finish();
  return model;
}

nn::JsonConfig read_config(const char* name) {
  std::ifstream in(KINORA_SOURCE_DIR "/bench/models/text_configs.json");
  return {nlohmann::json::parse(in).at(name), name};
}

std::vector<std::string> golden_strings(const std::string& test) {
  std::ifstream in(KINORA_SOURCE_DIR "/tests/golden/" + test + "/strings.json");
  std::vector<std::string> texts;
  const auto document = nlohmann::json::parse(in);
  for (const auto& entry : document.at("strings")) texts.push_back(entry.at("text").get<std::string>());
  return texts;
}

using Times = std::map<std::string, double>;

Times own_times(const std::string& part) {
  const c10::InferenceMode inference;
  Times times;
  const auto wanted = [&](const std::string& name) { return name.find(part) != std::string::npos; };
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const std::string suffix = dtype == at::kFloat ? "-float32" : "-bfloat16";
    for (const char* name : {"clip-l-text", "clip-bigg-text"}) {
      if (!wanted(name + suffix)) continue;
      const auto config = models::clip::TextConfig::read(read_config(name));
      const auto model = random_model<models::clip::TextModel>(config, dtype);
      const auto ids = at::randint(0, config.vocab_size - 1, {2, 77}, at::kLong);
      times[name + suffix] = best_ms(kRuns, [&] { model.final_norm(model.hidden_states(ids, model.layers()).back()); });
    }
    if (wanted("clip-h-vision" + suffix)) {
      const auto config = models::clip::VisionConfig::read(read_config("clip-h-vision"));
      const auto model = random_model<models::clip::VisionModel>(config, dtype);
      const auto pixels = at::randn({1, 3, config.image_size, config.image_size}).to(dtype);
      times["clip-h-vision" + suffix] =
          best_ms(kRuns, [&] { model.projected(model.pooled(model.hidden_states(pixels, model.layers()).back())); });
    }
    if (wanted("umt5-xxl" + suffix)) {
      const auto config = models::t5::Config::read(read_config("umt5-xxl"));
      const auto model = random_model<models::t5::Encoder>(config, dtype);
      const auto ids = at::randint(0, config.vocab_size - 1, {1, 128}, at::kLong);
      times["umt5-xxl" + suffix] = best_ms(kRuns, [&] { model.forward(ids, at::ones_like(ids)); });
    }
  }
  if (!wanted("tokens") && !wanted("lanczos")) return times;
  const auto clip = nn::ClipTokenizer::open(KINORA_SOURCE_DIR "/tests/golden/tok_clip_l/tokenizer");
  const auto unigram = nn::UnigramTokenizer::open(KINORA_SOURCE_DIR "/tests/golden/tok_umt5/tokenizer");
  const auto clip_texts = golden_strings("tok_clip_l"), unigram_texts = golden_strings("tok_umt5");
  times["tokens-clip"] = best_ms(kRuns, [&] {
    for (const auto& text : clip_texts) clip.encode_row(text, 77);
  });
  times["tokens-umt5"] = best_ms(kRuns, [&] {
    for (const auto& text : unigram_texts) unigram.encode_row(text, 512);
  });
  const auto picture = at::randint(0, 256, {1080, 1920, 3}, at::kByte);
  times["lanczos-1080p-to-576p"] = best_ms(kRuns, [&] { nn::pillow_resize(picture, 576, 1024, nn::Filter::lanczos); });
  return times;
}

Times peer_times(int threads, const std::string& part) {
  Times times;
  const char* python = std::getenv("KINORA_PEER_PYTHON");
  if (python == nullptr) return times;
  const auto command =
      std::string(python) + " " KINORA_SOURCE_DIR "/bench/models/text_peer.py " + std::to_string(threads) + " '" + part + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 200> line{};
  char name[100];
  for (double ms = 0; pipe != nullptr && std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr;)
    if (std::sscanf(line.data(), "%99s %lf", name, &ms) == 2) times[name] = ms;
  if (pipe != nullptr) ::pclose(pipe);
  return times;
}

void keep_best(Times& best, const Times& times) {
  for (const auto& [name, ms] : times) {
    const auto [known, fresh] = best.try_emplace(name, ms);
    if (!fresh) known->second = std::min(known->second, ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 0;
  nn::set_threads(threads);
  std::printf("%s\n%-28s %10s %10s %8s\n", nn::describe_devices().c_str(), "", "ours, ms", "peer, ms", "speed");
  const std::string part = argc > 2 ? argv[2] : "";
  Times ours, peer;
  for (int round = 0; round < kRounds; ++round) {  // in turns, so that other work on the machine meets both
    keep_best(ours, own_times(part));
    keep_best(peer, peer_times(threads, part));
  }
  for (const auto& [name, ms] : ours) {
    const auto other = peer.find(name);
    std::printf("%-28s %10.2f", name.c_str(), ms);
    if (other != peer.end()) std::printf(" %10.2f %7.2fx", other->second, other->second / ms);
    std::printf("\n");
  }
}

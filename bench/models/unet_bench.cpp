// Seconds of one forward of the generative networks with random weights, against the same network in diffusers (eager) with the same
// threads, number format, layout and sizes, in the same run. The peer runs when KINORA_PEER_PYTHON names a Python that has diffusers.
//   unet_bench [THREADS [CASE...]]     default: all cores, all cases of networks.json
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/animatediff/unet.hpp"
#include "models/loaded.hpp"
#include "models/ltx/transformer.hpp"
#include "models/ltx/vae.hpp"
#include "models/stable_diffusion/unet.hpp"
#include "models/stable_diffusion/vae.hpp"
#include "models/svd/unet.hpp"
#include "models/svd/vae.hpp"
#include "models/wan/transformer.hpp"
#include "models/wan/vae.hpp"
#include "nn/device.hpp"

namespace {

using namespace kinora;
using namespace kinora::models;
using Forward = std::function<at::Tensor()>;

at::Tensor random(const std::vector<std::int64_t>& shape, at::ScalarType dtype) { return at::randn(shape).to(dtype); }

// Weights of the shapes that the architecture asks for; cheap to make, for there are billions of them.
template <typename Network, typename Config>
std::shared_ptr<const Network> build(const Config& config, at::ScalarType dtype) {
  auto shapes = nn::WeightLoad::shapes_only();
  {
    const Network without_memory(config, shapes.root());
  }
  const auto pattern = at::randn({65536}).mul(0.02).to(dtype);
  nn::TensorMap tensors;
  for (const auto& [name, weight] : shapes.finish()) {
    auto filled = at::empty(weight.sizes(), dtype);
    for (std::int64_t at = 0; at < filled.numel(); at += pattern.numel()) {
      const auto count = std::min(pattern.numel(), filled.numel() - at);
      filled.view(-1).narrow(0, at, count).copy_(pattern.narrow(0, 0, count));
    }
    tensors.emplace(name, std::move(filled));
  }
  return load_network<Network>(nn::make_checkpoint(tensors, "random"), config, {.channels_last = true}).model;
}

Forward conditioned(const nlohmann::json& net, const nn::JsonConfig& config, at::ScalarType dtype) {
  const auto shape = net.at("sample").get<std::vector<std::int64_t>>();
  const auto sample = random(shape, dtype);
  const auto context = random({shape[0], net.at("tokens"), config.integer("cross_attention_dim", 1024, 1, 1 << 16)}, dtype);
  const auto timestep = at::full({}, 500.0);
  if (net.at("network") == "svd") {
    const auto unet = build<svd::UNet>(svd::UNetConfig::read(config), dtype);
    return [=, ids = random({shape[0], 3}, dtype)] { return unet->forward(sample, timestep, context, ids); };
  }
  const auto unet_config = stable_diffusion::UNetConfig::read(config);
  stable_diffusion::Conditioning conditioning{.context = context};
  if (net.at("network") == "motion") {
    const auto motion = animatediff::MotionConfig::read({net.at("motion"), "networks.json"});
    const auto unet = build<animatediff::UNet>(animatediff::UNetMotionConfig::join(unet_config, motion, "networks.json"), dtype);
    return [=] { return unet->forward(sample, timestep, conditioning); };
  }
  if (unet_config.text_time) {
    conditioning.pooled_text = random({shape[0], unet_config.added_width - 6 * unet_config.size_width}, dtype);
    conditioning.size_ids = random({shape[0], 6}, dtype);
  }
  const auto unet = build<stable_diffusion::UNet>(unet_config, dtype);
  return [=] { return unet->forward(sample, timestep, conditioning); };
}

// The transformers of videos. The prompt's keys and values are computed anew in each forward, as the peer does.
Forward video_transformer(const nlohmann::json& net, const nn::JsonConfig& config, at::ScalarType dtype) {
  const auto shape = net.at("sample").get<std::vector<std::int64_t>>();
  const auto sample = random(shape, dtype);
  const std::int64_t tokens = net.at("tokens");
  if (net.at("network") == "wan") {
    const auto model = build<wan::Transformer>(wan::TransformerConfig::read(config), dtype);
    return [=, text = random({shape[0], tokens, model->config().text_width}, dtype)] {
      return model->forward(sample, at::full({1}, 500), model->context(text));
    };
  }
  const auto model = build<ltx::Transformer>(ltx::TransformerConfig::read(config), dtype);
  const auto table = ltx::rotary_table({.count = net.at("grid"), .scale = {0.32, 32, 32}}, model->config().width(), c10::kCPU);
  return [=, text = random({shape[0], tokens, model->config().caption_width}, dtype)] {
    return model->forward(sample, at::full({shape[0]}, 500.0), model->context(text, at::full({shape[0], tokens}, 1)), table);
  };
}

Forward forward_of(const nlohmann::json& net) {
  const nn::JsonConfig config(net.at("config"), "networks.json");
  const auto dtype = net.at("dtype") == "float32" ? at::kFloat : at::kBFloat16;
  if (net.at("network") == "wan" || net.at("network") == "ltx") return video_transformer(net, config, dtype);
  if (net.at("network") == "wan-vae" || net.at("network") == "ltx-vae") {
    const auto sample = random(net.at("sample").get<std::vector<std::int64_t>>(), dtype);
    if (net.at("network") == "ltx-vae") {
      const auto vae = build<ltx::Vae>(ltx::VaeConfig::read(config), dtype);
      if (net.at("decode")) return [=] { return vae->decode(sample, {}); };
      return [=] { return vae->encode(sample).mean; };
    }
    const auto vae = build<wan::Vae>(wan::VaeConfig::read(config), dtype);
    if (net.at("decode")) return [=] { return vae->decode(sample); };
    return [=] { return vae->encode(sample).mean; };
  }
  if (net.at("network") != "vae" && net.at("network") != "svd-vae") return conditioned(net, config, dtype);
  const auto sample = random(net.at("sample").get<std::vector<std::int64_t>>(), dtype);
  const auto vae_config = stable_diffusion::VaeConfig::read(config);
  if (net.at("network") == "svd-vae") {
    const auto vae = build<svd::TemporalVae>(vae_config, dtype);
    return [=] { return vae->decode(sample, 1); };
  }
  const auto vae = build<stable_diffusion::Vae>(vae_config, dtype);
  if (net.at("decode")) return [=] { return vae->decode(sample); };
  return [=] { return vae->encode(sample).mean; };
}

// The peer script, which runs a forward whenever it is asked to.
class Peer {
 public:
  explicit Peer(const std::string& name) {
    const char* python = std::getenv("KINORA_PEER_PYTHON");
    std::array<int, 2> to{}, from{};
    if (python == nullptr || ::pipe(to.data()) != 0 || ::pipe(from.data()) != 0) return;
    const std::string folder = KINORA_SOURCE_DIR "/bench/models/";
    const std::string script = folder + "unet_peer.py", networks = folder + "networks.json", threads = std::to_string(nn::threads());
    if (::fork() == 0) {
      ::dup2(to[0], STDIN_FILENO);
      ::dup2(from[1], STDOUT_FILENO);
      for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
      ::execlp(python, python, script.c_str(), networks.c_str(), name.c_str(), threads.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = ::fdopen(to[1], "w");
    from_ = ::fdopen(from[0], "r");
  }
  ~Peer() {
    if (to_ != nullptr) std::fclose(to_);
    if (from_ != nullptr) std::fclose(from_);
    ::wait(nullptr);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::optional<double> seconds() {
    if (to_ == nullptr) return std::nullopt;
    std::fputs("go\n", to_);
    std::fflush(to_);
    double seconds = 0;
    if (std::fscanf(from_, "%lf", &seconds) != 1) return std::nullopt;
    return seconds;
  }

 private:
  FILE *to_ = nullptr, *from_ = nullptr;
};

double seconds(const Forward& forward) {
  const auto start = std::chrono::steady_clock::now();
  forward();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Best of the rounds; both take turns, so that what else the machine does meets both.
void compare(const std::string& name, const nlohmann::json& net) {
  Peer peer(name);
  const auto forward = forward_of(net);
  double ours = 1e9, theirs = 1e9;
  for (int round = 0; round <= net.at("rounds"); ++round) {  // the first one warms up
    const double own = seconds(forward), other = peer.seconds().value_or(1e9);
    if (round == 0) continue;
    ours = std::min(ours, own);
    theirs = std::min(theirs, other);
  }
  std::printf("%-13s %-8s %-17s %7.3f s", name.c_str(), net.at("dtype").get<std::string>().c_str(), net.at("sample").dump().c_str(), ours);
  if (theirs < 1e9) std::printf("   diffusers %7.3f s   ratio %.2f", theirs, theirs / ours);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const c10::InferenceMode inference;
  nn::set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  std::printf("%s, %d threads\n", nn::describe_devices().c_str(), nn::threads());
  std::ifstream file(KINORA_SOURCE_DIR "/bench/models/networks.json");
  const auto networks = nlohmann::json::parse(file);
  std::vector<std::string> names(argv + std::min(argc, 2), argv + argc);
  if (names.empty())
    for (const auto& [name, net] : networks.items()) names.push_back(name);
  for (const auto& name : names) compare(name, networks.at(name));
}

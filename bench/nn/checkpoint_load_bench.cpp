// Loading a checkpoint from the page cache against reading the file: open, take every weight in its stored type and touch each of its
// pages, beside read(2) of the whole file into one buffer. Rounds take turns; ratio and memory of a load are printed. usage:
// checkpoint_load_bench [MiB, default 1024] [rounds, default 5]
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "nn/safetensors.hpp"
#include "nn/weights.hpp"

namespace {

using namespace kinora::nn;
using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

// "RssAnon:" of /proc/self/status, bytes: memory of its own, without pages that are the file's.
std::size_t own_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::strtoull(line.c_str() + 8, nullptr, 10) * 1024;
  return 0;
}

double read_whole(const std::filesystem::path& path, std::vector<char>& buffer) {
  const auto begin = Clock::now();
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::size_t position = 0;
  for (ssize_t got = 1; got > 0; position += static_cast<std::size_t>(got))
    got = ::read(file, buffer.data() + position, buffer.size() - position);
  ::close(file);
  return seconds(begin);
}

double load(const std::filesystem::path& path, int tensors, std::int64_t side, Parameters& kept) {
  const auto begin = Clock::now();
  WeightLoad load(open_checkpoint(path), {});
  for (int i = 0; i < tensors; ++i) (load.root() / "layers" / i).take("weight", {side, side});
  kept = load.finish();
  unsigned sum = 0;
  for (const auto& [name, tensor] : kept) {
    const auto* bytes = static_cast<const unsigned char*>(tensor.const_data_ptr());
    for (std::size_t at = 0; at < tensor.nbytes(); at += 4096) sum += bytes[at];
  }
  if (sum == 1) std::puts("");  // the sum is used
  return seconds(begin);
}

}  // namespace

int main(int argc, char** argv) {
  const int mib = argc > 1 ? std::atoi(argv[1]) : 1024, rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  constexpr std::int64_t kSide = 2048;  // 8 MiB in bfloat16
  const int tensors = std::max(mib / 8, 1);
  const auto path = std::filesystem::temp_directory_path() / ("checkpoint_load_bench_" + std::to_string(::getpid()) + ".safetensors");
  {
    TensorMap weights;
    const auto one = at::zeros({kSide, kSide}, at::kBFloat16);
    for (int i = 0; i < tensors; ++i) weights.emplace("layers." + std::to_string(i) + ".weight", one);
    write_safetensors(path, weights);
  }
  const auto bytes = std::filesystem::file_size(path);
  std::vector<char> buffer(bytes + 1);
  read_whole(path, buffer);  // the page cache and the buffer are warm
  double best_read = 1e9, best_load = 1e9;
  std::size_t own = 0;
  for (int i = 0; i < rounds; ++i) {
    best_read = std::min(best_read, read_whole(path, buffer));
    Parameters kept;
    const auto before = own_memory();
    best_load = std::min(best_load, load(path, tensors, kSide, kept));
    const auto after = own_memory();
    own = std::max(own, after > before ? after - before : 0);
  }
  std::filesystem::remove(path);
  const double gib = static_cast<double>(bytes) / (1 << 30);
  std::printf("%.2f GiB, %d tensors, best of %d\nread %.2f GiB/s\nload %.2f GiB/s\nratio %.2f\nmemory beside the file %.2f %%\n", gib,
              tensors, rounds, gib / best_read, gib / best_load, best_read / best_load,
              100.0 * static_cast<double>(own) / static_cast<double>(bytes));
}

// How fast jobs are accepted durably, and how fast a thousand jobs that do nothing pass through the engine:
// real SQLite on this disk, synchronous=FULL, a network that answers at once.
#include <benchmark/benchmark.h>

#include "base/log.hpp"
#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using testing::World;
namespace asio = boost::asio;

int submit_at_once(World& world, int count) {
  int answers = 0, accepted = 0;
  for (int i = 0; i < count; ++i)
    asio::co_spawn(*world.context,
                   world.engine->submit(
                       {.project = "p", .key = "k", .body = {{"task", "ping"}}, .idempotency = std::nullopt, .trace_id = std::nullopt}),
                   [&](std::exception_ptr, const Outcome<SubmitAnswer>& answer) {
                     ++answers;
                     accepted += answer.has_value();
                   });
  world.until([&] { return answers == count; });
  return accepted;
}

// items_per_second: durable accepts, that many clients at once.
void accept(benchmark::State& state) {
  World world;
  world.network.slots = 0;
  world.network.keep_calls = false;
  if (!world.recover()) return;
  std::int64_t accepted = 0;
  const auto before = world.database->commits();
  for (auto _ : state) accepted += submit_at_once(world, static_cast<int>(state.range(0)));
  state.SetItemsProcessed(accepted);
  state.counters["jobs_per_commit"] = static_cast<double>(accepted) / static_cast<double>(world.database->commits() - before);
}
BENCHMARK(accept)->Arg(1)->Arg(8)->Arg(100)->Iterations(50)->UseRealTime()->Unit(benchmark::kMillisecond);

// A thousand no-op jobs from the first submit to the last end, 8 slots.
void thousand_jobs(benchmark::State& state) {
  for (auto _ : state) {
    World world;
    world.network.script = world.answer_pings();
    world.network.slots = 8;
    world.network.keep_calls = false;
    if (!world.recover()) return;
    submit_at_once(world, 1000);
    if (!world.until_idle()) state.SkipWithError("jobs are left after ten seconds");
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(thousand_jobs)->Iterations(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kinora::jobs

int main(int argc, char** argv) {
  kinora::base::log::configure(kinora::base::log::Level::off, false);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

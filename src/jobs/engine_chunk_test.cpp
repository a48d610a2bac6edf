// A long video's upscale: cut, chunks at once on several workers, join; and what each failure costs.
#include <gtest/gtest.h>

#include "jobs/testing.hpp"

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
using testing::World;
namespace asio = boost::asio;

constexpr int kChunks = 4;

class ChunkTest : public ::testing::Test {
 protected:
  static EngineSettings settings() {
    EngineSettings out;
    out.plan.chunk_s = 10;
    return out;
  }
  void SetUp() override {
    world_.network.script = [this](AttemptRequest request, AttemptObserver observer) {
      return serve(std::move(request), std::move(observer));
    };
    ASSERT_TRUE(world_.recover());
  }
  Task<AttemptOutcome> serve(AttemptRequest request, AttemptObserver observer) {
    ++runs_[request.order.task];
    if (request.order.task == "cut") {
      json::array chunks;
      std::vector<std::pair<std::string, std::string>> files;
      for (int i = 0; i < kChunks; ++i) {
        const std::string name = "chunk_" + std::to_string(i) + ".nut";
        chunks.push_back({{"file", name}, {"start_pts", i * 1000}, {"end_pts", (i + 1) * 1000}, {"packets", 250}});
        files.emplace_back("chunks", name);
      }
      co_return co_await world_.work(std::move(request), std::move(observer), std::move(files),
                                     {{"plan", {{"chunks", chunks}, {"time_base", "1/100"}, {"pts_offset", 7}}}});
    }
    if (request.order.task == "video-upscale" && chunk_) {
      auto outcome = co_await chunk_(request);
      if (outcome) co_return std::move(*outcome);
    }
    for (int i = 0; i < 5; ++i) co_await asio::post(asio::use_awaitable);
    co_return co_await world_.work(std::move(request), std::move(observer), {{"video", "out.nut"}});
  }
  std::string submit(double duration_s = 40, json::object input = {}) {
    input["video"] = {{"artifact", world_.artifact("video/mp4", {{"duration_s", duration_s}, {"fps", 25.0}})}};
    return world_.submit_ok({{"task", "video-upscale"}, {"input", std::move(input)}, {"retry", {{"initial_ms", 0}}}});
  }
  static std::int64_t start_of(const AttemptRequest& request) { return request.order.params.at("range").at("start_pts").as_int64(); }

  World world_{settings()};
  std::map<std::string, int> runs_;
  std::function<Task<std::optional<AttemptOutcome>>(const AttemptRequest&)> chunk_;
};

TEST_F(ChunkTest, cuts_runs_the_chunks_at_once_and_joins_them_in_order) {
  const std::string id = submit(40, {{"crf", 20}});
  ASSERT_TRUE(world_.until_idle());
  const Job job = world_.job(id);
  ASSERT_EQ(job.status, Status::succeeded) << json::serialize(job.error);
  EXPECT_EQ(runs_["cut"], 1);
  EXPECT_EQ(runs_["video-upscale"], kChunks);
  EXPECT_EQ(runs_["join"], 1);
  EXPECT_EQ(world_.network.most_busy, 4u);
  for (const AttemptRequest& call : world_.network.calls) {
    if (call.order.task != "video-upscale") continue;
    EXPECT_EQ(call.order.params.at("video_only"), true);
    EXPECT_EQ(call.order.params.at("crf"), 20);
    ASSERT_EQ(call.order.inputs.size(), 1u);
    EXPECT_EQ(call.order.inputs[0].name, "chunk_" + std::to_string(start_of(call) / 1000) + ".nut");
  }
  const tasks::TaskOrder& join = world_.network.calls.back().order;
  EXPECT_EQ(join.task, "join");
  EXPECT_EQ(json::serialize(join.params), R"({"container":"mp4","pts_offset":7,"time_base":"1/100"})");
  ASSERT_EQ(join.inputs.size(), 1u + kChunks);
  EXPECT_EQ(join.inputs[0].slot, "source");
  // Each chunk's bytes are its attempt's id (World::work), so the order can be told from the hashes.
  std::map<std::int64_t, std::string> expected;
  for (const AttemptRequest& call : world_.network.calls)
    if (call.order.task == "video-upscale")
      expected[start_of(call)] = base::to_hex(base::sha256(base::as_bytes(call.order.attempt + "out.nut")));
  EXPECT_EQ(world_.history(id), "job.created job.queued job.preparing job.started job.verifying job.succeeded");
  std::size_t at = 1;
  for (const auto& [start, sha256] : expected) EXPECT_EQ(join.inputs[at++].sha256, sha256) << start;
}

TEST_F(ChunkTest, shows_one_progress_that_counts_frames_and_never_falls) {
  const std::string id = submit();
  ASSERT_TRUE(world_.until_idle());
  double last = 0;
  for (const Event& event : world_.events(id)) {
    if (event.data.at("progress").is_null()) continue;
    const double fraction = event.data.at("progress").at("fraction").to_number<double>();
    EXPECT_GE(fraction, last);
    last = fraction;
  }
  EXPECT_EQ(last, 1);
  EXPECT_EQ(world_.job(id).progress.at("units_total"), 1000);
}

TEST_F(ChunkTest, runs_a_failed_chunk_again_alone) {
  int failures = 0;
  chunk_ = [&](const AttemptRequest& request) -> Task<std::optional<AttemptOutcome>> {
    if (start_of(request) == 2000 && failures++ == 0) co_return AttemptOutcome(outcome::Lost{"node-b", "killed"});
    co_return std::nullopt;
  };
  const std::string id = submit();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  EXPECT_EQ(runs_["video-upscale"], kChunks + 1);
  EXPECT_EQ(runs_["cut"], 1);
}

TEST_F(ChunkTest, fails_the_job_and_stops_the_other_chunks_when_one_cannot_be_done) {
  chunk_ = [&](const AttemptRequest& request) -> Task<std::optional<AttemptOutcome>> {
    if (start_of(request) == 1000) co_return AttemptOutcome(outcome::Failed{tasks::failure("input_invalid", "no frames"), "node-a"});
    co_return co_await world_.hang({[](std::string_view) {}, [](const tasks::TaskEvent&) {}});
  };
  const std::string id = submit();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::failed);
  EXPECT_EQ(world_.job(id).error.at("code"), "input_invalid");
  EXPECT_EQ(world_.network.busy, 0u);
  EXPECT_EQ(runs_["join"], 0);
}

TEST_F(ChunkTest, keeps_finished_chunks_over_a_restart) {
  std::set<std::int64_t> done;
  chunk_ = [&](const AttemptRequest& request) -> Task<std::optional<AttemptOutcome>> {
    if (start_of(request) >= 2000) co_return co_await world_.hang({[](std::string_view) {}, [](const tasks::TaskEvent&) {}});
    done.insert(start_of(request));
    co_return std::nullopt;
  };
  const std::string id = submit();
  ASSERT_TRUE(world_.until([&] { return done.size() == 2 && world_.network.busy == 2; }));
  ASSERT_TRUE(world_.until([&] {
    int delivered = 0;
    for (const Attempt& attempt : *world_.run(world_.engine->attempts("proj_1", id))) delivered += attempt.state == "delivered";
    return delivered == 3;  // the cut and two chunks are on the disk
  }));
  world_.kill();
  world_.start();
  chunk_ = nullptr;
  runs_.clear();
  ASSERT_TRUE(world_.recover());
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded) << json::serialize(world_.job(id).error);
  EXPECT_EQ(runs_["cut"], 0);
  EXPECT_EQ(runs_["video-upscale"], 2);
  EXPECT_EQ(runs_["join"], 1);
}

TEST_F(ChunkTest, tries_another_node_when_a_cut_makes_no_sense) {
  int cuts = 0;
  world_.network.script = [&](AttemptRequest request, AttemptObserver observer) -> Task<AttemptOutcome> {
    if (request.order.task == "cut" && cuts++ == 0)
      co_return co_await world_.work(std::move(request), std::move(observer), {{"chunks", "a.nut"}},
                                     {{"plan", {{"chunks", json::array()}}}});
    co_return co_await serve(std::move(request), std::move(observer));
  };
  const std::string id = submit();
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(world_.job(id).status, Status::succeeded);
  EXPECT_EQ(world_.run(world_.engine->attempts("proj_1", id))->at(0).state, "invalid");
}

TEST_F(ChunkTest, runs_a_short_video_and_a_lone_worker_in_one_piece) {
  const std::string short_one = submit(20);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(runs_["cut"], 0);
  world_.network.slots = 1;
  const std::string lone = submit(40);
  ASSERT_TRUE(world_.until_idle());
  EXPECT_EQ(runs_["cut"], 0);
  EXPECT_EQ(world_.job(short_one).status, Status::succeeded);
  EXPECT_EQ(world_.job(lone).status, Status::succeeded);
}

TEST_F(ChunkTest, leaves_only_the_result_behind) {
  const std::string id = submit();
  ASSERT_TRUE(world_.until_idle());
  ASSERT_TRUE(world_.run(world_.engine->sweep()));
  std::set<std::string> kept;
  world_.blobs->each([&](const std::string& name) { return kept.insert(name), true; });
  EXPECT_EQ(kept.size(), 2u);  // the source and the joined video
  EXPECT_TRUE(kept.contains(std::string(world_.job(id).output.at("video").at("sha256").as_string())));
}

}  // namespace
}  // namespace kinora::jobs

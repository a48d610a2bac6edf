#include "worker/input_cache.hpp"

#include <gmock/gmock.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "worker/loopback_test.hpp"

namespace kinora::worker {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;
namespace fs = std::filesystem;

class InputCacheTest : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  TestGateway gateway_{loop_};
  net::Client client_{loop_.get_executor()};
  Disk disk_;
  TestFolder folder_;
  TransferContext context_{disk_, client_, {}, 1ms, net::Reach::anywhere};
  std::optional<InputCache> cache_;

  void SetUp() override {
    fs::create_directories(folder_.path() / "cache");
    for (const char* name : {"a", "b", "c", "d"}) gateway_.inputs[name] = name + noise(1000);
    cache_.emplace(loop_.get_executor(), folder_.path() / "cache", 2500);  // two of them
  }
  DownloadRequest request(const std::string& name, const std::string& to) {
    DownloadRequest out;
    out.url = gateway_.url("/in/" + name);
    out.sha256 = sha256_of(gateway_.inputs[name]);
    out.max_bytes = 1 << 20;
    out.file = folder_.path() / to;
    return out;
  }
  bool fetch(const std::string& name, const std::string& to) {
    const auto got = run(loop_, cache_->fetch(context_, request(name, to), {}));
    return got.has_value() && contents(folder_.path() / to) == gateway_.inputs[name];
  }
};

TEST_F(InputCacheTest, fetches_an_input_once) {
  EXPECT_TRUE(fetch("a", "1"));
  EXPECT_TRUE(fetch("a", "2"));
  EXPECT_EQ(gateway_.log.size(), 1U);
  EXPECT_EQ(cache_->hits(), 1U);
  EXPECT_EQ(cache_->bytes(), 1001U);
}

TEST_F(InputCacheTest, drops_the_least_recently_used) {
  EXPECT_TRUE(fetch("a", "1"));
  EXPECT_TRUE(fetch("b", "2"));
  EXPECT_TRUE(fetch("a", "3"));  // a is younger than b now
  EXPECT_TRUE(fetch("c", "4"));  // b goes
  EXPECT_EQ(cache_->entries(), 2U);
  EXPECT_LE(cache_->bytes(), 2500U);
  gateway_.log.clear();
  EXPECT_TRUE(fetch("a", "5"));
  EXPECT_TRUE(gateway_.log.empty());
  EXPECT_TRUE(fetch("b", "6"));
  EXPECT_EQ(gateway_.log.size(), 1U);
  EXPECT_EQ(contents(folder_.path() / "2"), gateway_.inputs["b"]);  // who has a link keeps it
}

TEST_F(InputCacheTest, two_that_want_the_same_fetch_it_once) {
  gateway_.hold_after = 10;
  run(loop_, [&]() -> net::Task<void> {
    auto first = [&]() -> net::Task<bool> {
      co_return (co_await cache_->fetch(context_, request("a", "1"), [&](std::uint64_t) { gateway_.release(); })).has_value();
    };
    auto second = [&]() -> net::Task<bool> { co_return (co_await cache_->fetch(context_, request("a", "2"), {})).has_value(); };
    const auto [a, b] = co_await (first() && second());
    EXPECT_TRUE(a && b);
  }());
  EXPECT_EQ(gateway_.log.size(), 1U);
  EXPECT_EQ(contents(folder_.path() / "2"), gateway_.inputs["a"]);
}

TEST_F(InputCacheTest, when_the_one_that_fetches_is_cancelled_the_other_takes_over) {
  gateway_.hold_after = 10;
  net::Signal begun(loop_.get_executor());
  run(loop_, [&]() -> net::Task<void> {
    auto first = [&]() -> net::Task<void> {
      auto fetching = [&]() -> net::Task<void> {
        co_await cache_->fetch(context_, request("a", "1"), [&](std::uint64_t) { begun.notify(); });
      };
      auto stop = [&]() -> net::Task<void> { co_await begun.wait(); };
      co_await (fetching() || stop());
      gateway_.hold_after = 0;
    };
    auto second = [&]() -> net::Task<bool> { co_return (co_await cache_->fetch(context_, request("a", "2"), {})).has_value(); };
    auto never_mind = [&]() -> net::Task<bool> {
      co_await first();
      co_return true;
    };
    const auto [a, b] = co_await (never_mind() && second());
    EXPECT_TRUE(a && b);
  }());
  EXPECT_EQ(contents(folder_.path() / "2"), gateway_.inputs["a"]);
  EXPECT_FALSE(fs::exists(folder_.path() / "1"));
}

TEST_F(InputCacheTest, keeps_nothing_that_is_wrong) {
  auto wrong = request("a", "1");
  wrong.sha256 = sha256_of("else");
  EXPECT_FALSE(run(loop_, cache_->fetch(context_, wrong, {})).has_value());
  EXPECT_EQ(cache_->entries(), 0U);
  EXPECT_TRUE(fs::is_empty(folder_.path() / "cache"));
  EXPECT_TRUE(fetch("a", "1"));
}

TEST_F(InputCacheTest, a_hit_with_another_promised_size_is_refused) {
  EXPECT_TRUE(fetch("a", "1"));
  auto lie = request("a", "2");
  lie.bytes = 5;
  EXPECT_FALSE(run(loop_, cache_->fetch(context_, lie, {})).has_value());
}

TEST_F(InputCacheTest, passes_through_what_has_no_hash_or_is_too_large_to_keep) {
  auto nameless = request("a", "1");
  nameless.sha256.reset();
  EXPECT_TRUE(run(loop_, cache_->fetch(context_, nameless, {})).has_value());
  gateway_.inputs["big"] = noise(3000);
  auto big = request("big", "2");
  big.bytes = 3000;
  EXPECT_TRUE(run(loop_, cache_->fetch(context_, big, {})).has_value());
  EXPECT_EQ(cache_->entries(), 0U);
  big.bytes.reset();  // its size is known only afterwards: it goes again at once
  big.file = folder_.path() / "3";
  EXPECT_TRUE(run(loop_, cache_->fetch(context_, big, {})).has_value());
  EXPECT_EQ(cache_->bytes(), 0U);
  EXPECT_EQ(contents(big.file), gateway_.inputs["big"]);
}

TEST_F(InputCacheTest, a_file_removed_behind_its_back_is_fetched_again) {
  EXPECT_TRUE(fetch("a", "1"));
  for (const auto& entry : fs::directory_iterator(folder_.path() / "cache")) fs::remove(entry.path());
  EXPECT_TRUE(fetch("a", "2"));
  EXPECT_EQ(gateway_.log.size(), 2U);
  EXPECT_EQ(cache_->bytes(), 1001U);
}

}  // namespace
}  // namespace kinora::worker

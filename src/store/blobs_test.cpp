#include "store/blobs.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/testing.hpp"

namespace kinora::store {
namespace {

namespace asio = boost::asio;
using testing::run;

// FIPS 180-2, appendix B.1
constexpr auto kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class BlobsTest : public ::testing::Test {
 protected:
  Task<base::Result<Blob>> put(std::vector<std::string> chunks, std::int64_t max = 1000,
                               std::optional<std::string> expected = std::nullopt) {
    KINORA_CO_TRY(BlobWriter writer, co_await blobs_->create(max));
    for (auto& chunk : chunks) KINORA_CO_OK(co_await writer.append(std::move(chunk)));
    co_return co_await writer.commit(std::move(expected));
  }
  Task<base::Result<std::string>> get(std::string sha256, std::int64_t offset, std::size_t length) {
    KINORA_CO_TRY(BlobReader reader, co_await blobs_->open_blob(std::move(sha256)));
    co_return co_await reader.read(offset, length);
  }
  std::size_t temporary_files() const {
    const auto folder = std::filesystem::directory_iterator(folder_.path() / "blobs" / "tmp");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
  }
  testing::TempFolder folder_;
  asio::io_context context_;
  asio::thread_pool pool_{2};
  std::unique_ptr<Blobs> blobs_ = *Blobs::open(context_.get_executor(), pool_, folder_.path() / "blobs");
};

TEST_F(BlobsTest, names_a_blob_by_its_hash) {
  const auto blob = run(context_, put({"a", "", "bc"}));
  ASSERT_TRUE(blob) << blob.error().message;
  EXPECT_EQ(blob->sha256(), kAbc);
  EXPECT_EQ(blob->bytes(), 3);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "blobs" / "ba" / "78" / kAbc));
  EXPECT_EQ(temporary_files(), 0u);
}

TEST_F(BlobsTest, reads_ranges) {
  ASSERT_TRUE(run(context_, put({"abc"})));
  EXPECT_EQ(run(context_, get(kAbc, 0, 100)), "abc");
  EXPECT_EQ(run(context_, get(kAbc, 1, 1)), "b");
  EXPECT_EQ(run(context_, get(kAbc, 3, 10)), "");
  EXPECT_EQ(run(context_, get(std::string(64, '0'), 0, 1)).error().code, base::ErrorCode::not_found);
  EXPECT_EQ(run(context_, get("../../etc/passwd", 0, 1)).error().code, base::ErrorCode::not_found);
}

TEST_F(BlobsTest, leaves_nothing_when_it_is_not_committed) {
  run(context_, [](Blobs& blobs) -> Task<void> {
    auto writer = co_await blobs.create(10);
    EXPECT_TRUE(co_await writer->append("abc"));
  }(*blobs_));
  EXPECT_EQ(temporary_files(), 0u);
  EXPECT_FALSE(blobs_->exists(kAbc));
}

TEST_F(BlobsTest, refuses_more_bytes_than_the_limit) {
  EXPECT_TRUE(run(context_, put({"abc"}, 3)));
  EXPECT_EQ(run(context_, put({"ab", "cd"}, 3)).error().code, base::ErrorCode::too_large);
  EXPECT_EQ(temporary_files(), 0u);
}

TEST_F(BlobsTest, refuses_content_other_than_promised) {
  EXPECT_TRUE(run(context_, put({"abc"}, 10, kAbc)));
  EXPECT_EQ(run(context_, put({"abd"}, 10, kAbc)).error().code, base::ErrorCode::conflict);
}

TEST_F(BlobsTest, keeps_a_pinned_blob_from_the_collector) {
  {
    const auto blob = run(context_, put({"abc"}));
    const Blob copy = *blob;
    EXPECT_FALSE(blobs_->remove_unpinned(kAbc));
  }
  EXPECT_TRUE(blobs_->remove_unpinned(kAbc));
  EXPECT_FALSE(blobs_->exists(kAbc));
  EXPECT_EQ(blobs_->pin(kAbc).error().code, base::ErrorCode::not_found);
}

TEST_F(BlobsTest, pins_a_blob_that_is_there) {
  ASSERT_TRUE(run(context_, put({"abc"})));
  const auto pinned = blobs_->pin(kAbc);
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->bytes(), 3);
  EXPECT_FALSE(blobs_->remove_unpinned(kAbc));
}

TEST_F(BlobsTest, lets_an_open_reader_finish_a_removed_blob) {
  ASSERT_TRUE(run(context_, put({"abc"})));
  auto reader = run(context_, blobs_->open_blob(kAbc));
  ASSERT_TRUE(reader);
  EXPECT_TRUE(blobs_->remove_unpinned(kAbc));
  EXPECT_EQ(run(context_, reader->read(0, 3)), "abc");
}

TEST_F(BlobsTest, joins_parts_in_order) {
  const auto a = run(context_, put({"a"})), bc = run(context_, put({"bc"}));
  const auto whole = run(context_, blobs_->concatenate({a->sha256(), bc->sha256()}, 3));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->sha256(), kAbc);
  EXPECT_EQ(run(context_, blobs_->concatenate({a->sha256(), bc->sha256()}, 2)).error().code, base::ErrorCode::too_large);
}

TEST_F(BlobsTest, lists_blobs_and_clears_what_a_crash_left) {
  ASSERT_TRUE(run(context_, put({"abc"})));
  {
    std::ofstream(folder_.path() / "blobs" / "tmp" / "left-over") << "x";
  }
  blobs_ = *Blobs::open(context_.get_executor(), pool_, folder_.path() / "blobs");
  EXPECT_EQ(temporary_files(), 0u);
  std::vector<std::string> names;
  blobs_->each([&](const std::string& name) {
    names.push_back(name);
    return true;
  });
  EXPECT_EQ(names, std::vector<std::string>{kAbc});
}

TEST_F(BlobsTest, says_where_it_cannot_write) {
  std::filesystem::remove_all(folder_.path() / "blobs" / "tmp");
  const auto blob = run(context_, put({"abc"}));
  ASSERT_FALSE(blob);
  EXPECT_NE(blob.error().message.find("blobs/tmp"), std::string::npos);
}

}  // namespace
}  // namespace kinora::store

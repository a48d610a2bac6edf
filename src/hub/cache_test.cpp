#include "hub/cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "hub/partial_file.hpp"

namespace kinora::hub {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HubCache : public ::testing::Test {
 protected:
  HubCache()
      : root_(fs::path(KINORA_BINARY_DIR) /
              ("hub_cache_" + std::to_string(::getpid()) + "_" + ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~HubCache() override { fs::remove_all(root_); }

  void put(const Repository& repository, const RemoteFile& file, const std::string& text) {
    fs::create_directories(cache_.blob(repository, file).parent_path());
    std::ofstream(cache_.blob(repository, file)) << text;
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path root_;
  Cache cache_{root_};
  // printf 'hello' | sha256sum; printf 'blob 5\0hello' | sha1sum (which is `git hash-object`)
  const RemoteFile large_{.path = "unet/model.safetensors",
                          .bytes = 5,
                          .git_sha1 = {},
                          .sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};
  const RemoteFile small_{.path = "model_index.json", .bytes = 5, .git_sha1 = "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", .sha256 = {}};
  const Repository repository_{.id = "org/name"};
};

TEST_F(HubCache, a_finished_snapshot_is_listed_and_reads_through_its_links) {
  put(repository_, large_, "hello");
  put(repository_, small_, "hello");
  const auto snapshot = cache_.finish(repository_, "abc", {large_, small_});
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(read(*snapshot / "unet/model.safetensors"), "hello");
  EXPECT_EQ(fs::read_symlink(*snapshot / "unet/model.safetensors"), "../../../blobs/" + large_.sha256);
  EXPECT_EQ(read(root_ / "models--org--name/refs/main"), "abc");
  const auto models = cache_.list();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].id, "org/name");
  EXPECT_EQ(models[0].commit, "abc");
  EXPECT_EQ(models[0].bytes, 10U);
  EXPECT_EQ(models[0].files, 2U);
}

TEST_F(HubCache, the_branch_says_which_snapshot_counts) {
  put(repository_, small_, "hello");
  ASSERT_TRUE(cache_.finish(repository_, "old", {small_}));
  ASSERT_TRUE(cache_.finish({.id = "org/name", .revision = "other"}, "new", {small_}));
  EXPECT_EQ(cache_.find("org/name")->commit, "old");
  ASSERT_TRUE(cache_.finish(repository_, "new", {small_}));
  EXPECT_EQ(cache_.find("org/name")->commit, "new");
}

TEST_F(HubCache, a_blob_of_another_repository_is_linked_not_fetched) {
  const Repository other{.id = "org/other"};
  put(other, large_, "hello");
  EXPECT_TRUE(cache_.have(repository_, large_));
  EXPECT_EQ(fs::hard_link_count(cache_.blob(repository_, large_)), 2U);
  EXPECT_FALSE(cache_.have(repository_, small_));
}

TEST_F(HubCache, removing_tells_what_became_free_and_leaves_shared_blobs) {
  const Repository other{.id = "org/other"};
  put(other, large_, "hello");
  ASSERT_TRUE(cache_.have(repository_, large_));
  put(repository_, small_, "hello");
  ASSERT_TRUE(cache_.finish(repository_, "abc", {large_, small_}));
  EXPECT_EQ(*cache_.remove("org/name"), 5U);
  EXPECT_THAT(cache_.list(), IsEmpty());
  EXPECT_EQ(read(cache_.blob(other, large_)), "hello");
  EXPECT_EQ(cache_.remove("org/name").error().code, base::ErrorCode::not_found);
}

TEST_F(HubCache, two_pulls_of_one_repository_exclude_each_other) {
  const auto first = RepositoryLock::take(cache_.folder(repository_));
  ASSERT_TRUE(first);
  EXPECT_EQ(RepositoryLock::take(cache_.folder(repository_)).error().code, base::ErrorCode::conflict);
  EXPECT_TRUE(RepositoryLock::take(cache_.folder({.id = "org/other"})));
}

TEST_F(HubCache, a_partial_file_goes_on_where_it_was) {
  const auto path = cache_.blob(repository_, large_);
  {
    auto file = PartialFile::open(path, large_, 2);
    ASSERT_TRUE(file);
    const auto parts = (*file)->missing();
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[2].end, 5U);
    ASSERT_TRUE((*file)->write(2, std::string_view("ll")));
    EXPECT_FALSE(*(*file)->complete(parts[1]));
  }
  auto file = PartialFile::open(path, large_, 2);
  ASSERT_TRUE(file);
  const auto parts = (*file)->missing();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].index, 2U);
  ASSERT_TRUE((*file)->write(0, std::string_view("he")));
  ASSERT_TRUE((*file)->write(4, std::string_view("o")));
  EXPECT_FALSE(*(*file)->complete(parts[0]));
  EXPECT_TRUE(*(*file)->complete(parts[1]));
  EXPECT_FALSE(fs::exists(path));
  ASSERT_TRUE((*file)->finish());
  EXPECT_EQ(read(path), "hello");
}

TEST_F(HubCache, a_small_file_is_checked_by_its_git_hash) {
  auto file = PartialFile::open(cache_.blob(repository_, small_), small_, 100);
  ASSERT_TRUE((*file)->write(0, std::string_view("hello")));
  ASSERT_TRUE(*(*file)->complete((*file)->missing().front()));
  EXPECT_TRUE((*file)->finish());
}

TEST_F(HubCache, another_content_is_thrown_away_with_both_hashes_named) {
  const auto path = cache_.blob(repository_, large_);
  auto file = PartialFile::open(path, large_, 100);
  ASSERT_TRUE((*file)->write(0, std::string_view("HELLO")));
  ASSERT_TRUE(*(*file)->complete((*file)->missing().front()));
  const auto status = (*file)->finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::conflict);
  EXPECT_THAT(status.error().message, HasSubstr(large_.sha256));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ((*PartialFile::open(path, large_, 100))->missing().size(), 1U);
}

}  // namespace
}  // namespace kinora::hub

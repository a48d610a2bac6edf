#include "worker/work_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kinora::worker {
namespace {

namespace fs = std::filesystem;

class WorkFolderTest : public ::testing::Test {
 protected:
  fs::path base_ = fs::temp_directory_path() / ("kinora-work-" + std::to_string(::getpid()));
  void TearDown() override { fs::remove_all(base_); }
};

TEST_F(WorkFolderTest, removes_what_an_earlier_worker_left) {
  fs::create_directories(base_ / "attempts/att_OLD/in");
  fs::create_directories(base_ / "cache");
  std::ofstream(base_ / "cache/part") << "x";
  const auto folder = WorkFolder::open(base_);
  ASSERT_TRUE(folder.has_value()) << folder.error().message;
  EXPECT_TRUE(fs::is_empty(base_ / "attempts"));
  EXPECT_TRUE(fs::is_empty(base_ / "cache"));
  EXPECT_EQ(fs::status(base_).permissions(), fs::perms::owner_all);
}

TEST_F(WorkFolderTest, is_for_one_worker_at_a_time) {
  {
    const auto first = WorkFolder::open(base_);
    ASSERT_TRUE(first.has_value());
    const auto second = WorkFolder::open(base_);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, base::ErrorCode::conflict);
  }
  EXPECT_TRUE(WorkFolder::open(base_).has_value());
}

TEST_F(WorkFolderTest, makes_and_removes_folders_of_attempts) {
  const auto folder = WorkFolder::open(base_);
  ASSERT_TRUE(folder->make_attempt("att_1").has_value());
  std::ofstream(folder->attempt("att_1") / "out/x") << "x";
  ASSERT_TRUE(folder->make_attempt("att_1").has_value());
  EXPECT_TRUE(fs::is_empty(folder->attempt("att_1") / "out"));
  EXPECT_TRUE(fs::is_directory(folder->attempt("att_1") / "in"));
  folder->remove_attempt("att_1");
  EXPECT_FALSE(fs::exists(folder->attempt("att_1")));
}

TEST_F(WorkFolderTest, says_when_it_cannot_be_made) {
  fs::create_directories(base_);
  std::ofstream(base_ / "file") << "x";
  const auto folder = WorkFolder::open(base_ / "file");
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, base::ErrorCode::io);
}

}  // namespace
}  // namespace kinora::worker

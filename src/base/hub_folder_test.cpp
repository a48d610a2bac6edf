#include "base/hub_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kinora::base {
namespace {

namespace fs = std::filesystem;

class HubFolders : public ::testing::Test {
 protected:
  HubFolders() : root_(fs::temp_directory_path() / ("hub_folder_" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~HubFolders() override { fs::remove_all(root_); }
  fs::path make(const std::string& name, const std::vector<std::string>& snapshots, const std::string& main) {
    for (const auto& commit : snapshots) fs::create_directories(root_ / name / "snapshots" / commit);
    fs::create_directories(root_ / name / "refs");
    if (!main.empty()) std::ofstream(root_ / name / "refs/main") << main;
    return root_ / name;
  }
  fs::path root_;
};

TEST_F(HubFolders, the_branch_names_the_snapshot) {
  const auto found = find_hub_snapshot(make("models--org--name", {"aaa", "bbb"}, "aaa"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "org/name");
  EXPECT_EQ(found->path.filename(), "aaa");
}

TEST_F(HubFolders, without_a_branch_it_is_the_newest) {
  const auto folder = make("models--org--name", {"aaa", "bbb"}, "");
  fs::last_write_time(folder / "snapshots/aaa", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(find_hub_snapshot(folder)->path.filename(), "aaa");
}

TEST_F(HubFolders, unfinished_and_other_folders_are_none) {
  EXPECT_FALSE(find_hub_snapshot(make("models--org--name", {".aaa"}, "aaa")));
  EXPECT_FALSE(find_hub_snapshot(make("kinora-sr2x", {"aaa"}, "aaa")));
  EXPECT_FALSE(find_hub_snapshot(make("models--", {"aaa"}, "aaa")));
}

TEST_F(HubFolders, a_reference_that_would_leave_the_folder_is_not_followed) {
  EXPECT_EQ(find_hub_snapshot(make("models--org--name", {"bbb"}, "../../../etc"))->path.filename(), "bbb");
}

}  // namespace
}  // namespace kinora::base

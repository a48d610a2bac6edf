#include "kinora/home.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;

class HomeTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("kinora_home_" + std::to_string(::getpid()) + "_" + testing::UnitTest::GetInstance()->current_test_info()->name());
    ::setenv("KINORA_HOME", root_.c_str(), 1);
  }
  void TearDown() override {
    fs::remove_all(root_);
    ::unsetenv("KINORA_HOME");
  }
  static unsigned mode(const fs::path& file) {
    struct stat info{};
    ::stat(file.c_str(), &info);
    return info.st_mode & 0777u;
  }
  fs::path root_;
};

TEST_F(HomeTest, is_private) {
  ASSERT_TRUE(Home::open());
  EXPECT_EQ(mode(root_), 0700u);
}
TEST_F(HomeTest, keeps_secrets_readable_by_their_owner_only) {
  const Home home = *Home::open();
  EXPECT_EQ(home.secret("api-key").value(), std::nullopt);
  ASSERT_TRUE(home.keep_secret("api-key", "gk_live_x"));
  EXPECT_EQ(home.secret("api-key").value(), "gk_live_x");
  EXPECT_EQ(mode(root_ / "secrets/api-key"), 0600u);
  const std::string made = home.secret_or_new("orchestrator").value();
  EXPECT_EQ(made.size(), 64u);
  EXPECT_EQ(home.secret_or_new("orchestrator").value(), made);
}
TEST_F(HomeTest, knows_what_runs_and_forgets_what_is_gone) {
  const Home home = *Home::open();
  EXPECT_FALSE(home.running_node());
  RunningNode node;
  node.api = "http://127.0.0.1:1";
  node.roles = {"gateway", "worker"};
  ASSERT_TRUE(home.announce(node));
  // An entry of a process that no longer lives: the largest pid of Linux is 2^22.
  std::ofstream(root_ / "run" / "4194999.json") << R"({"api":"http://127.0.0.1:2","pid":4194999,"roles":["worker"],"devices":[]})";
  const auto running = home.running_node();
  ASSERT_TRUE(running);
  EXPECT_EQ(running->api, "http://127.0.0.1:1");
  EXPECT_EQ(running->pid, ::getpid());
  EXPECT_EQ(running->roles, node.roles);
  EXPECT_FALSE(fs::exists(root_ / "run" / "4194999.json"));
  home.withdraw();
  EXPECT_FALSE(home.running_node());
}
TEST_F(HomeTest, passes_over_entries_that_are_broken) {
  const Home home = *Home::open();
  fs::create_directories(root_ / "run");
  std::ofstream(root_ / "run" / "1.json") << "{";
  std::ofstream(root_ / "run" / "2.json") << R"({"pid":"x"})";
  EXPECT_FALSE(home.running_node());
}
TEST_F(HomeTest, one_process_holds_a_role) {
  const Home home = *Home::open();
  ASSERT_TRUE(home.lock("gateway"));
  const auto again = home.lock("gateway");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, base::ErrorCode::conflict);
  EXPECT_TRUE(home.lock("other"));
}
TEST_F(HomeTest, a_lock_that_is_just_let_go_is_waited_for) {
  const Home home = *Home::open();
  fs::create_directories(root_ / "run");
  const int held = ::open((root_ / "run" / "gateway.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(held, LOCK_EX | LOCK_NB), 0);
  std::thread letting_go([held] { ::close(held); });
  EXPECT_TRUE(home.lock("gateway"));
  letting_go.join();
}

}  // namespace
}  // namespace kinora::cli

#include "proc/programs.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

namespace kinora::proc {
namespace {

TEST(Programs, finds_a_program_beside_the_running_one) {
  const auto folder = executable_folder();
  ASSERT_TRUE(folder.has_value());
  const auto self = find_program("proc_test");
  ASSERT_TRUE(self.has_value()) << self.error().message;
  EXPECT_EQ(*self, *folder / "proc_test");
}

TEST(Programs, finds_a_program_in_a_given_folder) { EXPECT_EQ(*find_program("sh", "/bin"), "/bin/sh"); }

TEST(Programs, says_where_it_looked) {
  const auto absent = find_program("kinora-nothing", "/bin");
  ASSERT_FALSE(absent.has_value());
  EXPECT_EQ(absent.error().code, base::ErrorCode::not_found);
  EXPECT_EQ(absent.error().message, "kinora-nothing is not in /bin");
}

TEST(Programs, a_file_that_cannot_run_is_no_program) {
  const auto file = std::filesystem::temp_directory_path() / ("kinora-programs-" + std::to_string(::getpid()));
  std::ofstream(file) << "text";
  EXPECT_FALSE(find_program(file.filename().string(), file.parent_path()).has_value());
  EXPECT_FALSE(find_program("bin", "/usr").has_value());
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace kinora::proc

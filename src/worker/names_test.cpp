#include "worker/names.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace kinora::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

TEST(Names, keeps_only_a_plain_extension) {
  EXPECT_EQ(safe_extension("clip.mp4"), ".mp4");
  EXPECT_EQ(safe_extension("CLIP.MOV"), ".mov");
  EXPECT_EQ(safe_extension("a.b.webm"), ".webm");
  EXPECT_EQ(safe_extension("clip.12345678"), ".12345678");
  for (const char* name :
       {"", "clip", "clip.", "clip.123456789", "clip.m p4", "clip.mp4/", "../../etc/passwd", "a.mp4\n", "a.%2e", "a.\xC3\xA9", ".."}) {
    EXPECT_EQ(safe_extension(name), "") << name;
  }
}

class OutputPath : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("kinora-names-" + std::to_string(::getpid()));
  void SetUp() override {
    fs::create_directories(folder_ / "out/720p");
    std::ofstream(folder_ / "out/master.m3u8") << "x";
    std::ofstream(folder_ / "out/720p/0.ts") << "x";
    std::ofstream(folder_ / "secret") << "x";
    fs::create_symlink(folder_ / "secret", folder_ / "out/link");
    fs::create_directory_symlink(folder_, folder_ / "out/up");
  }
  void TearDown() override { fs::remove_all(folder_); }
  ErrorCode refusal(std::string_view name) const {
    const auto path = output_path(folder_ / "out", name);
    return path ? ErrorCode::internal : path.error().code;
  }
};

TEST_F(OutputPath, finds_files_in_the_folder_and_below) {
  EXPECT_EQ(*output_path(folder_ / "out", "master.m3u8"), folder_ / "out/master.m3u8");
  EXPECT_EQ(*output_path(folder_ / "out", "720p/0.ts"), folder_ / "out/720p/0.ts");
}

TEST_F(OutputPath, refuses_ways_out) {
  for (const char* name : {"../secret", "/etc/passwd", "", ".", "..", "720p/../../secret", "720p//0.ts", "a\\b", "a b", "720p/", "\xFF"}) {
    EXPECT_EQ(refusal(name), ErrorCode::invalid) << name;
  }
  EXPECT_EQ(refusal(std::string(201, 'a')), ErrorCode::invalid);
  EXPECT_EQ(refusal(std::string_view("master.m3u8\0x", 13)), ErrorCode::invalid);
}

TEST_F(OutputPath, refuses_links_and_folders_and_what_is_not_there) {
  EXPECT_EQ(refusal("link"), ErrorCode::invalid);
  EXPECT_EQ(refusal("up/secret"), ErrorCode::invalid);
  EXPECT_EQ(refusal("720p"), ErrorCode::invalid);
  EXPECT_EQ(refusal("absent.mp4"), ErrorCode::not_found);
}

TEST(Redacted, hides_paths_of_this_machine) {
  EXPECT_EQ(redacted("cannot open /srv/kinora/attempts/att_1/in/0.mp4: no streams", "/srv/kinora"), "cannot open … no streams");
  EXPECT_EQ(redacted("'/srv/kinora/a' and \"/srv/kinora/b\"", "/srv/kinora"), "'…' and \"…\"");
  EXPECT_EQ(redacted("nothing to hide", "/srv/kinora"), "nothing to hide");
  EXPECT_EQ(redacted("/srv/kinora", "/srv/kinora"), "…");
  EXPECT_EQ(redacted("text", ""), "text");
}

}  // namespace
}  // namespace kinora::worker

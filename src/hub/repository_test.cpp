#include "hub/repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::hub {
namespace {

using ::testing::HasSubstr;

TEST(HubRepository, names_are_read_with_and_without_a_revision) {
  const auto plain = Repository::parse("stabilityai/sdxl-turbo");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->id, "stabilityai/sdxl-turbo");
  EXPECT_EQ(plain->revision, "main");
  EXPECT_EQ(plain->folder(), "models--stabilityai--sdxl-turbo");
  EXPECT_EQ(Repository::parse("org/name@refs/pr/3")->revision, "refs/pr/3");
  EXPECT_EQ(Repository::parse("https://huggingface.co/org/name")->id, "org/name");
  EXPECT_EQ(Repository::parse("gpt2")->folder(), "models--gpt2");
}

TEST(HubRepository, the_folder_names_the_repository) {
  EXPECT_EQ(*id_of_folder("models--stabilityai--sdxl-turbo"), "stabilityai/sdxl-turbo");
  EXPECT_EQ(*id_of_folder("models--gpt2"), "gpt2");
  EXPECT_FALSE(id_of_folder("datasets--org--name"));
  EXPECT_FALSE(id_of_folder("kinora-sr2x"));
}

TEST(HubRepository, names_that_could_leave_the_folder_are_refused) {
  for (const char* bad : {"", "/", "org/", "/name", "../name", "org/..", "org/na--me", "a/b/c", "org/na me", "org/name@", "org/name@../x",
                          "org/name@a b", "-x/y"})
    EXPECT_FALSE(Repository::parse(bad)) << bad;
  EXPECT_FALSE(Repository::parse(std::string(100, 'a')));
}

TEST(HubRepository, paths_that_could_leave_the_folder_are_unsafe) {
  for (const char* good : {"config.json", "unet/config.json", "a.b/..c"}) EXPECT_TRUE(safe_path(good)) << good;
  for (const char* bad : {"", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\\b", "a\nb"}) EXPECT_FALSE(safe_path(bad)) << bad;
  EXPECT_FALSE(safe_path(std::string(2000, 'a')));
}

// The form of the hub's answer: huggingface.co/docs/hub/api, as the official client reads it.
constexpr const char* kListing = R"([
  {"type":"directory","oid":"0123456789012345678901234567890123456789","size":0,"path":"unet"},
  {"type":"file","oid":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391","size":0,"path":"unet/empty.txt"},
  {"type":"file","oid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":5000,"path":"unet/model.safetensors",
   "lfs":{"oid":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","size":5000,"pointerSize":130},"xetHash":"cc"}])";

TEST(HubRepository, a_listing_gives_its_files_with_their_hashes) {
  std::vector<RemoteFile> files;
  ASSERT_TRUE(append_listing(kListing, files));
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].blob(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(files[1].path, "unet/model.safetensors");
  EXPECT_EQ(files[1].bytes, 5000U);
  EXPECT_EQ(files[1].blob(), std::string(64, 'b'));
}

TEST(HubRepository, listings_that_lie_are_refused_with_the_file) {
  const auto refused = [](const std::string& body) {
    std::vector<RemoteFile> files;
    const auto status = append_listing(body, files);
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_THAT(refused(R"([{"type":"file","oid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1,"path":"../../etc/passwd"}])"),
              HasSubstr("unsafe path"));
  EXPECT_THAT(refused(R"([{"type":"file","oid":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","path":"a"}])"),
              HasSubstr("a: the hub does not tell its size"));
  EXPECT_THAT(refused(R"([{"type":"file","oid":"../x","size":1,"path":"a"}])"), HasSubstr("object id"));
  EXPECT_THAT(refused(R"([{"type":"file","oid":"a","size":1,"path":"a","lfs":{"oid":"../../x"}}])"), HasSubstr("SHA-256"));
  EXPECT_THAT(refused(R"({"error":"x"})"), HasSubstr("not a list"));
  EXPECT_THAT(refused("<html>"), HasSubstr("listing"));
}

TEST(HubRepository, the_next_page_comes_from_the_link_header) {
  EXPECT_EQ(next_page(R"(<https://hub/api/tree?cursor=x>; rel="next")"), "https://hub/api/tree?cursor=x");
  EXPECT_EQ(next_page(R"(<https://hub/a>; rel="prev", <https://hub/b>; rel="next")"), "https://hub/b");
  EXPECT_EQ(next_page(R"(<https://hub/a>; rel="prev")"), "");
  EXPECT_EQ(next_page("<broken"), "");
}

}  // namespace
}  // namespace kinora::hub

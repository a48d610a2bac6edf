#include "worker/transfer.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "worker/loopback_test.hpp"

namespace kinora::worker {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;

class Transfer : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  TestGateway gateway_{loop_};
  net::Client client_{loop_.get_executor()};
  Disk disk_;
  TestFolder folder_;
  TransferContext context_{disk_, client_, {}, 1ms, net::Reach::anywhere};
  std::string data_ = noise(700'000);

  DownloadRequest request(const std::string& name) {
    DownloadRequest out;
    out.url = gateway_.url("/in/" + name);
    out.max_bytes = 1 << 30;
    out.file = folder_.path() / "file";
    return out;
  }
  Outcome<std::uint64_t> get(DownloadRequest what) { return run(loop_, download(context_, std::move(what), {})); }
  UploadRequest put_request(std::string_view bytes) {
    std::ofstream(folder_.path() / "file", std::ios::binary) << bytes;
    return {gateway_.url("/out/a/b.bin"), gateway_.token, "video/mp4", folder_.path() / "file"};
  }
  Outcome<Uploaded> put(UploadRequest what) { return run(loop_, upload(context_, std::move(what), {})); }
};

TEST_F(Transfer, fetches_a_file_and_checks_its_size_and_hash) {
  gateway_.inputs["a"] = data_;
  auto what = request("a");
  what.bytes = data_.size();
  what.sha256 = sha256_of(data_);
  std::uint64_t last = 0;
  const auto got = run(loop_, download(context_, what, [&](std::uint64_t done) {
                         EXPECT_GT(done, last);
                         last = done;
                       }));
  ASSERT_TRUE(got.has_value()) << got.error().detail;
  EXPECT_EQ(*got, data_.size());
  EXPECT_EQ(last, data_.size());
  EXPECT_TRUE(contents(what.file) == data_);
}

TEST_F(Transfer, fetches_over_tls_from_the_pinned_gateway_only) {
  gateway_.inputs["a"] = data_;
  auto what = request("a");
  what.url = gateway_.url("/in/a", true);
  context_.trust = net::testing::trust();
  EXPECT_TRUE(get(what).has_value());
  context_.trust = net::TlsTrust::pinned(net::generate_identity("127.0.0.1")->pin);
  const auto refused = get(what);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "transfer_failed");
}

TEST_F(Transfer, goes_to_no_private_address_unless_told) {
  gateway_.inputs["a"] = data_;
  context_.reach = net::Reach::public_only;
  const auto fetched = get(request("a"));
  ASSERT_FALSE(fetched.has_value());
  EXPECT_EQ(fetched.error().code, "input_unavailable");
  EXPECT_THAT(fetched.error().detail, ::testing::HasSubstr("worker.private_targets"));
  const auto sent = put(put_request(data_));
  ASSERT_FALSE(sent.has_value());
  EXPECT_THAT(sent.error().detail, ::testing::HasSubstr("worker.private_targets"));
  EXPECT_THAT(gateway_.log, ::testing::IsEmpty());
}

TEST_F(Transfer, resumes_where_it_broke_off) {
  gateway_.inputs["a"] = data_;
  gateway_.break_after_half = 2;
  auto what = request("a");
  what.bytes = data_.size();
  what.sha256 = sha256_of(data_);
  ASSERT_TRUE(get(what).has_value());
  EXPECT_TRUE(contents(what.file) == data_);
  ASSERT_EQ(gateway_.log.size(), 3U);
  EXPECT_EQ(gateway_.log[0], "GET a 0");
  EXPECT_NE(gateway_.log[2], "GET a 0");  // how much had arrived when it broke off is the network's business
}

TEST_F(Transfer, starts_again_when_the_gateway_cannot_resume) {
  gateway_.inputs["a"] = data_;
  gateway_.break_after_half = 1;
  gateway_.ignore_range = true;
  auto what = request("a");
  what.sha256 = sha256_of(data_);
  ASSERT_TRUE(get(what).has_value());
  EXPECT_TRUE(contents(what.file) == data_);
}

TEST_F(Transfer, gives_up_after_some_tries_and_leaves_no_file) {
  gateway_.inputs["a"] = data_;
  gateway_.answer_500 = 100;
  const auto what = request("a");
  const auto got = get(what);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, "transfer_failed");
  EXPECT_TRUE(got.error().retryable);
  EXPECT_EQ(gateway_.log.size(), static_cast<std::size_t>(kTransferTries));
  EXPECT_FALSE(std::filesystem::exists(what.file));
}

TEST_F(Transfer, a_refusal_is_final) {
  const auto got = get(request("absent"));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, "input_unavailable");
  EXPECT_EQ(gateway_.log.size(), 1U);
}

TEST_F(Transfer, another_hash_or_size_than_promised_is_refused) {
  gateway_.inputs["a"] = data_;
  auto wrong_hash = request("a");
  wrong_hash.sha256 = sha256_of("something else");
  EXPECT_EQ(get(wrong_hash).error().code, "transfer_failed");
  EXPECT_FALSE(std::filesystem::exists(wrong_hash.file));
  auto less = request("a");
  less.bytes = data_.size() - 1;
  EXPECT_EQ(get(less).error().detail, "an input is larger than promised");
  auto more = request("a");
  more.bytes = data_.size() + 1;
  EXPECT_EQ(get(more).error().detail, "an input ended early");
}

TEST_F(Transfer, what_is_larger_than_this_worker_takes_is_refused_before_and_while_it_comes) {
  gateway_.inputs["a"] = data_;
  auto told = request("a");
  told.bytes = data_.size();
  told.max_bytes = data_.size() - 1;
  EXPECT_EQ(get(told).error().code, "media_too_large");
  EXPECT_TRUE(gateway_.log.empty());
  auto untold = request("a");
  untold.max_bytes = data_.size() - 1;
  EXPECT_EQ(get(untold).error().code, "media_too_large");
  auto exactly = request("a");
  exactly.max_bytes = data_.size();
  EXPECT_TRUE(get(exactly).has_value());
}

TEST_F(Transfer, a_full_disk_is_the_workers_fault) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  gateway_.inputs["a"] = data_;
  auto what = request("a");
  // The kernel's always-full device stands for the disk; O_NOFOLLOW refuses a link to it, so a node of its own is made.
  what.file = folder_.path() / "full";
  if (::mknod(what.file.c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0) GTEST_SKIP() << "may not make a device node";
  int asked = 0;
  what.make_room = [&] { return ++asked == 1; };
  const auto got = get(what);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, "worker_error");
  EXPECT_EQ(got.error().detail, "the worker's disk: No space left on device");
  EXPECT_EQ(asked, 1);
}

TEST_F(Transfer, an_unreachable_gateway_is_retried_and_then_told) {
  auto what = request("a");
  {
    boost::asio::ip::tcp::acceptor port(loop_, {boost::asio::ip::address_v4::loopback(), 0});
    what.url = "http://127.0.0.1:" + std::to_string(port.local_endpoint().port()) + "/in/a";
  }
  EXPECT_EQ(get(what).error().code, "transfer_failed");
}

TEST_F(Transfer, cancelling_removes_the_half_fetched_file) {
  gateway_.inputs["a"] = data_;
  gateway_.hold_after = 100'000;
  const auto what = request("a");
  net::Signal arrived(loop_.get_executor());
  auto wait = [&]() -> net::Task<void> { co_await arrived.wait(); };
  run(loop_, [&]() -> net::Task<void> {
    const auto first = co_await (download(context_, what, [&](std::uint64_t) { arrived.notify(); }) || wait());
    EXPECT_EQ(first.index(), 1U);
    EXPECT_FALSE(std::filesystem::exists(what.file));
  }());
}

TEST_F(Transfer, uploads_a_file_with_its_type_and_returns_its_hash) {
  std::uint64_t last = 0;
  const auto done = run(loop_, upload(context_, put_request(data_), [&](std::uint64_t sent) { last = sent; }));
  ASSERT_TRUE(done.has_value()) << done.error().detail;
  EXPECT_EQ(done->bytes, data_.size());
  EXPECT_EQ(done->sha256, sha256_of(data_));
  EXPECT_EQ(last, data_.size());
  EXPECT_TRUE(gateway_.outputs["a/b.bin"] == data_);
  EXPECT_EQ(gateway_.types["a/b.bin"], "video/mp4");
}

TEST_F(Transfer, uploads_an_empty_file) {
  const auto done = put(put_request(""));
  ASSERT_TRUE(done.has_value()) << done.error().detail;
  EXPECT_EQ(done->bytes, 0U);
  EXPECT_EQ(done->sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");  // of nothing, FIPS 180-4
}

TEST_F(Transfer, an_upload_is_repeated_after_a_passing_failure) {
  gateway_.answer_500 = 2;
  ASSERT_TRUE(put(put_request(data_)).has_value());
  EXPECT_EQ(gateway_.log.size(), 3U);
  EXPECT_TRUE(gateway_.outputs["a/b.bin"] == data_);
}

TEST_F(Transfer, an_output_that_arrives_changed_is_sent_again) {
  gateway_.lie_about_hash = 1;
  EXPECT_TRUE(put(put_request(data_)).has_value());
  EXPECT_EQ(gateway_.log.size(), 2U);
  gateway_.lie_about_hash = 100;
  const auto never = put(put_request(data_));
  ASSERT_FALSE(never.has_value());
  EXPECT_EQ(never.error().detail, "an output arrived changed");
}

TEST_F(Transfer, a_wrong_token_is_final) {
  auto what = put_request(data_);
  what.token = "wrong";
  EXPECT_EQ(put(what).error().code, "transfer_failed");
  EXPECT_EQ(gateway_.log.size(), 1U);
}

TEST_F(Transfer, an_output_that_is_a_link_or_absent_is_not_read) {
  auto absent = put_request("x");
  absent.file = folder_.path() / "absent";
  EXPECT_EQ(put(absent).error().code, "worker_error");
  auto link = put_request("x");
  link.file = folder_.path() / "link";
  std::filesystem::create_symlink("/etc/passwd", link.file);
  EXPECT_EQ(put(link).error().code, "worker_error");
  EXPECT_TRUE(gateway_.log.empty());
}

}  // namespace
}  // namespace kinora::worker

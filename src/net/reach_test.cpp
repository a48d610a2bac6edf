#include "net/reach.hpp"

#include "net/testing.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;
using testing::run;
using testing::TestServer;

bool reachable(const char* text) { return is_public(asio::ip::make_address(text)); }

// IANA's special-purpose registries, one address at each end of a block where that can go wrong.
TEST(Reach, takes_no_address_of_the_special_purpose_registries) {
  for (const char* text : {"0.0.0.0",
                           "0.255.255.255",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.254",
                           "169.254.169.254",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.0.0.8",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.1",
                           "192.168.255.255",
                           "198.18.0.0",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.255.255.250",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.1.2.3",
                           "::ffff:169.254.169.254",
                           "::7f00:1",
                           "64:ff9b::7f00:1",
                           "64:ff9b::a9fe:a9fe",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:1ff:ffff::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "2002:a00:1::1",
                           "3fff::1",
                           "3fff:fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1"})
    EXPECT_FALSE(reachable(text)) << text;
}

TEST(Reach, takes_what_lies_beside_those_blocks) {
  for (const char* text :
       {"1.1.1.1",         "9.255.255.255",   "11.0.0.0",         "100.63.255.255", "100.128.0.0",          "126.255.255.255",
        "128.0.0.0",       "169.253.255.255", "169.255.0.0",      "172.15.255.255", "172.32.0.0",           "191.255.255.255",
        "192.0.1.0",       "192.0.3.0",       "192.167.255.255",  "192.169.0.0",    "198.17.255.255",       "198.20.0.0",
        "223.255.255.255", "::ffff:8.8.8.8",  "64:ff9b::808:808", "2001:200::1",    "2001:4860:4860::8888", "2001:db7::1",
        "2001:db9::1",     "2002:808:808::1", "2606:4700::1111",  "3ffe::1",        "3fff:1000::1"})
    EXPECT_TRUE(reachable(text)) << text;
}

// Answers `first` to the first question and `then` to all later ones, as the server of an attacker's name does.
struct Rebinding {
  Addresses first, then;
  int asked = 0;
  Resolver resolver() {
    return [this](std::string) -> Task<base::Result<Addresses>> { co_return asked++ == 0 ? first : then; };
  }
};

class GuardedClient : public ::testing::Test {
 protected:
  base::Result<ClientResponse> get(Client& client, const std::string& url, Reach reach) {
    ClientRequest request;
    request.url = url;
    request.reach = reach;
    request.deadline = std::chrono::seconds(5);
    return run(loop, client.send(std::move(request)));
  }
  asio::io_context loop;
  int served = 0;
  TestServer server{loop,
                    [this](Request&, Response& response) -> Task<void> {
                      ++served;
                      (void)co_await response.send(200, Headers(), "secret");
                    },
                    {},
                    false};
  std::string port() { return std::to_string(server.server->port()); }
};

TEST_F(GuardedClient, does_not_connect_to_loopback_however_it_is_written) {
  Client client(loop.get_executor());
  for (const char* host :
       {"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0x7f.0.0.1", "2130706433", "127.1", "0", "0177.0.0.1"}) {
    const auto answer = get(client, std::string("http://") + host + ":" + port() + "/", Reach::public_only);
    ASSERT_FALSE(answer) << host;
    EXPECT_NE(answer.error().code, base::ErrorCode::timeout) << host;
  }
  EXPECT_EQ(served, 0);
}

TEST_F(GuardedClient, says_that_the_address_is_forbidden) {
  Client client(loop.get_executor());
  const auto answer = get(client, "http://localhost:" + port() + "/", Reach::public_only);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::forbidden);
}

TEST_F(GuardedClient, judges_the_very_address_that_it_connects_to) {
  Rebinding name{{asio::ip::make_address("10.0.0.1")}, {asio::ip::make_address("127.0.0.1")}};
  Client client(loop.get_executor(), {.resolver = name.resolver()});
  for (int i = 0; i < 3; ++i) {
    const auto answer = get(client, "http://rebind.example:" + port() + "/", Reach::public_only);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, base::ErrorCode::forbidden);
  }
  EXPECT_EQ(name.asked, 3) << "one look-up for each connection";
  EXPECT_EQ(served, 0);
}

TEST_F(GuardedClient, skips_the_private_ones_among_several_addresses) {
  // 192.0.2.1 is for documentation; a mixed answer must not lead to loopback when the public address does not answer.
  Rebinding name{{asio::ip::make_address("127.0.0.1"), asio::ip::make_address("192.0.2.1")}, {asio::ip::make_address("127.0.0.1")}};
  Client client(loop.get_executor(), {.resolver = name.resolver()});
  ASSERT_FALSE(get(client, "http://mixed.example:" + port() + "/", Reach::public_only));
  EXPECT_EQ(served, 0);
}

TEST_F(GuardedClient, does_not_reuse_a_connection_that_was_made_without_a_check) {
  Client client(loop.get_executor());
  auto open = get(client, "http://127.0.0.1:" + port() + "/", Reach::anywhere);
  ASSERT_TRUE(open) << open.error().message;
  EXPECT_EQ(*run(loop, open->read_all(100)), "secret");
  EXPECT_FALSE(get(client, "http://127.0.0.1:" + port() + "/", Reach::public_only));
  EXPECT_EQ(served, 1);
}

TEST(SystemResolver, gives_up_when_its_time_is_over) {
  asio::io_context loop;
  const auto found = run(loop, system_resolver(loop.get_executor(), std::chrono::milliseconds(0))("localhost"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, base::ErrorCode::timeout);
}

TEST(SystemResolver, finds_the_name_of_this_machine_and_refuses_nonsense) {
  asio::io_context loop;
  const auto resolve = system_resolver(loop.get_executor(), std::chrono::seconds(5));
  const auto local = run(loop, resolve("localhost"));
  ASSERT_TRUE(local) << local.error().message;
  EXPECT_TRUE(local->front().is_loopback());
  EXPECT_FALSE(run(loop, resolve("no-such-name.invalid")));
}

}  // namespace
}  // namespace kinora::net

#include "worker/registrar.hpp"

#include <gmock/gmock.h>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "worker/loopback_test.hpp"

namespace kinora::worker {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;
using net::testing::run;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Plays the orchestrator's two routes.
class RegistrarTest : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  net::Signal heard_{loop_.get_executor()};
  std::vector<std::string> log_;  // "+name", "-name"
  std::vector<boost::json::value> bodies_;
  std::string secret_seen_;
  int status_ = 200;
  net::testing::TestServer server_{loop_, [this](net::Request& request, net::Response& response) { return answer(request, response); }};
  net::Client client_{loop_.get_executor()};
  WorkerSettings settings_;
  std::vector<Offer> offers_{{"probe", "", 2, true, "media"}, {"ping", "", 8, true, "ping"}};

  net::Task<void> answer(net::Request& request, net::Response& response) {
    const auto body = boost::json::parse(*co_await request.body->read_all(1 << 20));
    secret_seen_ = request.headers.get("authorization").value_or("");
    log_.push_back((request.path == "/capability/register" ? "+" : "-") + std::string(body.at("name").as_string()));
    bodies_.push_back(body);
    co_await response.send(status_, {}, status_ == 200 ? "" : "no");
    heard_.notify();
  }
  Registrar registrar(OrchestratorAddress address) {
    settings_.orchestrator_secret = "orch-secret";
    settings_.url = "http://127.0.0.1:1";
    return Registrar(loop_.get_executor(), std::move(address), settings_, "token", client_, [this] { return offers_; }, heard_);
  }
  OrchestratorAddress plain() const { return {server_.url("", false), std::nullopt}; }
  net::Task<void> until(std::function<bool()> condition) {
    while (!condition()) co_await heard_.wait(net::Clock::now() + 5ms);
  }
};

TEST_F(RegistrarTest, registers_every_offer_with_the_secret_and_renews) {
  settings_.timings.renew = 10ms;
  auto registrar_now = registrar(plain());
  run(loop_, [&]() -> net::Task<void> { co_await (registrar_now.run() || until([&] { return log_.size() >= 6; })); }());
  EXPECT_THAT(std::vector(log_.begin(), log_.begin() + 4), ElementsAre("+probe", "+ping", "+probe", "+ping"));
  EXPECT_EQ(secret_seen_, "orch-secret");
  EXPECT_EQ(bodies_[0].at("url").as_string(), "http://127.0.0.1:1/process");
  EXPECT_EQ(bodies_[0].at("token").as_string(), "token");
  EXPECT_TRUE(registrar_now.registered());
}

TEST_F(RegistrarTest, tells_at_once_when_offers_change_and_takes_back_what_is_gone) {
  auto registrar_now = registrar(plain());
  run(loop_, [&]() -> net::Task<void> {
    auto change = [&]() -> net::Task<void> {
      co_await until([&] { return registrar_now.registered(); });
      offers_ = {{"ping", "", 8, true, "ping"}, {"video-upscale", "", 1, true, "devices"}};
      log_.clear();
      registrar_now.poke();
      co_await until([&] { return log_.size() >= 3; });
    };
    co_await (registrar_now.run() || change());
  }());
  EXPECT_THAT(log_, ElementsAre("+ping", "+video-upscale", "-probe"));
}

TEST_F(RegistrarTest, is_up_to_date_when_what_is_offered_now_is_registered_or_cannot_be) {
  auto registrar_now = registrar(plain());
  EXPECT_FALSE(registrar_now.up_to_date());
  run(loop_, [&]() -> net::Task<void> {
    auto change = [&]() -> net::Task<void> {
      co_await until([&] { return registrar_now.up_to_date(); });
      EXPECT_THAT(log_, ElementsAre("+probe", "+ping"));
      offers_.push_back({"video-upscale", "", 1, true, "devices"});
      EXPECT_FALSE(registrar_now.up_to_date());
      registrar_now.poke();
      co_await until([&] { return registrar_now.up_to_date(); });
      EXPECT_EQ(log_.back(), "+video-upscale");
      status_ = 503;
      registrar_now.poke();
      co_await until([&] { return !registrar_now.registered(); });
      EXPECT_TRUE(registrar_now.up_to_date());
    };
    co_await (registrar_now.run() || change());
  }());
}

TEST_F(RegistrarTest, unregisters_what_it_registered_by_name_and_url) {
  auto registrar_now = registrar(plain());
  run(loop_, [&]() -> net::Task<void> {
    co_await (registrar_now.run() || until([&] { return registrar_now.registered(); }));
    log_.clear();
    bodies_.clear();
    co_await registrar_now.unregister();
  }());
  EXPECT_THAT(log_, UnorderedElementsAre("-probe", "-ping"));
  EXPECT_EQ(bodies_[0].at("url").as_string(), "http://127.0.0.1:1/process");
  EXPECT_FALSE(registrar_now.registered());
}

TEST_F(RegistrarTest, goes_on_after_refusals) {
  settings_.timings.renew = 5ms;
  status_ = 503;
  auto registrar_now = registrar(plain());
  run(loop_, [&]() -> net::Task<void> {
    auto recover = [&]() -> net::Task<void> {
      co_await until([&] { return log_.size() >= 3; });
      EXPECT_FALSE(registrar_now.registered());
      status_ = 200;
      co_await until([&] { return registrar_now.registered(); });
    };
    co_await (registrar_now.run() || recover());
  }());
}

TEST_F(RegistrarTest, gives_its_secret_only_to_the_pinned_orchestrator) {
  settings_.timings.renew = 5ms;
  auto good = registrar({server_.url("", true), net::testing::identity().pin});
  run(loop_, [&]() -> net::Task<void> { co_await (good.run() || until([&] { return good.registered(); })); }());
  EXPECT_EQ(secret_seen_, "orch-secret");

  log_.clear();
  auto wrong_key = registrar({server_.url("", true), net::generate_identity("127.0.0.1")->pin});
  auto no_pin = registrar({server_.url("", true), std::nullopt});  // self-signed: no authority vouches for it
  run(loop_, [&]() -> net::Task<void> {
    auto several_rounds = [&]() -> net::Task<void> { co_await heard_.wait(net::Clock::now() + 200ms); };
    co_await (wrong_key.run() || several_rounds());
    co_await (no_pin.run() || several_rounds());
  }());
  EXPECT_TRUE(log_.empty());
}

}  // namespace
}  // namespace kinora::worker

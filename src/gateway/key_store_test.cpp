#include "gateway/key_store.hpp"

#include <gtest/gtest.h>

#include "gateway/test_folder.hpp"
#include "gateway/test_run.hpp"

namespace kinora::gateway {
namespace {

const base::UnixMillis kNow{std::chrono::milliseconds{1'767'225'600'000}};

KeyRecord named(std::string name, std::vector<std::string> scopes = {}) {
  KeyRecord record;
  record.name = std::move(name);
  record.scopes = std::move(scopes);
  return record;
}

struct KeyStoreTest : testing::Test {
  TestFolder folder;
  boost::asio::io_context context;
  base::UlidSource ids;
  std::unique_ptr<store::Database> database = open();
  KeyStore keys{*database, ids};

  std::unique_ptr<store::Database> open() {
    store::DatabaseSettings settings;
    settings.path = folder / "test.db";
    auto made = store::Database::open(context.get_executor(), std::move(settings));
    EXPECT_TRUE(made && KeyStore::migrate(**made));
    return std::move(*made);
  }
  CreatedKey create(KeyRecord record) {
    record.project = "proj_1";
    auto made = run_to_end(context, keys.create(std::move(record), kNow));
    EXPECT_TRUE(made);
    return *made;
  }
};

TEST_F(KeyStoreTest, knows_a_key_by_its_secret_alone) {
  const auto made = create(named("a", {"jobs:read"}));
  const auto record = keys.authenticate(made.secret, "127.0.0.1", kNow);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, made.record.id);
  EXPECT_EQ(record->scopes, std::vector<std::string>{"jobs:read"});
  std::string other = made.secret;
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_EQ(keys.authenticate(other, "127.0.0.1", kNow).error().code, base::ErrorCode::unauthenticated);
  EXPECT_EQ(keys.authenticate("", "127.0.0.1", kNow).error().code, base::ErrorCode::unauthenticated);
}

TEST_F(KeyStoreTest, reads_its_keys_again_after_a_restart) {
  KeyRecord record = named("a", {"jobs:read", "media:*"});
  record.models = {"m"};
  record.tasks = {"ping"};
  record.ips = {"10.0.0.1"};
  record.api_version = "2026-11-01";
  record.expires = kNow + std::chrono::hours(1);
  const auto made = create(record);
  KeyStore again(*database, ids);
  ASSERT_TRUE(run_to_end(context, again.load()));
  const auto found = again.authenticate(made.secret, "10.0.0.1", kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "a");
  EXPECT_EQ(found->models, std::vector<std::string>{"m"});
  EXPECT_EQ(found->tasks, std::vector<std::string>{"ping"});
  EXPECT_EQ(found->expires, record.expires);
  EXPECT_EQ(found->created, kNow);
}

TEST_F(KeyStoreTest, never_writes_the_secret_to_the_disk) {
  const auto made = create(named("a"));
  const auto count = run_to_end(context, database->read([&](store::Connection& db) -> base::Result<std::int64_t> {
    KINORA_TRY(auto row, db.query("SELECT count(*) FROM keys WHERE instr(id || name || public_part || sha256 || scopes, ?) > 0",
                                  made.secret.substr(kKeyPrefix.size() + kKeyPublicChars)));
    KINORA_TRY([[maybe_unused]] const bool more, row.step());
    return row.integer(0);
  }));
  EXPECT_EQ(count, 0);
}

TEST_F(KeyStoreTest, refuses_an_expired_key_and_another_address) {
  KeyRecord record = named("a");
  record.ips = {"10.0.0.1"};
  record.expires = kNow + std::chrono::seconds(1);
  const auto made = create(record);
  EXPECT_TRUE(keys.authenticate(made.secret, "10.0.0.1", kNow));
  EXPECT_EQ(keys.authenticate(made.secret, "10.0.0.2", kNow).error().code, base::ErrorCode::forbidden);
  EXPECT_EQ(keys.authenticate(made.secret, "10.0.0.1", kNow + std::chrono::seconds(1)).error().code, base::ErrorCode::timeout);
}

TEST_F(KeyStoreTest, a_removed_key_ends_at_once_and_for_its_own_project_only) {
  const auto made = create(named("a"));
  EXPECT_FALSE(run_to_end(context, keys.remove("proj_2", made.record.id)));
  EXPECT_TRUE(keys.authenticate(made.secret, "127.0.0.1", kNow));
  EXPECT_TRUE(run_to_end(context, keys.remove("proj_1", made.record.id)));
  EXPECT_FALSE(keys.authenticate(made.secret, "127.0.0.1", kNow));
  EXPECT_TRUE(keys.empty());
}

TEST_F(KeyStoreTest, lists_in_order_of_creation) {
  const auto first = create(named("a"));
  const auto second = create(named("b"));
  const auto all = keys.list("proj_1");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->id, first.record.id);
  EXPECT_EQ(all[1]->id, second.record.id);
  EXPECT_TRUE(keys.list("proj_2").empty());
}

}  // namespace
}  // namespace kinora::gateway

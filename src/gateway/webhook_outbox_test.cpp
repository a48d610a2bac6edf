#include "gateway/webhook_outbox.hpp"

#include <gtest/gtest.h>

#include "gateway/test_folder.hpp"
#include "gateway/test_run.hpp"
#include "gateway/webhook_result.hpp"
#include "jobs/schema.hpp"

namespace kinora::gateway {
namespace {

using namespace std::chrono_literals;
using store::Connection;

class Outbox : public testing::Test {
 protected:
  Outbox() {
    database = std::move(*store::Database::open(context.get_executor(), store::DatabaseSettings{folder / "t.db", 256, {}}));
    EXPECT_TRUE(database->migrate("jobs", jobs::schema_steps()));
    EXPECT_TRUE(migrate_webhooks(*database));
    endpoint.id = "whk_1";
    endpoint.project = "proj_1";
    endpoint.url = "https://a.example/";
  }
  template <class Fn>
  auto write(Fn fn) {
    auto out = run_to_end(context, database->write(std::move(fn)));
    EXPECT_TRUE(out) << (out ? "" : out.error().message);
    return out;
  }
  void add() {
    write([&](Connection& db) { return insert_webhook(db, endpoint); });
  }
  std::int64_t happens(std::string subject, std::string type, std::string project = "proj_1") {
    jobs::Event event;
    event.id = "evt_" + std::to_string(++made);
    event.project = std::move(project);
    event.subject = std::move(subject);
    event.type = std::move(type);
    event.time = now;
    event.data = json::object();
    return *write([&](Connection& db) { return jobs::append_event(db, event); });
  }
  Expanded expand() {
    return *write([&](Connection& db) { return expand_outbox(db, now, new_id); });
  }
  std::vector<WebhookDelivery> due() {
    return *write([&](Connection& db) { return due_deliveries(db, now, {}, {}, 1000); });
  }
  void tried(const WebhookDelivery& delivery, int status, base::UnixMillis when) {
    WebhookTryResult result;
    result.status = status;
    result.now = when;
    write([&](Connection& db) { return store_try(db, delivery.id, result, new_id); });
  }

  boost::asio::io_context context;
  TestFolder folder;
  std::unique_ptr<store::Database> database;
  WebhookEndpoint endpoint;
  base::UnixMillis now{1'800'000'000'000ms};
  int made = 0, ids = 0;
  NewId new_id = [this](std::string_view prefix) { return std::string(prefix) + "_" + std::to_string(++ids); };
};

TEST_F(Outbox, turns_each_event_into_one_delivery_however_often_it_looks) {
  add();
  happens("job_a", "job.created");
  EXPECT_EQ(expand().deliveries, 1);
  EXPECT_EQ(expand().deliveries, 0);
  write([&](Connection& db) { return set_webhook_cursor(db, 0); });  // as if the cursor had been lost
  expand();
  EXPECT_EQ(due().size(), 1u);
}

TEST_F(Outbox, keeps_projects_apart) {
  add();
  happens("job_a", "job.created", "proj_2");
  EXPECT_EQ(expand().deliveries, 0);
}

TEST_F(Outbox, reads_the_log_in_batches_to_its_end) {
  add();
  for (int i = 0; i < kOutboxBatch + 3; ++i) happens("job_" + std::to_string(i), "job.created");
  EXPECT_TRUE(expand().more);
  EXPECT_FALSE(expand().more);
  EXPECT_EQ(due().size(), static_cast<std::size_t>(kOutboxBatch + 3));
}

TEST_F(Outbox, offers_the_first_of_each_subject) {
  add();
  for (const char* subject : {"job_a", "job_b"})
    for (const char* type : {"job.created", "job.queued", "job.succeeded"}) happens(subject, type);
  expand();
  auto first = due();
  ASSERT_EQ(first.size(), 2u);
  for (const auto& one : first) EXPECT_EQ(one.type, "job.created");
  tried(first[0], 204, now);
  EXPECT_EQ(due().size(), 2u);
}

TEST_F(Outbox, skips_to_the_end_of_a_subject_once_failing_for_more_than_a_minute) {
  add();
  for (const char* type : {"job.created", "job.queued", "job.succeeded"}) happens("job_a", type);
  expand();
  tried(due().at(0), 500, now);
  now += 30s;
  tried(due().at(0), 500, now);
  now += 6min;
  ASSERT_EQ(due().at(0).type, "job.created");
  tried(due().at(0), 500, now);
  ASSERT_EQ(due().size(), 1u);
  EXPECT_EQ(due().at(0).type, "job.succeeded");
}

TEST_F(Outbox, never_skips_while_the_subject_goes_on) {
  add();
  happens("job_a", "job.created");
  happens("job_a", "job.queued");
  expand();
  tried(due().at(0), 500, now);
  now += 6s;
  tried(due().at(0), 500, now);
  now += 6min;
  tried(due().at(0), 500, now);
  now += 40min;
  EXPECT_EQ(due().at(0).type, "job.created");
}

TEST_F(Outbox, gives_up_after_ten_tries_and_goes_on_with_the_next) {
  endpoint.failure_since.reset();
  add();
  happens("job_a", "job.created");
  happens("job_a", "job.queued");
  expand();
  for (int i = 0; i < kWebhookTries; ++i) {
    ASSERT_EQ(due().at(0).type, "job.created") << i;
    tried(due().at(0), 500, now);
    if (i == 5) {  // somebody else got through meanwhile, so the endpoint is not failing as a whole
      write([&](Connection& db) -> base::Status {
        KINORA_TRY(auto row, find_webhook(db, "whk_1"));
        row.failure_since = now;
        return update_webhook(db, row);
      });
    }
    now += 26h;
    if (i + 1 == kWebhookTries) break;
    write([&](Connection& db) -> base::Status {
      KINORA_TRY(auto row, find_webhook(db, "whk_1"));
      row.failure_since = now;
      return update_webhook(db, row);
    });
  }
  EXPECT_EQ(due().at(0).type, "job.queued");
}

TEST_F(Outbox, leaves_out_busy_endpoints_and_deliveries_and_disabled_ones) {
  add();
  happens("job_a", "job.created");
  expand();
  const auto id = due().at(0).id;
  EXPECT_TRUE(write([&](Connection& db) { return due_deliveries(db, now, {"whk_1"}, {}, 10); })->empty());
  EXPECT_TRUE(write([&](Connection& db) { return due_deliveries(db, now, {}, {json::value(id)}, 10); })->empty());
  endpoint.enabled = false;
  write([&](Connection& db) { return update_webhook(db, endpoint); });
  EXPECT_TRUE(due().empty());
}

TEST_F(Outbox, does_not_look_when_nobody_waits) {
  happens("job_a", "job.created");
  EXPECT_EQ(*write([&](Connection& db) { return unwatched_until(db); }), std::optional<std::int64_t>(1));
  add();
  EXPECT_EQ(*write([&](Connection& db) { return unwatched_until(db); }), std::optional<std::int64_t>());
}

TEST_F(Outbox, forgets_old_deliveries) {
  add();
  happens("job_a", "job.created");
  expand();
  write([&](Connection& db) { return expire_deliveries(db, now + 1ms); });
  EXPECT_TRUE(due().empty());
}

}  // namespace
}  // namespace kinora::gateway

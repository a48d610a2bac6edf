#include "store/sqlite.hpp"

#include <sqlite3.h>

#include <utility>

#include "base/check.hpp"

namespace kinora::store {
namespace {

constexpr int kBusyMs = 5000;  // another process (a backup, a sqlite3 shell) holds the lock

base::ErrorCode code_of(int status) {
  switch (status & 0xff) {
    case SQLITE_FULL: return base::ErrorCode::exhausted;
    case SQLITE_CONSTRAINT: return base::ErrorCode::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return base::ErrorCode::unavailable;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return base::ErrorCode::io;
    case SQLITE_TOOBIG: return base::ErrorCode::too_large;
    default: return base::ErrorCode::internal;
  }
}

}  // namespace

Statement::Statement(Connection* connection, sqlite3_stmt* handle, bool cached)
    : connection_(connection), handle_(handle), cached_(cached) {}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      handle_(std::exchange(other.handle_, nullptr)),
      cached_(other.cached_),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  if (!cached_) {
    sqlite3_finalize(handle_);
    return;
  }
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  const auto entry = connection_->cache_.find(std::string_view(sqlite3_sql(handle_)));
  if (entry != connection_->cache_.end()) entry->second.busy = false;
}

void Statement::check(int status) {
  if (status != SQLITE_OK && bind_error_ == 0) bind_error_ = status;
}

void Statement::bind(int index, std::int64_t value) { check(sqlite3_bind_int64(handle_, index, value)); }
void Statement::bind(int index, double value) { check(sqlite3_bind_double(handle_, index, value)); }
void Statement::bind(int index, std::string_view value) {
  check(sqlite3_bind_text64(handle_, index, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind(int index, base::ByteView value) {
  check(sqlite3_bind_blob64(handle_, index, value.data() == nullptr ? reinterpret_cast<const std::uint8_t*>("") : value.data(),
                            value.size(), SQLITE_TRANSIENT));
}
void Statement::bind(int index, std::nullopt_t) { check(sqlite3_bind_null(handle_, index)); }

base::Result<bool> Statement::step() {
  if (bind_error_ != 0) return base::fail(base::ErrorCode::internal, std::string("cannot bind: ") + sqlite3_errstr(bind_error_));
  const int status = sqlite3_step(handle_);
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  return base::fail(connection_->error(sqlite3_sql(handle_)));
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }
std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return text == nullptr ? std::string_view() : std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}
base::ByteView Statement::bytes(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}
bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}
std::optional<std::string> Statement::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return std::string(text(column));
}

base::Result<Connection> Connection::open(const std::filesystem::path& path, OpenMode mode) {
  sqlite3* handle = nullptr;
  const int flags = mode == OpenMode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int status = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection connection(handle);
  if (status != SQLITE_OK) return base::fail(code_of(status), "cannot open database " + path.string() + ": " + sqlite3_errstr(status));
  sqlite3_busy_timeout(handle, kBusyMs);
  // A double-quoted string is an identifier and nothing else: a misspelt column must not become a text.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  return connection;
}

Connection::Connection(Connection&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)), cache_(std::move(other.cache_)) {
  other.cache_.clear();
}

Connection::~Connection() {
  for (auto& [sql, prepared] : cache_) {
    KINORA_CHECK(!prepared.busy);  // a Statement outlives its Connection
    sqlite3_finalize(prepared.handle);
  }
  sqlite3_close(handle_);
}

base::Status Connection::exec(std::string_view sql) {
  if (sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return base::fail(error(sql));
  return {};
}

base::Result<Statement> Connection::prepare(std::string_view sql) {
  const auto entry = cache_.find(sql);
  if (entry != cache_.end() && !entry->second.busy) {
    entry->second.busy = true;
    return Statement(this, entry->second.handle, true);
  }
  const bool cached = entry == cache_.end() && cache_.size() < kMaxCached;
  sqlite3_stmt* handle = nullptr;
  const unsigned flags = cached ? SQLITE_PREPARE_PERSISTENT : 0;
  const char* tail = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), flags, &handle, &tail) != SQLITE_OK || handle == nullptr) {
    sqlite3_finalize(handle);
    return base::fail(error(sql));
  }
  if (tail != sql.data() + sql.size()) {
    sqlite3_finalize(handle);
    return base::fail(base::ErrorCode::internal, "one statement at a time: " + std::string(sql));
  }
  // The key is what sqlite3_sql() gives back: the text up to the end of the first statement.
  if (cached) cache_.emplace(sqlite3_sql(handle), Prepared{handle, true});
  return Statement(this, handle, cached);
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle_); }
std::int64_t Connection::last_insert_rowid() const { return sqlite3_last_insert_rowid(handle_); }

base::Error Connection::error(std::string_view context) const {
  constexpr std::size_t kShown = 80;
  const int status = sqlite3_extended_errcode(handle_);
  return {code_of(status), std::string("database: ") + sqlite3_errmsg(handle_) + " (" + std::string(context.substr(0, kShown)) + ")"};
}

}  // namespace kinora::store

#pragma once
// A thin layer over SQLite: a connection with a cache of prepared statements, and statements whose errors are Results.
//
// Threading: a Connection and its Statements belong to one thread at a time (Database gives one to its writer thread and one to its
// reader thread). Ownership: a Statement borrows from its Connection and must not outlive it; it resets itself when it goes away.
// Errors: exhausted (disk full), conflict (a constraint), io (the file), internal (wrong SQL: our own fault).
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace kinora::store {

class Connection;

// One execution of a prepared statement.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters count from 1. Text and bytes are copied.
  void bind(int index, std::int64_t value);
  void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, bool value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, double value);
  void bind(int index, std::string_view value);
  void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
  void bind(int index, const char* value) { bind(index, std::string_view(value)); }
  void bind(int index, base::ByteView value);
  void bind(int index, std::nullopt_t);
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value)
      bind(index, *value);
    else
      bind(index, std::nullopt);
  }

  // True: a row is there to read. False: done.
  base::Result<bool> step();

  // Columns of the current row count from 0. Views live until the next step.
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;  // empty for NULL
  base::ByteView bytes(int column) const;
  bool is_null(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;
  std::optional<std::string> optional_text(int column) const;

 private:
  friend class Connection;
  Statement(Connection* connection, sqlite3_stmt* handle, bool cached);
  void check(int status);
  Connection* connection_;
  sqlite3_stmt* handle_;
  bool cached_;
  int bind_error_ = 0;
};

enum class OpenMode { read_write, read_only };

class Connection {
 public:
  static base::Result<Connection> open(const std::filesystem::path& path, OpenMode mode);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // One or more statements without parameters or rows.
  base::Status exec(std::string_view sql);
  // A prepared statement with its parameters bound; statements are kept (at most kMaxCached), so `sql` should be a literal.
  template <class... Values>
  base::Result<Statement> query(std::string_view sql, const Values&... values) {
    auto statement = prepare(sql);
    if (!statement) return statement;
    int index = 0;
    (statement->bind(++index, values), ...);
    return statement;
  }
  // Runs a statement to its end; the number of rows it changed.
  template <class... Values>
  base::Result<std::int64_t> run(std::string_view sql, const Values&... values) {
    auto statement = query(sql, values...);
    if (!statement) return base::fail(std::move(statement).error());
    for (;;) {
      auto row = statement->step();
      if (!row) return base::fail(std::move(row).error());
      if (!*row) return changes();
    }
  }
  std::int64_t changes() const;
  std::int64_t last_insert_rowid() const;

  static constexpr std::size_t kMaxCached = 256;

 private:
  friend class Statement;
  friend class Database;
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  base::Result<Statement> prepare(std::string_view sql);
  base::Error error(std::string_view context) const;
  sqlite3* handle_ = nullptr;
  struct Prepared {
    sqlite3_stmt* handle = nullptr;
    bool busy = false;
  };
  std::map<std::string, Prepared, std::less<>> cache_;
};

}  // namespace kinora::store

#pragma once
// A page of rows ordered by (created_at, id): WHERE conditions with their values, and the rule that cuts the page.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "jobs/job.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

inline constexpr int kMaxPage = 100;

class Keyset {
 public:
  // `select` ends with a WHERE clause to which conditions are added by AND.
  Keyset(std::string select, const Page& page);
  // `condition` holds one '?' unless it stands in the select already.
  void add(std::string_view condition, std::variant<std::string, std::int64_t> value, bool in_select = false);
  base::Result<store::Statement> query(store::Connection& connection);
  // Rows as read (one more than the limit was asked for), in the order that the page wants.
  template <class T>
  Listing<T> listing(std::vector<T> rows) const {
    Listing<T> out;
    out.has_more = rows.size() > static_cast<std::size_t>(limit_);
    if (out.has_more) rows.resize(static_cast<std::size_t>(limit_));
    if (backwards_) std::reverse(rows.begin(), rows.end());
    out.data = std::move(rows);
    return out;
  }

 private:
  std::string sql_;
  std::vector<std::variant<std::string, std::int64_t>> values_;
  Page page_;
  int limit_;
  bool backwards_;
};

}  // namespace kinora::jobs

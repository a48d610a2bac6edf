#include "jobs/keyset.hpp"

namespace kinora::jobs {

Keyset::Keyset(std::string select, const Page& page)
    : sql_(std::move(select)), page_(page), limit_(std::clamp(page.limit, 1, kMaxPage)), backwards_(page.before && !page.after) {}

void Keyset::add(std::string_view condition, std::variant<std::string, std::int64_t> value, bool in_select) {
  if (!in_select) sql_ += " AND " + std::string(condition);
  values_.push_back(std::move(value));
}

base::Result<store::Statement> Keyset::query(store::Connection& connection) {
  // Before a key means: the nearest rows in the other direction, turned round afterwards.
  const bool descending = page_.descending != backwards_;
  const auto beyond = [&](const PageKey& key, bool less) {
    sql_ += less ? " AND (created_at, id) < (?, ?)" : " AND (created_at, id) > (?, ?)";
    values_.emplace_back(key.created_ms);
    values_.emplace_back(key.id);
  };
  if (page_.after) beyond(*page_.after, page_.descending);
  if (page_.before) beyond(*page_.before, !page_.descending);
  sql_ += descending ? " ORDER BY created_at DESC, id DESC LIMIT ?" : " ORDER BY created_at, id LIMIT ?";
  values_.emplace_back(std::int64_t{limit_} + 1);
  KINORA_TRY(store::Statement statement, connection.query(sql_));
  int index = 0;
  for (const auto& value : values_) std::visit([&](const auto& known) { statement.bind(++index, known); }, value);
  return statement;
}

}  // namespace kinora::jobs

#include "gateway/list_query.hpp"

namespace kinora::gateway {

tl::expected<ListQuery, Problem> read_list_query(QueryReader& query, base::ByteView cursor_key, std::string_view id_prefix,
                                                 const json::object& filters) {
  ListQuery out;
  out.filters = hash_filters(filters.empty() ? std::string() : base::canonical_json(filters));
  out.page.limit = static_cast<int>(query.integer("limit", 1, 100).value_or(20));
  out.page.descending = query.choice("order", {"asc", "desc"}).value_or("desc") == "desc";
  const auto read = [&](std::string_view name, std::optional<jobs::PageKey>& key,
                        std::optional<std::string>& id) -> tl::expected<void, Problem> {
    const auto text = query.text(name, kMaxCursorBytes);
    if (!text || text->empty()) return {};
    if (base::is_id(id_prefix, *text)) {
      id = *text;
      return {};
    }
    const auto cursor = decode_cursor(cursor_key, *text);
    if (!cursor) return refuse({{"?" + std::string(name), "invalid_field", cursor.error().message}});
    if (cursor->filters != out.filters || cursor->ascending == out.page.descending)
      return refuse("cursor_mismatch", "the cursor was made with other filters or another order; start without it");
    key = jobs::PageKey{cursor->created.time_since_epoch().count(), cursor->id};
    return {};
  };
  if (auto done = read("after", out.page.after, out.after_id); !done) return tl::unexpected(std::move(done).error());
  if (auto done = read("before", out.page.before, out.before_id); !done) return tl::unexpected(std::move(done).error());
  return out;
}

json::object list_object(json::array data, bool has_more, const std::optional<ListEdge>& first, const std::optional<ListEdge>& last,
                         const ListQuery& query, base::ByteView cursor_key) {
  json::value next;
  if (has_more && last) next = encode_cursor(cursor_key, {last->created, last->id, !query.page.descending, query.filters});
  return {{"object", "list"},
          {"data", std::move(data)},
          {"has_more", has_more},
          {"first_id", first ? json::value(first->id) : json::value()},
          {"last_id", last ? json::value(last->id) : json::value()},
          {"next_cursor", std::move(next)}};
}

}  // namespace kinora::gateway

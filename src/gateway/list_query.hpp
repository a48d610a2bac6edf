#pragma once
// What every list of the API has in common (developer-api 5.1, "Pagination").
#include <optional>
#include <string>

#include "gateway/call.hpp"
#include "gateway/cursor.hpp"
#include "jobs/job.hpp"

namespace kinora::gateway {

// limit, order, after, before of a list of ids with that prefix. A cursor is checked here; an id is left to be looked up.
struct ListQuery {
  jobs::Page page;
  std::string filters;  // hash, for the next cursor
  std::optional<std::string> after_id, before_id;
};
// `filters`: the filters in use; an empty object is "no filters". cursor_mismatch: the cursor is of other filters or another order.
tl::expected<ListQuery, Problem> read_list_query(QueryReader& query, base::ByteView cursor_key, std::string_view id_prefix,
                                                 const json::object& filters);

struct ListEdge {
  std::string id;
  base::UnixMillis created{};
};
// The answer's object; `first` and `last` of what is in `data`.
json::object list_object(json::array data, bool has_more, const std::optional<ListEdge>& first, const std::optional<ListEdge>& last,
                         const ListQuery& query, base::ByteView cursor_key);

}  // namespace kinora::gateway

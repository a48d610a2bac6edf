#include "gateway/websocket_message.hpp"

#include "base/ulid.hpp"

namespace kinora::gateway {
namespace {

std::optional<ws::Topic> parse_topic(std::string_view text) {
  if (text == "account") return ws::Topic{"account", ""};
  for (const std::string_view kind : {"job", "run"}) {
    if (!text.starts_with(kind) || text.size() <= kind.size() || text[kind.size()] != ':') continue;
    const std::string_view subject = text.substr(kind.size() + 1);
    if (base::is_id(kind, subject)) return ws::Topic{std::string(text), std::string(subject)};
  }
  return std::nullopt;
}

ws::Subscribe read_subscribe(base::ObjectReader& in, std::string id) {
  ws::Subscribe out;
  out.id = std::move(id);
  out.after = in.integer("after", 0, std::numeric_limits<std::int64_t>::max());
  const json::array* topics = in.array("topics", kMaxTopics);
  if (topics == nullptr || topics->empty()) in.error("topics", "missing_field", "name at least one topic");
  for (std::size_t i = 0; topics != nullptr && i < topics->size(); ++i) {
    const json::string* text = (*topics)[i].if_string();
    if (auto topic = text != nullptr ? parse_topic(*text) : std::nullopt)
      out.topics.push_back(std::move(*topic));
    else
      in.error("topics", "invalid_field", R"(a topic is "account", "job:job_..." or "run:run_...")");
  }
  return out;
}

}  // namespace

tl::expected<WsRequest, WsRefusal> parse_ws_request(std::string_view text) {
  const auto refuse = [](std::string id, std::string code, std::string detail, base::FieldErrors errors) {
    WsRefusal out{std::move(id), {}};
    out.problem.code = std::move(code);
    out.problem.detail = std::move(detail);
    out.problem.errors = std::move(errors);
    return tl::unexpected(std::move(out));
  };
  const auto value = base::parse_json(text);
  if (!value) return refuse("", "invalid_json", value.error().message, {});
  base::FieldErrors errors;
  base::ObjectReader in(*value, "", errors);
  const std::string op = in.required_string("op", 16);
  const std::string id = in.string("id", kMaxSubIdBytes).value_or("");
  WsRequest out = ws::Ping{id};
  if (op == "sub")
    out = read_subscribe(in, id);
  else if (op == "unsub")
    out = ws::Unsubscribe{id};
  else if (op != "ping" && !op.empty())
    in.error("op", "not_allowed", "is one of sub, unsub, ping");
  if (op != "ping" && id.empty()) in.error("id", "missing_field", "names the subscription");
  in.finish();
  if (errors.empty()) return out;
  std::string code =
      errors.front().code == "unknown_field" || errors.front().code == "missing_field" ? errors.front().code : "invalid_field";
  std::string detail = errors.front().pointer + " " + errors.front().detail;
  return refuse(id, std::move(code), std::move(detail), std::move(errors));
}

std::string ws_ack(std::string_view id, std::optional<std::int64_t> offset) {
  json::object out{{"op", "ack"}, {"id", id}};
  if (offset) out["offset"] = *offset;
  return json::serialize(out);
}

std::string ws_error(std::string_view id, const tasks::Problem& problem) {
  return json::serialize(
      json::object{{"op", "error"}, {"id", id.empty() ? json::value() : json::value(id)}, {"error", tasks::to_json(problem)}});
}

std::string ws_event(std::string_view sub, std::int64_t offset, std::string_view envelope) {
  std::string out =
      R"({"op":"event","sub":)" + json::serialize(json::value(sub)) + R"(,"offset":)" + std::to_string(offset) + R"(,"event":)";
  out += envelope;
  out += '}';
  return out;
}

std::string ws_preview(std::string_view subject, const json::value& data, std::string_view picture) {
  const std::string header =
      json::serialize(json::object{{"subject", subject}, {"mime", data.at("mime")}, {"step", data.at("step")}, {"at", data.at("at")}});
  std::string frame;
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>((header.size() >> shift) & 0xff));
  return frame.append(header).append(picture);
}

std::string ws_end(std::string_view sub, std::string_view topic) {
  return json::serialize(json::object{{"op", "end"}, {"sub", sub}, {"topic", topic}});
}

}  // namespace kinora::gateway

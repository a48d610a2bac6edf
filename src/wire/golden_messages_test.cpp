// Messages recorded from a reference node (tests/golden/wire): each is parsed, compared field by field with what another
// protobuf implementation decoded from the same bytes, written again and parsed again.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "wire/messages.hpp"

namespace kinora::wire {
namespace {

namespace json = base::json;
namespace fs = std::filesystem;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden/wire";

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

// The JSON mapping of proto3 for the fields that the recorded cases use: bytes as base64, 64-bit integers as text, fields
// with their default value left out.
struct Writer {
  json::object out;
  Writer& bytes(std::string_view key, const std::string& value) {
    if (!value.empty()) out[key] = base::to_base64(base::as_bytes(value));
    return *this;
  }
  Writer& text(std::string_view key, const std::string& value) {
    if (!value.empty()) out[key] = value;
    return *this;
  }
  Writer& wide(std::string_view key, std::int64_t value) {
    if (value != 0) out[key] = std::to_string(value);
    return *this;
  }
  Writer& number(std::string_view key, std::int64_t value) {
    if (value != 0) out[key] = value;
    return *this;
  }
  Writer& truth(std::string_view key, bool value) {
    if (value) out[key] = true;
    return *this;
  }
  template <class Field>
  Writer& words(std::string_view key, const Field& field) {
    json::array list;
    for (const auto word : field) list.emplace_back(std::to_string(word));
    if (!list.empty()) out[key] = list;
    return *this;
  }
  template <class Message>
  Writer& child(std::string_view key, bool present, const Message& message) {
    if (present) out[key] = decoded(message);
    return *this;
  }
  template <class Field>
  Writer& list(std::string_view key, const Field& field) {
    json::array items;
    for (const auto& item : field) items.emplace_back(decoded(item));
    if (!items.empty()) out[key] = items;
    return *this;
  }

  static json::object decoded(const pb::PingPong& m) { return Writer().bytes("value", m.value()).out; }
  static json::object decoded(const pb::AuthToken& m) {
    return Writer().bytes("token", m.token()).text("session_id", m.session_id()).wide("expiration", m.expiration()).out;
  }
  static json::object decoded(const pb::EndTranscodingSessionRequest& m) {
    return Writer().child("auth_token", m.has_auth_token(), m.auth_token()).out;
  }
  static json::object decoded(const pb::EndTranscodingSessionResponse&) { return {}; }
  static json::object decoded(const pb::PriceInfo& m) {
    return Writer()
        .wide("pricePerUnit", m.priceperunit())
        .wide("pixelsPerUnit", m.pixelsperunit())
        .number("capability", m.capability())
        .text("constraint", m.constraint())
        .out;
  }
  static json::object decoded(const pb::Capabilities::Constraints& m) {
    json::object by_number;
    for (const auto& [number, constraint] : m.percapability()) {
      json::object models;
      for (const auto& [name, model] : constraint.models()) {
        models[name] = Writer()
                           .truth("warm", model.warm())
                           .number("capacity", model.capacity())
                           .text("runnerVersion", model.runnerversion())
                           .number("capacityInUse", model.capacityinuse())
                           .out;
      }
      by_number[std::to_string(number)] = json::object{{"models", models}};
    }
    Writer writer;
    writer.text("minVersion", m.minversion());
    if (!by_number.empty()) writer.out["PerCapability"] = by_number;
    return writer.out;
  }
  static json::object decoded(const pb::Capabilities& m) {
    Writer writer;
    writer.words("bitstring", m.bitstring()).words("mandatories", m.mandatories()).text("version", m.version());
    json::object capacities;
    for (const auto& [number, count] : m.capacities()) capacities[std::to_string(number)] = count;
    if (!capacities.empty()) writer.out["capacities"] = capacities;
    return writer.child("constraints", m.has_constraints(), m.constraints()).out;
  }
  static json::object decoded(const pb::OrchestratorRequest& m) {
    return Writer()
        .bytes("address", m.address())
        .bytes("sig", m.sig())
        .child("capabilities", m.has_capabilities(), m.capabilities())
        .truth("ignoreCapacityCheck", m.ignorecapacitycheck())
        .out;
  }
  static json::object decoded(const pb::TicketExpirationParams& m) {
    return Writer().wide("creation_round", m.creation_round()).bytes("creation_round_block_hash", m.creation_round_block_hash()).out;
  }
  static json::object decoded(const pb::TicketParams& m) {
    return Writer()
        .bytes("recipient", m.recipient())
        .bytes("face_value", m.face_value())
        .bytes("win_prob", m.win_prob())
        .bytes("recipient_rand_hash", m.recipient_rand_hash())
        .bytes("seed", m.seed())
        .bytes("expiration_block", m.expiration_block())
        .child("expiration_params", m.has_expiration_params(), m.expiration_params())
        .out;
  }
  static json::object decoded(const pb::TicketSenderParams& m) {
    return Writer().number("sender_nonce", m.sender_nonce()).bytes("sig", m.sig()).out;
  }
  static json::object decoded(const pb::Payment& m) {
    return Writer()
        .child("ticket_params", m.has_ticket_params(), m.ticket_params())
        .bytes("sender", m.sender())
        .child("expiration_params", m.has_expiration_params(), m.expiration_params())
        .list("ticket_sender_params", m.ticket_sender_params())
        .child("expected_price", m.has_expected_price(), m.expected_price())
        .out;
  }
  static json::object decoded(const pb::OrchestratorInfo& m) {
    return Writer()
        .text("transcoder", m.transcoder())
        .child("ticket_params", m.has_ticket_params(), m.ticket_params())
        .child("price_info", m.has_price_info(), m.price_info())
        .bytes("address", m.address())
        .child("capabilities", m.has_capabilities(), m.capabilities())
        .child("auth_token", m.has_auth_token(), m.auth_token())
        .list("capabilities_prices", m.capabilities_prices())
        .out;
  }
  static json::object decoded(const pb::TranscodedSegmentData& m) {
    return Writer().text("url", m.url()).wide("pixels", m.pixels()).text("perceptual_hash_url", m.perceptual_hash_url()).out;
  }
  static json::object decoded(const pb::TranscodeData& m) { return Writer().list("segments", m.segments()).bytes("sig", m.sig()).out; }
  static json::object decoded(const pb::TranscodeResult& m) {
    return Writer()
        .wide("seq", m.seq())
        .text("error", m.error())
        .child("data", m.has_data(), m.data())
        .child("info", m.has_info(), m.info())
        .out;
  }
  static json::object decoded(const pb::VideoProfile& m) {
    Writer writer;
    writer.text("name", m.name()).number("width", m.width()).number("height", m.height()).number("bitrate", m.bitrate());
    writer.number("fps", m.fps()).number("fpsDen", m.fpsden()).number("gop", m.gop()).number("quality", m.quality());
    if (m.format() != pb::VideoProfile::MPEGTS) writer.out["format"] = pb::VideoProfile::Format_Name(m.format());
    if (m.profile() != pb::VideoProfile::ENCODER_DEFAULT) writer.out["profile"] = pb::VideoProfile::Profile_Name(m.profile());
    if (m.encoder() != pb::VideoProfile::H264) writer.out["encoder"] = pb::VideoProfile::VideoCodec_Name(m.encoder());
    return writer.out;
  }
  static json::object decoded(const pb::SegData& m) {
    return Writer()
        .bytes("manifestId", m.manifestid())
        .wide("seq", m.seq())
        .bytes("hash", m.hash())
        .bytes("profiles", m.profiles())
        .bytes("sig", m.sig())
        .number("duration", m.duration())
        .child("capabilities", m.has_capabilities(), m.capabilities())
        .child("auth_token", m.has_auth_token(), m.auth_token())
        .list("fullProfiles", m.fullprofiles())
        .list("fullProfiles2", m.fullprofiles2())
        .list("fullProfiles3", m.fullprofiles3())
        .out;
  }
};

template <class Message>
void check_message(const std::string& bytes, const json::value& expected) {
  Message first;
  ASSERT_TRUE(first.ParseFromString(bytes));
  EXPECT_EQ(base::canonical_json(Writer::decoded(first)), base::canonical_json(expected));
  Message second;
  ASSERT_TRUE(second.ParseFromString(first.SerializeAsString()));
  EXPECT_EQ(second.ByteSizeLong(), bytes.size());
  EXPECT_EQ(base::canonical_json(Writer::decoded(second)), base::canonical_json(expected));
}

using Check = void (*)(const std::string&, const json::value&);
const std::map<std::string, Check, std::less<>> kChecks = {
    {"net.PingPong", check_message<pb::PingPong>},
    {"net.OrchestratorRequest", check_message<pb::OrchestratorRequest>},
    {"net.OrchestratorInfo", check_message<pb::OrchestratorInfo>},
    {"net.EndTranscodingSessionRequest", check_message<pb::EndTranscodingSessionRequest>},
    {"net.EndTranscodingSessionResponse", check_message<pb::EndTranscodingSessionResponse>},
    {"net.Payment", check_message<pb::Payment>},
    {"net.SegData", check_message<pb::SegData>},
    {"net.TranscodeResult", check_message<pb::TranscodeResult>},
};

int check_case(const fs::path& folder) {
  int checked = 0;
  const auto parsed = base::parse_json(slurp(folder / "case.json"), {.bytes = 1 << 20, .depth = 64});
  EXPECT_TRUE(parsed) << folder;
  if (!parsed) return 0;
  // Every object of the case that names a message's file, its type and its decoded form.
  const auto visit = [&](const auto& self, const json::value& value) -> void {
    if (const auto* list = value.if_array()) {
      for (const auto& item : *list) self(self, item);
    }
    const auto* object = value.if_object();
    if (object == nullptr) return;
    for (const auto& [key, member] : *object) self(self, member);
    if (!object->contains("type") || !object->contains("decoded") || !object->contains("file")) return;
    const auto check = kChecks.find(object->at("type").as_string());
    if (check == kChecks.end()) return;
    SCOPED_TRACE((folder / std::string(object->at("file").as_string())).string());
    check->second(slurp(folder / std::string(object->at("file").as_string())), object->at("decoded"));
    ++checked;
  };
  visit(visit, *parsed);
  return checked;
}

TEST(GoldenMessages, discovery_of_an_ai_orchestrator) { EXPECT_EQ(check_case(kGolden / "get-orchestrator-ai-offchain"), 6); }
TEST(GoldenMessages, discovery_on_chain) { EXPECT_EQ(check_case(kGolden / "get-orchestrator-onchain"), 8); }
TEST(GoldenMessages, discovery_for_transcoding) { EXPECT_EQ(check_case(kGolden / "get-orchestrator-transcoding-offchain"), 4); }
TEST(GoldenMessages, ping) { EXPECT_EQ(check_case(kGolden / "ping-offchain"), 2); }
TEST(GoldenMessages, end_of_a_session) { EXPECT_EQ(check_case(kGolden / "end-transcoding-session"), 2); }
TEST(GoldenMessages, payment_of_an_external_job) { EXPECT_EQ(check_case(kGolden / "byoc-onchain"), 1); }
TEST(GoldenMessages, segment_and_its_result) { EXPECT_EQ(check_case(kGolden / "segment-fullprofiles3-offchain"), 2); }

}  // namespace
}  // namespace kinora::wire

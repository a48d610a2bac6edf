// The unigram tokenizer on small models whose best split is known by hand, and on files that must be refused. The golden strings are in
// models.
#include "nn/tokenizers/unigram_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>

#include "nn/load_error.hpp"
#include "nn/tokenizers/sentencepiece_file.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;
using testing::HasSubstr;

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const LoadError& error) {
    return error.what();
  }
  return "no error";
}

NamedText golden(const std::string& test, const std::string& name) {
  return *read_tokenizer_file(fs::path(KINORA_SOURCE_DIR) / "tests/golden" / test / "tokenizer" / name);
}

Ids split(const Unigram& model, std::string_view text) {
  Ids ids;
  model.encode(text, ids);
  return ids;
}

const std::vector<Piece> kPieces{{"<unk>", 0}, {"a", -2}, {"b", -2}, {"ab", -3}, {"abc", -8}, {"c", -4}};

TEST(Unigram, takes_the_pieces_with_the_greatest_sum) {
  const Unigram model(kPieces, 0, false, "test");
  EXPECT_EQ(split(model, "ab"), (Ids{3}));      // -3 against -2 - 2
  EXPECT_EQ(split(model, "abc"), (Ids{3, 5}));  // -3 - 4 against -8
  EXPECT_EQ(split(model, "abab"), (Ids{3, 3}));
  EXPECT_EQ(split(model, ""), Ids{});
}

TEST(Unigram, neighbouring_unknown_characters_are_one_unknown_piece) {
  const Unigram model(kPieces, 0, false, "test");
  EXPECT_EQ(split(model, "xyza"), (Ids{0, 1}));
  EXPECT_EQ(split(model, "x\u00E9ax"), (Ids{0, 1, 0}));
}

TEST(Unigram, byte_fallback_needs_all_256_bytes) {
  auto pieces = kPieces;
  const auto name = [](unsigned byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    return std::string(text);
  };
  for (unsigned byte = 0; byte < 255; ++byte) pieces.push_back({name(byte), 0});
  EXPECT_EQ(split(Unigram(pieces, 0, true, "test"), "\u00E9"), (Ids{0}));
  pieces.push_back({name(255), 0});
  EXPECT_EQ(split(Unigram(pieces, 0, true, "test"), "\u00E9"), (Ids{6 + 0xC3, 6 + 0xA9}));
  EXPECT_EQ(split(Unigram(pieces, 0, false, "test"), "\u00E9"), (Ids{0}));
}

TEST(Unigram, refuses_scores_and_ids_that_cannot_be) {
  EXPECT_THAT(error_of([] { Unigram({}, 0, false, "f"); }), HasSubstr("vocab: must hold"));
  EXPECT_THAT(error_of([] { Unigram(kPieces, 6, false, "f"); }), HasSubstr("unk_id"));
  EXPECT_THAT(error_of([] { Unigram(kPieces, -1, false, "f"); }), HasSubstr("unk_id"));
  EXPECT_THAT(error_of([] { Unigram({{"a", std::numeric_limits<double>::quiet_NaN()}}, 0, false, "f"); }),
              HasSubstr("piece 0: has a score"));
}

TEST(Unigram, a_million_letters_take_time_that_grows_with_the_length) {
  const Unigram model(kPieces, 0, false, "test");
  EXPECT_EQ(split(model, std::string(1'000'000, 'a')).size(), 1'000'000U);
}

nlohmann::json small_json() {
  return nlohmann::json::parse(R"({
    "model": {"type": "Unigram", "unk_id": 2,
              "vocab": [["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["\u2581", -2], ["\u2581a", -2], ["a", -3]]},
    "normalizer": null,
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
    "added_tokens": [{"id": 1, "content": "</s>"}]})");
}

UnigramTokenizer build(const nlohmann::json& json) { return UnigramTokenizer::from_tokenizer_json({"tokenizer.json", json.dump()}, {}); }

TEST(UnigramTokenizer, the_prepend_scheme_decides_where_a_mark_is_put) {
  auto json = small_json();
  EXPECT_EQ(build(json).encode("a</s>a"), (Ids{4, 1, 4}));
  json["pre_tokenizer"]["prepend_scheme"] = "first";
  EXPECT_EQ(build(json).encode("a</s>a"), (Ids{4, 1, 5}));
  json["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_EQ(build(json).encode("a</s>a"), (Ids{5, 1, 5}));
  json["pre_tokenizer"].erase("prepend_scheme");
  json["pre_tokenizer"]["add_prefix_space"] = true;
  EXPECT_EQ(build(json).encode("a"), (Ids{4}));
}

TEST(UnigramTokenizer, normalizer_steps_run_in_the_files_order) {
  auto json = small_json();
  json["normalizer"] = {{"type", "Sequence"},
                        {"normalizers",
                         {{{"type", "Replace"}, {"pattern", {{"String", "x"}}}, {"content", "  "}},
                          {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}},
                          {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}}}}};
  EXPECT_EQ(build(json).encode("xa xax"), (Ids{4, 4}));
}

TEST(UnigramTokenizer, a_row_ends_with_the_end_token_however_short) {
  const auto tokenizer = build(small_json());
  const auto row = tokenizer.encode_row("a a a", 6);
  EXPECT_EQ(row.ids, (Ids{4, 4, 4, 1, 0, 0}));
  EXPECT_EQ(row.real, 4U);
  EXPECT_EQ(tokenizer.encode_row("a a a", 3).ids, (Ids{4, 4, 1}));
  EXPECT_EQ(tokenizer.encode_row("a a a", 1).ids, (Ids{1}));
}

TEST(UnigramTokenizer, what_is_not_supported_is_refused_by_field) {
  const auto refused = [](const nlohmann::json::json_pointer& at, const nlohmann::json& value) {
    auto json = small_json();
    json[at] = value;
    return error_of([&] { build(json); });
  };
  using nlohmann::literals::operator""_json_pointer;
  EXPECT_THAT(refused("/model/type"_json_pointer, "BPE"), HasSubstr("tokenizer.json: model.type: must be Unigram"));
  EXPECT_THAT(refused("/model/vocab/3"_json_pointer, 7), HasSubstr("model.vocab[3]: must be a list"));
  EXPECT_THAT(refused("/model/vocab/3/1"_json_pointer, "x"), HasSubstr("model.vocab[3][1]: must be a number"));
  EXPECT_THAT(refused("/model/unk_id"_json_pointer, 99), HasSubstr("unk_id: is not the id of a piece"));
  EXPECT_THAT(refused("/pre_tokenizer/type"_json_pointer, "ByteLevel"), HasSubstr("pre_tokenizer.type: is not supported"));
  EXPECT_THAT(refused("/pre_tokenizer/replacement"_json_pointer, "_"), HasSubstr("must be U+2581"));
  EXPECT_THAT(refused("/normalizer"_json_pointer, {{"type", "Lowercase"}}), HasSubstr("normalizer.type: is not supported"));
  EXPECT_THAT(refused("/normalizer"_json_pointer, {{"type", "Precompiled"}, {"precompiled_charsmap", "A!"}}), HasSubstr("is no base64"));
  EXPECT_THAT(refused("/normalizer"_json_pointer, {{"type", "Precompiled"}, {"precompiled_charsmap", "AQAAAAAA"}}),
              HasSubstr("does not fit"));
  EXPECT_THAT(refused("/model/vocab/1/0"_json_pointer, "x"), "no error");  // the added token names it
  EXPECT_THAT(refused("/model/vocab/0/0"_json_pointer, "x"), HasSubstr("pad_token: the token '<pad>' is not in the vocabulary"));
}

TEST(SentencePieceFile, reads_pieces_scores_and_the_settings) {
  const auto file = parse_sentencepiece(golden("tok_umt5", "spiece.model"));
  EXPECT_EQ(file.pieces.size(), 538U);
  EXPECT_EQ(file.pieces[3].text, "<0x00>");
  EXPECT_EQ(file.unknown, 2);
  EXPECT_TRUE(file.byte_fallback);
  EXPECT_EQ(file.charsmap.size(), 240007U);
}

TEST(SentencePieceFile, a_file_cut_off_anywhere_is_refused_or_gives_fewer_pieces) {
  const auto whole = golden("tok_t5", "spiece.model");
  const auto pieces = parse_sentencepiece(whole).pieces.size();
  for (std::size_t length = 0; length < whole.text.size(); length += 97) {
    error_of([&] { EXPECT_LE(parse_sentencepiece({"cut", whole.text.substr(0, length)}).pieces.size(), pieces); });
  }
  EXPECT_THAT(error_of([&] { parse_sentencepiece({"cut", whole.text.substr(0, 3)}); }), HasSubstr("cut: model, field 1: is cut off"));
}

TEST(SentencePieceFile, refuses_other_models_and_wire_types) {
  EXPECT_THAT(error_of([] { parse_sentencepiece({"f", std::string("\x12\x02\x18\x02", 4)}); }), HasSubstr("model_type: must be unigram"));
  EXPECT_THAT(error_of([] { parse_sentencepiece({"f", "\x08\x01"}); }), HasSubstr("field 1: has another wire type"));
  EXPECT_THAT(error_of([] { parse_sentencepiece({"f", "\x0b"}); }), HasSubstr("wire type that is not supported"));
  EXPECT_THAT(error_of([] { parse_sentencepiece({"f", std::string(11, '\xFF')}); }), HasSubstr("more than 64 bits"));
  EXPECT_THAT(error_of([] { parse_sentencepiece({"f", "\x0a\x03\x0a\x01\xFF"}); }), HasSubstr("piece 0: is too long or no UTF-8"));
}

TEST(Charsmap, every_flipped_byte_gives_a_text_or_an_error) {
  auto bytes = parse_sentencepiece(golden("tok_t5", "spiece.model")).charsmap;
  const std::string text = "\uFF21 \u2460 \uFB01\r\n a\u0301 \u0E01\u0E33 \u30D1\u309A";
  EXPECT_EQ(Charsmap(bytes, "f", "map")("\uFF21\u2460\uFB01"), "A1fi");  // NFKC
  for (std::size_t i = 0; i < bytes.size(); i += i < 64 ? 1 : 1013) {
    const char kept = bytes[i];
    bytes[i] = static_cast<char>(kept ^ 0x5A);
    error_of([&] { Charsmap(bytes, "f", "map")(text); });
    bytes[i] = kept;
  }
}

}  // namespace
}  // namespace kinora::nn

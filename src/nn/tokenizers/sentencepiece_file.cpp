#include "nn/tokenizers/sentencepiece_file.hpp"

#include <cstring>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

// One message of the protobuf wire format, field by field.
class Message {
 public:
  Message(std::string_view bytes, const std::string& file, std::string name) : rest_(bytes), file_(file), name_(std::move(name)) {}

  bool next() {
    if (rest_.empty()) return false;
    const auto tag = varint();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    wire_ = static_cast<int>(tag & 7);
    switch (wire_) {
      case 0: integer_ = varint(); break;
      case 1: bytes_ = take(8); break;
      case 2: bytes_ = take(varint()); break;
      case 5: bytes_ = take(4); break;
      default: refuse("has a wire type that is not supported");
    }
    return true;
  }

  std::uint32_t number() const { return number_; }
  std::uint64_t integer() const { return want(0), integer_; }
  std::string_view bytes() const { return want(2), bytes_; }
  float real() const {
    want(5);
    float value = 0;
    std::memcpy(&value, bytes_.data(), sizeof value);
    return value;
  }
  [[noreturn]] void refuse(std::string_view reason) const {
    throw LoadError(file_, name_ + (number_ == 0 ? "" : ", field " + std::to_string(number_)), reason);
  }

 private:
  void want(int wire) const {
    if (wire_ != wire) refuse("has another wire type");
  }
  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) refuse("is cut off");
    const auto taken = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    refuse("has a number of more than 64 bits");
  }

  std::string_view rest_;
  const std::string& file_;
  std::string name_;
  std::uint32_t number_ = 0;
  int wire_ = 0;
  std::uint64_t integer_ = 0;
  std::string_view bytes_;
};

Piece parse_piece(std::string_view bytes, const std::string& file, std::size_t index) {
  Message message(bytes, file, "piece " + std::to_string(index));
  Piece piece;
  while (message.next()) {
    if (message.number() == 1) piece.text = message.bytes();
    if (message.number() == 2) piece.score = message.real();
  }
  if (piece.text.size() > kMaxTokenBytes || unicode::valid_utf8(piece.text) != piece.text)
    throw LoadError(file, "piece " + std::to_string(index), "is too long or no UTF-8");
  return piece;
}

void parse_trainer(std::string_view bytes, SentencePieceFile& model, const std::string& file) {
  constexpr std::uint64_t kUnigram = 1;
  Message message(bytes, file, "trainer_spec");
  while (message.next()) {
    if (message.number() == 3 && message.integer() != kUnigram) message.refuse("model_type: must be unigram");
    if (message.number() == 35) model.byte_fallback = message.integer() != 0;
    if (message.number() == 40) model.unknown = static_cast<TokenId>(message.integer());
  }
}

}  // namespace

SentencePieceFile parse_sentencepiece(const NamedText& file) {
  SentencePieceFile model;
  Message message(file.text, file.name, "model");
  while (message.next()) {
    if (message.number() == 1) {
      if (model.pieces.size() == kMaxVocabulary) message.refuse("more than " + std::to_string(kMaxVocabulary) + " pieces");
      model.pieces.push_back(parse_piece(message.bytes(), file.name, model.pieces.size()));
    }
    if (message.number() == 2) parse_trainer(message.bytes(), model, file.name);
    if (message.number() == 3) {
      Message normalizer(message.bytes(), file.name, "normalizer_spec");
      while (normalizer.next())
        if (normalizer.number() == 2) model.charsmap = normalizer.bytes();
    }
  }
  return model;
}

}  // namespace kinora::nn

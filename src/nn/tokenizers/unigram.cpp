#include "nn/tokenizers/unigram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr std::size_t kMaxNodes = 1 << 24;  // a key keeps 24 bits for a node

std::size_t slot_of(std::uint32_t key, std::size_t slots) { return std::uint64_t{key * 2654435769U} * slots >> 32; }

}  // namespace

Unigram::Unigram(const std::vector<Piece>& pieces, TokenId unknown, bool byte_fallback, std::string_view file)
    : edges_(1024), pieces_{-1}, unknown_(unknown) {
  if (pieces.empty() || pieces.size() > kMaxVocabulary)
    throw LoadError(file, "vocab", "must hold 1 to " + std::to_string(kMaxVocabulary) + " pieces");
  if (unknown < 0 || static_cast<std::size_t>(unknown) >= pieces.size()) throw LoadError(file, "unk_id", "is not the id of a piece");
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const auto& [text, score] = pieces[id];
    const auto name = "piece " + std::to_string(id);
    if (!std::isfinite(score)) throw LoadError(file, name, "has a score that is no number");
    scores_.push_back(score);
    lowest = std::min(lowest, score);
    if (text.empty()) continue;  // can never be found
    if (pieces_.size() + text.size() > kMaxNodes) throw LoadError(file, name, "makes the vocabulary too large");
    Node node = 0;
    for (const char c : text) node = add_step(node, static_cast<unsigned char>(c));
    pieces_[node] = static_cast<TokenId>(id);
  }
  unknown_score_ = lowest - kUnknownPenalty;
  byte_fallback_ = byte_fallback;
  for (unsigned byte = 0; byte < 256 && byte_fallback_; ++byte) {
    std::array<char, 8> name;
    std::snprintf(name.data(), name.size(), "<0x%02X>", byte);
    const auto id = find(name.data());
    byte_fallback_ = id.has_value();
    bytes_[byte] = id.value_or(unknown);
  }
}

Unigram::Node Unigram::step(Node node, unsigned char byte) const {
  const auto key = node << 8 | byte;
  for (auto slot = slot_of(key, edges_.size());; slot = (slot + 1) & (edges_.size() - 1)) {
    if (edges_[slot].child == 0) return 0;
    if (edges_[slot].key == key) return edges_[slot].child;
  }
}

Unigram::Node Unigram::add_step(Node node, unsigned char byte) {
  if (const auto child = step(node, byte)) return child;
  if (2 * pieces_.size() >= edges_.size()) grow();
  const auto child = static_cast<Node>(pieces_.size());
  pieces_.push_back(-1);
  const auto key = node << 8 | byte;
  auto slot = slot_of(key, edges_.size());
  while (edges_[slot].child != 0) slot = (slot + 1) & (edges_.size() - 1);
  edges_[slot] = {key, child};
  return child;
}

void Unigram::grow() {
  std::vector<Edge> larger(2 * edges_.size());
  for (const auto& edge : edges_) {
    if (edge.child == 0) continue;
    auto slot = slot_of(edge.key, larger.size());
    while (larger[slot].child != 0) slot = (slot + 1) & (larger.size() - 1);
    larger[slot] = edge;
  }
  edges_ = std::move(larger);
}

std::optional<TokenId> Unigram::find(std::string_view piece) const {
  Node node = 0;
  for (const char c : piece) {
    node = step(node, static_cast<unsigned char>(c));
    if (node == 0) return std::nullopt;
  }
  return pieces_[node] < 0 ? std::nullopt : std::optional(pieces_[node]);
}

// Viterbi over the ends of characters.
void Unigram::encode(std::string_view text, std::vector<TokenId>& ids) const {
  struct Best {
    double score = 0;
    std::int64_t begin = -1;  // of the last piece; -1: not reached
    TokenId id = 0;
  };
  std::vector<Best> best(text.size() + 1);
  const auto offer = [&](std::size_t end, std::size_t begin, TokenId id, double score) {
    if (best[end].begin < 0 || score > best[end].score) best[end] = {score, static_cast<std::int64_t>(begin), id};
  };
  for (std::size_t i = 0; i < text.size();) {
    auto behind = i;
    unicode::next(text, behind);
    bool single = false;  // some piece is this very character
    Node node = 0;
    for (auto end = i; end < text.size();) {
      node = step(node, static_cast<unsigned char>(text[end]));
      if (node == 0) break;
      ++end;
      const auto id = pieces_[node];
      if (id < 0) continue;
      offer(end, i, id, scores_[static_cast<std::size_t>(id)] + best[i].score);
      single = single || end == behind;
    }
    if (!single) offer(behind, i, unknown_, unknown_score_ + best[i].score);
    i = behind;
  }

  struct Part {
    std::size_t begin, end;
    TokenId id;
  };
  std::vector<Part> parts;  // from the last to the first, unknown neighbours joined
  for (auto end = text.size(); end > 0;) {
    const auto begin = static_cast<std::size_t>(best[end].begin);
    const auto id = best[end].id;
    if (!parts.empty() && id == unknown_ && parts.back().id == unknown_)
      parts.back().begin = begin;
    else
      parts.push_back({begin, end, id});
    end = begin;
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->id != unknown_ || !byte_fallback_) {
      ids.push_back(part->id);
      continue;
    }
    for (auto i = part->begin; i < part->end; ++i) ids.push_back(bytes_[static_cast<unsigned char>(text[i])]);
  }
}

}  // namespace kinora::nn

#include "nn/tokenizers/byte_pair.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

std::uint64_t key(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

std::size_t slot_of(std::uint64_t pair, std::size_t slots) { return (pair * 0x9E3779B97F4A7C15ULL) >> (64 - std::countr_zero(slots)); }

struct Symbol {
  TokenId id;
  std::int32_t previous, next;  // -1: none
  bool alive;
};

struct Candidate {
  std::int32_t rank, position;
  TokenId merged;
  // A heap gives the greatest: the lowest rank, then the leftmost.
  bool operator<(const Candidate& other) const { return std::tie(rank, position) > std::tie(other.rank, other.position); }
};

}  // namespace

std::string byte_character(unsigned char byte) {
  static const auto table = [] {
    std::array<char32_t, 256> codes{};
    char32_t spare = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      codes[b] = itself ? b : spare++;
    }
    return codes;
  }();
  std::string text;
  unicode::append(text, table[byte]);
  return text;
}

BytePair::BytePair(const Vocabulary& vocabulary, const std::vector<MergeRule>& rules, std::string_view suffix,
                   std::optional<TokenId> unknown, std::string_view file)
    : rules_(std::bit_ceil(std::max<std::size_t>(2 * rules.size(), 2))) {
  const auto id = [&](const std::string& token) -> std::optional<TokenId> {
    const auto found = vocabulary.find(token);
    return found == vocabulary.end() ? unknown : std::optional(found->second);
  };
  for (int byte = 0; byte < 256; ++byte) {
    const auto character = byte_character(static_cast<unsigned char>(byte));
    inner_[static_cast<std::size_t>(byte)] = id(character);
    last_[static_cast<std::size_t>(byte)] = id(character + std::string(suffix));
  }
  const auto known = [&](const std::string& token, std::size_t rank) {
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end())
      throw LoadError(file, "merges", "rule " + std::to_string(rank + 1) + " needs the token '" + token + "', which the vocabulary lacks");
    return found->second;
  };
  for (std::size_t rank = 0; rank < rules.size(); ++rank) {
    const auto& [left, right] = rules[rank];
    insert({key(known(left, rank), known(right, rank)), static_cast<std::int32_t>(rank), known(left + right, rank)});
  }
}

void BytePair::insert(Rule rule) {
  for (auto slot = slot_of(rule.pair, rules_.size());; slot = (slot + 1) & (rules_.size() - 1)) {
    if (rules_[slot].pair == rule.pair) return;  // given twice: the earlier one stands
    if (rules_[slot].pair == ~std::uint64_t{0}) {
      rules_[slot] = rule;
      return;
    }
  }
}

const BytePair::Rule* BytePair::find(TokenId left, TokenId right) const {
  const auto pair = key(left, right);
  for (auto slot = slot_of(pair, rules_.size());; slot = (slot + 1) & (rules_.size() - 1)) {
    if (rules_[slot].pair == pair) return &rules_[slot];
    if (rules_[slot].pair == ~std::uint64_t{0}) return nullptr;
  }
}

void BytePair::encode(std::string_view word, std::vector<TokenId>& ids) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    const auto id = i + 1 == word.size() ? last_[byte] : inner_[byte];
    const auto here = static_cast<std::int32_t>(symbols.size());
    if (id) symbols.push_back({*id, here - 1, here + 1, true});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;

  std::vector<Candidate> heap;
  const auto propose = [&](std::int32_t left) {
    const auto& symbol = symbols[static_cast<std::size_t>(left)];
    if (symbol.next < 0) return;
    if (const auto* rule = find(symbol.id, symbols[static_cast<std::size_t>(symbol.next)].id)) {
      heap.push_back({rule->rank, left, rule->merged});
      std::push_heap(heap.begin(), heap.end());
    }
  };
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(symbols.size()); ++i) propose(i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const auto [rank, position, merged] = heap.back();
    heap.pop_back();
    auto& left = symbols[static_cast<std::size_t>(position)];
    if (!left.alive || left.next < 0) continue;
    auto& right = symbols[static_cast<std::size_t>(left.next)];
    const auto* rule = find(left.id, right.id);
    if (rule == nullptr || rule->rank != rank) continue;  // one of the two has changed since
    left.id = merged;
    left.next = right.next;
    right.alive = false;
    if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = position;
    if (left.previous >= 0) propose(left.previous);
    propose(position);
  }
  for (std::int32_t i = 0; i >= 0; i = symbols[static_cast<std::size_t>(i)].next) ids.push_back(symbols[static_cast<std::size_t>(i)].id);
}

}  // namespace kinora::nn

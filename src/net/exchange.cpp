#include "net/exchange.hpp"

#include <algorithm>
#include <cstring>

namespace kinora::net {

void ByteQueue::push(std::string_view bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  if (!pieces_.empty() && pieces_.back().size() + bytes.size() <= kMaxPieceBytes) {
    pieces_.back() += bytes;
  } else {
    pieces_.emplace_back(bytes);
  }
}

void ByteQueue::push(std::string&& bytes) {
  constexpr std::size_t cheaper_to_copy = 4096;
  if (bytes.size() < cheaper_to_copy) return push(std::string_view(bytes));
  size_ += bytes.size();
  pieces_.push_back(std::move(bytes));
}

std::string ByteQueue::pop(std::size_t max) {
  if (pieces_.empty()) return {};
  std::string& front = pieces_.front();
  if (offset_ == 0 && front.size() <= max) {
    std::string out = std::move(front);
    size_ -= out.size();
    pieces_.pop_front();
    return out;
  }
  std::string out = front.substr(offset_, max);
  took(out.size());
  return out;
}

std::size_t ByteQueue::copy(std::uint8_t* to, std::size_t max) {
  std::size_t done = 0;
  while (done < max && !pieces_.empty()) {
    const std::size_t n = std::min(max - done, pieces_.front().size() - offset_);
    std::memcpy(to + done, pieces_.front().data() + offset_, n);
    took(n);
    done += n;
  }
  return done;
}

void ByteQueue::clear() {
  pieces_.clear();
  offset_ = 0;
  size_ = 0;
}

void ByteQueue::took(std::size_t bytes) {
  size_ -= bytes;
  offset_ += bytes;
  if (offset_ < pieces_.front().size()) return;
  pieces_.pop_front();
  offset_ = 0;
}

}  // namespace kinora::net

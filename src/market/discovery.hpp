#pragma once
// Asks the nodes of a book what they offer (GetOrchestrator): at most one question per node and capability is on its way,
// whoever waits for it. Questions belong to the Discovery, not to those who wait; close() cancels them.
// Make it with std::make_shared: a question that is being cancelled keeps it alive until it has ended.
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <utility>

#include "market/book.hpp"
#include "net/client.hpp"
#include "net/sync.hpp"

namespace kinora::market {

class Discovery : public std::enable_shared_from_this<Discovery> {
 public:
  // on_answer is called after each question, until close().
  Discovery(boost::asio::any_io_executor executor, net::Client& client, std::shared_ptr<Book> book, MarketSettings settings, Clock clock,
            std::function<void()> on_answer);

  // A round: asks all nodes that know too little, in parallel. Ends when all have answered, or at discovery_timeout,
  // doubling, if a slot is known to be free, and at discovery_cutoff in any case. Late answers are still entered.
  Task<void> round(std::string capability);
  // Begins the questions of a round and does not wait for them.
  void begin(const std::string& capability);
  void close();
  std::size_t questions() const { return questions_.size(); }

 private:
  struct Question {
    Question(boost::asio::any_io_executor executor, std::size_t node_, std::string capability_)
        : node(node_), capability(std::move(capability_)), answered(std::move(executor)) {}
    std::size_t node;
    std::string capability;
    bool done = false;
    net::Signal answered;
  };
  using Questions = std::vector<std::shared_ptr<Question>>;
  Questions ask_stale(const std::string& capability);
  static Task<void> ask(std::shared_ptr<Discovery> self, std::shared_ptr<Question> question);
  Task<void> enter_answer(const Question& question);
  void done(Question& question);

  boost::asio::any_io_executor executor_;
  net::Client& client_;
  std::shared_ptr<Book> book_;
  MarketSettings settings_;
  Clock clock_;
  std::function<void()> on_answer_;
  std::map<std::pair<std::size_t, std::string>, std::shared_ptr<Question>> questions_;
  bool closed_ = false;
  net::TaskGroup group_;
};

}  // namespace kinora::market

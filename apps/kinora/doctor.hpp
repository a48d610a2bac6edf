#pragma once
// The checks of `kinora doctor`. Each looks at one thing a node needs by using it: it starts the media program and, for
// each of worker.devices, the model runner, and asks them.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

namespace kinora::cli {

struct Finding {
  enum class State { good, note, missing };
  std::string check;  // "media"
  State state = State::good;
  std::string detail;
  std::string remedy;  // what to do; empty when nothing is to be done
};

boost::asio::awaitable<std::vector<Finding>> examine(boost::asio::any_io_executor executor);

}  // namespace kinora::cli

#include "gateway/slots.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace kinora::gateway {
namespace asio = boost::asio;

net::Task<Slots::Lease> Slots::acquire() {
  if (free_ > 0 && line_.empty()) {
    --free_;
    co_return Lease(this);
  }
  Waiter waiter{asio::steady_timer(executor_, asio::steady_timer::time_point::max())};
  struct InLine {  // leaves the line whatever ends the wait
    Slots& slots;
    Waiter& waiter;
    ~InLine() {
      if (!waiter.granted) std::erase(slots.line_, &waiter);
    }
  } in_line{*this, waiter};
  line_.push_back(&waiter);
  co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiter.granted) throw boost::system::system_error(asio::error::operation_aborted);
  co_return Lease(this);
}

void Slots::release() {
  if (line_.empty()) {
    ++free_;
    return;
  }
  Waiter* next = line_.front();
  line_.pop_front();
  next->granted = true;  // the place goes over without becoming free in between
  next->timer.cancel();
}

}  // namespace kinora::gateway

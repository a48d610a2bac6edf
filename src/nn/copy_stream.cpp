#include "nn/copy_stream.hpp"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <optional>
#include <utility>

namespace kinora::nn {

struct CopyStream::Streams {
  explicit Streams(c10::Device device) : guard(device.type()), own(guard.getNewStream(device)), copied(device.type()) {}
  c10::impl::VirtualGuardImpl guard;
  c10::Stream own;
  c10::Event copied;
  std::optional<c10::Event> reached;  // by the computing stream, at the last follow()
};

CopyStream::CopyStream(c10::Device device) : device_(device) {
  if (device.is_cuda()) streams_ = std::make_unique<Streams>(device);
}
CopyStream::~CopyStream() = default;

void CopyStream::begin(const std::function<void()>& copies) {
  if (!streams_) return copies();
  const c10::StreamGuard guard(streams_->own);
  copies();
  streams_->copied.record(streams_->own);
}

void CopyStream::wait() {
  if (streams_) streams_->copied.block(streams_->guard.getStream(device_));
}

void CopyStream::used(const at::Tensor& copy) {
  if (streams_) copy.record_stream(streams_->guard.getStream(device_));
}

void CopyStream::follow() {
  if (!streams_) return;
  if (streams_->reached) streams_->reached->synchronize();
  streams_->reached.emplace(device_.type());
  streams_->reached->record(streams_->guard.getStream(device_));
}

}  // namespace kinora::nn

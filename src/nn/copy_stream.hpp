#pragma once
// Copies of weights to a device beside what it computes: by a stream of their own where the device has streams, else at once. One thread.
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace kinora::nn {

class CopyStream {
 public:
  explicit CopyStream(c10::Device device);
  ~CopyStream();

  // `copies` with the stream as the current one.
  void begin(const std::function<void()>& copies);
  // What the device is given from now on comes after the copies that were begun.
  void wait();
  // A tensor that a copy made is used by what the device computes: its memory is not given to a copy before that is done.
  void used(const at::Tensor& copy);
  // Returns once the device has done what it was given before the last call but one: what that used may be counted as free.
  void follow();

 private:
  struct Streams;
  c10::Device device_;
  std::unique_ptr<Streams> streams_;  // none on the CPU
};

}  // namespace kinora::nn

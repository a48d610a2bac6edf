#include "gateway/order_links.hpp"

#include <fmt/format.h>

namespace kinora::gateway {

void OrderLinks::complete(tasks::TaskOrder& order, base::UnixMillis now) const {
  const auto expires = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::seconds{order.deadline_s} + kOrderSlack;
  for (auto& input : order.inputs) {
    const std::string path = fmt::format("/v1/attempts/{}/inputs/{}", order.attempt, input.sha256.value_or(""));
    input.url = address_.absolute(path) + "?" + signer_.sign("GET", path, {expires, {}, {}});
  }
  order.upload = tasks::UploadTarget{address_.absolute(fmt::format("/v1/attempts/{}/files/", order.attempt)),
                                     attempt_token(attempt_key_, order.attempt, expires)};
  order.tls_pin.reset();
  if (!address_.tls_pin.empty()) order.tls_pin = address_.tls_pin;
}

base::Status OrderLinks::check_input(std::string_view path, std::string_view query, base::UnixMillis now) const {
  KINORA_TRY([[maybe_unused]] const SignedQuery what, signer_.verify("GET", path, query, now));
  return {};
}

base::Status OrderLinks::check_upload(std::string_view attempt, std::string_view token, base::UnixMillis now) const {
  return verify_attempt_token(attempt_key_, attempt, token, now);
}

}  // namespace kinora::gateway

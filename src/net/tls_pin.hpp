#pragma once
// The pin of a certificate's public key, in OpenSSL's terms (tls.hpp explains pins).
#include <openssl/ossl_typ.h>

#include <string>

namespace kinora::net {

std::string certificate_pin(X509* certificate);  // empty when the key cannot be written as DER

}  // namespace kinora::net

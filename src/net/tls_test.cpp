#include "net/tls.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

namespace kinora::net {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "kinora-tls-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string output_of(const std::string& command) {
  std::string out;
  FILE* const pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), n);
  ::pclose(pipe);
  return out;
}

// The openssl command is the outside judge of what we generate.
std::string openssl(const std::string& arguments, const std::string& pem) {
  const Folder folder;
  write(folder.path / "in.pem", pem);
  return output_of("openssl " + arguments + " < " + (folder.path / "in.pem").string() + " 2>&1");
}

TEST(Identity, is_a_self_signed_p256_certificate_for_the_host) {
  const auto named = generate_identity("node.example").value();
  const std::string text = openssl("x509 -noout -text", named.certificate_pem);
  EXPECT_NE(text.find("DNS:node.example"), std::string::npos) << text;
  EXPECT_NE(text.find("NIST CURVE: P-256"), std::string::npos);
  EXPECT_NE(text.find("CA:TRUE"), std::string::npos);
  EXPECT_NE(text.find("TLS Web Server Authentication"), std::string::npos);
  EXPECT_NE(text.find("ecdsa-with-SHA256"), std::string::npos);
  EXPECT_NE(openssl("x509 -noout -text", generate_identity("::1").value().certificate_pem).find("IP Address:0:0:0:0:0:0:0:1"),
            std::string::npos);
  EXPECT_NE(named.key_pem.find("BEGIN EC PRIVATE KEY"), std::string::npos);
}

TEST(Identity, has_the_pin_that_openssl_computes) {
  const auto identity = generate_identity("127.0.0.1").value();
  const Folder folder;
  write(folder.path / "cert.pem", identity.certificate_pem);
  const std::string digest = output_of("openssl x509 -pubkey -noout -in " + (folder.path / "cert.pem").string() +
                                       " | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64 -A");
  EXPECT_EQ(identity.pin, "sha256/" + digest);
  EXPECT_EQ(pin_of_certificate(identity.certificate_pem).value(), identity.pin);
  EXPECT_TRUE(is_pin(identity.pin));
}

TEST(Identity, refuses_hosts_that_are_no_names) {
  for (const char* host : {"", "a b", "a,IP:1.2.3.4", "a\nb", "*"}) EXPECT_FALSE(generate_identity(host)) << host;
}

TEST(Identity, is_made_once_and_kept_with_a_private_key_file) {
  const Folder folder;
  const auto first = load_or_create_identity(folder.path / "keys", "127.0.0.1").value();
  const auto second = load_or_create_identity(folder.path / "keys", "127.0.0.1").value();
  EXPECT_EQ(first.pin, second.pin);
  EXPECT_EQ(first.certificate_pem, second.certificate_pem);
  struct stat status{};
  ASSERT_EQ(::stat((folder.path / "keys/key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(Identity, renews_a_lost_or_expired_certificate_with_the_same_key) {
  const Folder folder;
  const auto first = load_or_create_identity(folder.path, "127.0.0.1").value();
  fs::remove(folder.path / "cert.pem");
  EXPECT_EQ(load_or_create_identity(folder.path, "127.0.0.1").value().pin, first.pin);
  const std::string at = folder.path.string();
  output_of("cd " + at +
            " && openssl req -new -key key.pem -subj /CN=x -out r.csr 2>&1 && openssl x509 -req -in r.csr -signkey key.pem -days -1 -out "
            "cert.pem 2>&1");
  const auto renewed = load_or_create_identity(folder.path, "127.0.0.1").value();
  EXPECT_EQ(renewed.pin, first.pin);
  EXPECT_NE(output_of("openssl x509 -checkend 31000000 -noout -in " + at + "/cert.pem").find("will not expire"), std::string::npos);
}

TEST(Identity, refuses_broken_and_mismatched_files) {
  const Folder folder;
  const auto good = load_or_create_identity(folder.path, "127.0.0.1").value();
  write(folder.path / "key.pem", generate_identity("127.0.0.1").value().key_pem);
  EXPECT_EQ(load_or_create_identity(folder.path, "127.0.0.1").error().code, base::ErrorCode::invalid) << "another key";
  write(folder.path / "key.pem", "nonsense");
  EXPECT_EQ(load_or_create_identity(folder.path, "127.0.0.1").error().code, base::ErrorCode::invalid);
  fs::remove(folder.path / "key.pem");
  EXPECT_EQ(load_or_create_identity(folder.path, "127.0.0.1").error().code, base::ErrorCode::invalid) << "the key is gone";
  write(folder.path / "key.pem", good.key_pem);
  write(folder.path / "cert.pem", std::string(100'000, 'x'));
  EXPECT_EQ(load_or_create_identity(folder.path, "127.0.0.1").error().code, base::ErrorCode::too_large);
}

TEST(Pin, is_sha256_in_standard_base64) {
  EXPECT_TRUE(is_pin("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
  for (const char* text :
       {"", "sha256/", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256/47DEQpj8HBSa", "sha256/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU="}) {
    EXPECT_FALSE(is_pin(text)) << text;
  }
}

}  // namespace
}  // namespace kinora::net

// HttpClient: one HTTP exchange after the other over kept connections, on libcurl. TLS is always verified, no
// redirect is followed, every wait and every answer has a bound. Proxies come from the environment as curl
// reads it (http_proxy, https_proxy, all_proxy, no_proxy), but loopback is always reached directly.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace virtmeter {

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{60'000};
  // A transfer that moves less than kStallBytesPerSec for so long is given up. Servers may think for a while
  // before they answer, and that counts.
  std::chrono::seconds stall_timeout{30};
  std::string ca_file;  // PEM. Empty: the system's certificate authorities.
  std::size_t response_bytes_max = 64u << 10;
  std::string user_agent = "virtmeter/" VIRTMETER_VERSION;
};

struct HttpHeader {
  std::string name;
  std::string value;
};

enum class HttpMethod : std::uint8_t { get, post };

struct HttpRequest {
  HttpMethod method = HttpMethod::get;
  std::string url;
  std::vector<HttpHeader> headers;
  std::string_view body;               // For post; read during send() only.
  std::size_t response_bytes_max = 0;  // 0: that of HttpOptions.
};

struct HttpResponse {
  int status = 0;
  std::string body;                 // At most response_bytes_max.
  bool body_cut = false;            // There was more, which was not read: too long, too slow, or torn off.
  std::vector<HttpHeader> headers;  // Those of HttpClient::kHeadersKept that came.

  // The header's value, names compared without case; empty when it did not come or is not kept.
  std::string_view header(std::string_view name) const;
};

// One thread at a time may send(); cancel() is thread-safe.
class HttpClient {
 public:
  static constexpr long kStallBytesPerSec = 100;
  static constexpr std::string_view kHeadersKept[] = {
      "Retry-After",       "X-Influxdb-Version", "X-Influxdb-Build", "X-Influxdb-Error",
      "X-Server-Hostname", "cluster-uuid",       "Location",         "WWW-Authenticate"};

  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The server's answer, whatever its status; or why there is none (http_error.h names the kinds). An answer
  // whose head came whole is one, even if the body did not. No header of the request is ever repeated in an
  // error.
  Result<HttpResponse> send(const HttpRequest& request);

  // How many connections were made so far. One more than before: no kept one served any longer, because the
  // server closed it, was restarted, or is another by now.
  std::uint64_t connections_made() const { return connections_made_; }

  // Ends the transfer under way, and every later one, at once. For shutdown. Thread-safe.
  void cancel();

 private:
  struct EasyCleanup {
    void operator()(void* easy) const;
  };
  struct MultiCleanup {
    void operator()(void* multi) const;
  };
  struct Transfer;

  void prepare(const HttpRequest& request, Transfer& transfer);
  int perform();  // A CURLcode.
  Result<HttpResponse> finish(int code, Transfer& transfer);
  Error failure(int code, const Transfer& transfer) const;

  const HttpOptions options_;
  std::uint64_t connections_made_ = 0;
  std::atomic<bool> cancelled_{false};
  // The multi handle owns the connections; it is used instead of curl_easy_perform() because it can be woken.
  std::unique_ptr<void, MultiCleanup> multi_;
  std::unique_ptr<void, EasyCleanup> easy_;
};

}  // namespace virtmeter

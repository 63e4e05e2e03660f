#include "net/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "net/http_error.h"
#include "net/url.h"

namespace virtmeter {
namespace {

constexpr std::size_t kHeaderValueBytesMax = 1024;
constexpr long kConnectionsKept = 2;
constexpr int kPollMs = 1000;

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void append(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  CHECK(longer != nullptr);
  static_cast<void>(list.release());
  list.reset(longer);
}

// OpenSSL writes to sockets without MSG_NOSIGNAL, so a server that went away would end the process by
// SIGPIPE. Blocks it on this thread for one transfer, and takes away the one the transfer has raised.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    pending_before_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeGuard() {
    sigset_t pending;
    sigpending(&pending);
    constexpr timespec kNow{};
    if (!pending_before_ && sigismember(&pending, SIGPIPE) == 1) sigtimedwait(&pipe_, nullptr, &kNow);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool pending_before_ = false;
};

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// curl_global_init() is wanted once per process, before the first handle.
void initialize_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(code == CURLE_OK);
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

}  // namespace

struct HttpClient::Transfer {
  HttpResponse response;
  bool head_ended = false;  // Of the answer itself, not of an interim one.
  std::size_t body_bytes_max = 0;
  std::string origin;
  HeaderList headers{nullptr, &curl_slist_free_all};
  std::array<char, CURL_ERROR_SIZE> words{};

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t room = transfer.body_bytes_max - transfer.response.body.size();
    transfer.response.body.append(data, std::min(size, room));
    if (size <= room) return size;
    transfer.response.body_cut = true;
    return 0;  // Less than size: curl ends the transfer with CURLE_WRITE_ERROR.
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    static_cast<Transfer*>(self)->keep_header(trimmed({data, size}));
    return size;
  }

  // A status line begins a new answer; one before it was interim (1xx) or a proxy's own.
  void begin_answer() {
    response.headers.clear();
    head_ended = false;
  }

  void keep_header(std::string_view line) {
    if (line.empty()) head_ended = true;
    if (line.starts_with("HTTP/")) return begin_answer();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    for (const std::string_view name : kHeadersKept) {
      if (!equal_without_case(name, line.substr(0, colon))) continue;
      const std::string_view value = trimmed(line.substr(colon + 1)).substr(0, kHeaderValueBytesMax);
      if (response.header(name).empty()) response.headers.push_back({std::string(name), std::string(value)});
    }
  }
};

std::string_view HttpResponse::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (equal_without_case(header.name, name)) return header.value;
  }
  return {};
}

void HttpClient::EasyCleanup::operator()(void* easy) const { curl_easy_cleanup(easy); }
void HttpClient::MultiCleanup::operator()(void* multi) const { curl_multi_cleanup(multi); }

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  initialize_curl();
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  CHECK(multi_ != nullptr && easy_ != nullptr);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kConnectionsKept);
}

HttpClient::~HttpClient() = default;

void HttpClient::cancel() {
  cancelled_ = true;
  curl_multi_wakeup(multi_.get());
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  const Result<Url> url = parse_url(request.url.substr(0, request.url.find('?')));
  if (!url) return url.error();
  for (const HttpHeader& header : request.headers) {
    if (!has_control_character(header.name) && !has_control_character(header.value)) continue;
    return Error{
        Errc::invalid,
        fmt::format("{}: header {} holds a control character", url->origin(), printable(header.name)),
        "look for a line break inside the token or its file"};
  }
  Transfer transfer;
  transfer.body_bytes_max =
      request.response_bytes_max != 0 ? request.response_bytes_max : options_.response_bytes_max;
  transfer.origin = url->origin();
  prepare(request, transfer);
  if (is_loopback(url->host)) set(easy_.get(), CURLOPT_PROXY, "");
  Result<HttpResponse> outcome = finish(perform(), transfer);
  // The handle outlives `transfer` and the request's body, and must not go on pointing at them.
  curl_easy_reset(easy_.get());
  return outcome;
}

Result<HttpResponse> HttpClient::finish(int code, Transfer& transfer) {
  long connects = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connects);
  connections_made_ += static_cast<std::uint64_t>(std::max(connects, 0L));
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) {
    // The status decides what a request has led to. The rest of an answer is not worth doing it again.
    if (!transfer.head_ended || status < 200 || cancelled_) return failure(code, transfer);
    transfer.response.body_cut = true;
  }
  transfer.response.status = static_cast<int>(status);
  return std::move(transfer.response);
}

void HttpClient::prepare(const HttpRequest& request, Transfer& transfer) {
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSec);
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) set(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // A name look-up that hangs must not hold up a shutdown.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_ERRORBUFFER, transfer.words.data());
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(easy, CURLOPT_WRITEDATA, &transfer);
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(easy, CURLOPT_HEADERDATA, &transfer);
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

  // Waiting for "100 Continue" costs a round trip, or a second where the server does not know it.
  append(transfer.headers, "Expect:");
  for (const HttpHeader& header : request.headers)
    append(transfer.headers, header.name + ": " + header.value);
  set(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  if (request.method != HttpMethod::post) return;
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
}

int HttpClient::perform() {
  if (cancelled_) return CURLE_ABORTED_BY_CALLBACK;
  const SigpipeGuard guard;
  CHECK(curl_multi_add_handle(multi_.get(), easy_.get()) == CURLM_OK);
  int running = 1;
  std::optional<CURLMcode> broken;
  while (running != 0 && !cancelled_ && !broken) {
    CURLMcode code = curl_multi_perform(multi_.get(), &running);
    if (code == CURLM_OK && running != 0) code = curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
    if (code != CURLM_OK) broken = code;
  }
  int result = cancelled_ ? CURLE_ABORTED_BY_CALLBACK : CURLE_FAILED_INIT;
  int messages = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &messages)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_multi_remove_handle(multi_.get(), easy_.get());
  return result;
}

Error HttpClient::failure(int code, const Transfer& transfer) const {
  FailedTransfer failed;
  failed.code = static_cast<CURLcode>(code);
  failed.origin = transfer.origin;
  failed.words = transfer.words.data();
  failed.ca_file = options_.ca_file;
  failed.connect_timeout = std::min(options_.connect_timeout, options_.total_timeout);
  failed.total_timeout = options_.total_timeout;
  failed.stall_timeout = options_.stall_timeout;
  long os_errno = 0;
  long sent = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_errno);
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &sent);
  failed.os_errno = static_cast<int>(os_errno);
  failed.bytes_sent = static_cast<std::size_t>(sent);
  return http_error(failed);
}

}  // namespace virtmeter

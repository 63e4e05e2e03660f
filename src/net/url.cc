#include "net/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"

namespace virtmeter {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

constexpr std::string_view kForm =
    "write it as http://HOST:PORT or https://HOST:PORT, with a path if the server has one";

std::string part(CURLU* handle, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

// What may be shown of a URL that is refused: nothing before an '@', where a password would stand, and no
// query. Where it cannot be told which of them an '@' belongs to, nothing.
std::string shown(std::string_view text) {
  const std::size_t query = text.find_first_of("?#");
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return printable(text.substr(0, query));
  if (query < at) return "...";
  return "..." + printable(text.substr(0, query).substr(at));
}

std::optional<Error> refusal_of_secrets(CURLU* handle, std::string_view text) {
  if (!part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty()) {
    return Error{Errc::invalid, fmt::format("url {}: holds a user name or password", shown(text)),
                 "give the credential in its own setting, as user:password, and leave it out of the URL"};
  }
  if (!part(handle, CURLUPART_QUERY).empty() || !part(handle, CURLUPART_FRAGMENT).empty()) {
    return Error{Errc::invalid, fmt::format("url {}: holds a query", shown(text)),
                 "leave out everything from the '?' or '#' on: database, organization and token have their "
                 "own settings"};
  }
  return std::nullopt;
}

}  // namespace

std::string Url::origin() const { return scheme + "://" + host + (port.empty() ? "" : ":" + port); }

Result<Url> parse_url(std::string_view text) {
  const Handle handle(curl_url(), &curl_url_cleanup);
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) {
    return Error{Errc::invalid, fmt::format("url {}: {}", shown(text), curl_url_strerror(code)),
                 std::string(kForm)};
  }
  Url url{part(handle.get(), CURLUPART_SCHEME), part(handle.get(), CURLUPART_HOST),
          part(handle.get(), CURLUPART_PORT), part(handle.get(), CURLUPART_PATH)};
  if ((url.scheme != "http" && url.scheme != "https") || url.host.empty()) {
    return Error{Errc::invalid, fmt::format("url {}: neither http nor https", shown(text)),
                 std::string(kForm)};
  }
  if (auto refusal = refusal_of_secrets(handle.get(), text)) return *std::move(refusal);
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  return url;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 0x0F];
  }
  return out;
}

bool is_loopback(std::string_view host) {
  std::string name(host);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name == "localhost" || name == "[::1]" || name == "::1") return true;
  if (name.ends_with(".localhost")) return true;
  // Only a literal address counts: 127.evil.example is a name like any other.
  const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
  return address && name.starts_with("127.");
}

}  // namespace virtmeter

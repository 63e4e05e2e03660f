#include "config/text_rules.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>

#include "base/text.h"
#include "config/problem.h"

namespace virtmeter {
namespace {

constexpr std::size_t kTextBytesMax = 4096;

bool is_printable(std::string_view text) { return printable(text, text.size() + 1) == text; }

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

// A name, an IPv4 address, or an IPv6 address in brackets. Whether it exists, only the network knows.
bool is_host(std::string_view text) {
  const auto all = [](std::string_view part, std::string_view more) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [&](unsigned char c) {
      return std::isalnum(c) != 0 || more.find(static_cast<char>(c)) != std::string_view::npos;
    });
  };
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::string_view inside = text.substr(1, text.size() - 2);
    return all(inside, ":.%-_") && inside.find(':') != std::string_view::npos;
  }
  return all(text, ".-_");
}

struct HostPort {
  std::string_view host;
  std::string_view port;
};

// Splits at the last ':' that is not inside brackets; without one the port is empty.
HostPort split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// The part of an http address behind its scheme, or nothing when it has another or none.
std::optional<std::string_view> behind_scheme(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (lowered_ascii(text.substr(0, scheme.size())) == scheme) return text.substr(scheme.size());
  }
  return std::nullopt;
}

// An address is asked with paths of our own behind it, so it can carry neither a query nor a fragment.
std::optional<SettingComplaint> check_web_address(const Option& option, std::string_view text) {
  const std::string key(option.key);
  const std::string example = "for example " + shown_in_quotes(example_text(option));
  if (text.find('@') != std::string_view::npos) {
    return SettingComplaint{key + " holds a user name or password",
                            "leave them out and set influx_token instead"};
  }
  const auto rest = behind_scheme(text);
  if (!rest) {
    const bool lacks_scheme = text.find("://") == std::string_view::npos;
    return SettingComplaint{
        key + " must start with http:// or https://, got " + shown_in_quotes(text),
        lacks_scheme ? "did you mean " + shown_in_quotes("http://" + std::string(text)) + "?" : example};
  }
  if (text.find_first_of("?# ") != std::string_view::npos) {
    return SettingComplaint{key + " must end before any '?', '#' or space, got " + shown_in_quotes(text),
                            example};
  }
  const std::string_view authority = rest->substr(0, rest->find('/'));
  const HostPort parts = split(authority);
  if (!is_host(parts.host))
    return SettingComplaint{key + " names no valid host, got " + shown_in_quotes(text), example};
  const bool has_port = parts.host.size() != authority.size();
  if (has_port && !is_port(parts.port)) {
    return SettingComplaint{key + " must have a port from 1 to 65535, got " + shown_in_quotes(text), example};
  }
  return std::nullopt;
}

std::optional<SettingComplaint> check_listen_address(const Option& option, std::string_view text) {
  const std::string key(option.key);
  const std::string example =
      "write host:port, for example " + shown_in_quotes(example_text(option)) + ", or nothing for no server";
  const HostPort parts = split(text);
  if (!is_host(parts.host)) {
    const std::string bracketed = "[" + std::string(parts.host) + "]";
    const bool bare_ipv6 = is_host(bracketed);
    const std::string meant = bracketed + ":" + std::string(parts.port);
    return SettingComplaint{key + " must be host:port, got " + shown_in_quotes(text),
                            bare_ipv6 ? "did you mean " + shown_in_quotes(meant) + "?" : example};
  }
  if (!is_port(parts.port))
    return SettingComplaint{key + " must have a port from 1 to 65535, got " + shown_in_quotes(text), example};
  return std::nullopt;
}

std::optional<SettingComplaint> check_not_empty(const Option& option, std::string_view text) {
  if (!text.empty()) return std::nullopt;
  return SettingComplaint{
      std::string(option.key) + " must not be empty",
      "write a text, for example " + shown_in_quotes(example_text(option)) + ", or leave the key out"};
}

}  // namespace

std::optional<SettingComplaint> check_text(const Option& option, std::string_view text) {
  const std::string key(option.key);
  if (text.size() > kTextBytesMax) {
    return SettingComplaint{key + " is longer than " + std::to_string(kTextBytesMax) + " bytes",
                            "write a shorter text"};
  }
  if (!is_printable(text)) {
    const std::string got = type_of(option) == OptionType::secret ? "" : ": " + shown_in_quotes(text);
    return SettingComplaint{key + " holds control characters or is not UTF-8" + got,
                            "write printable characters only"};
  }
  switch (option.rule) {
    case TextRule::any:
      return std::nullopt;
    case TextRule::not_empty:
    case TextRule::folder:
      return check_not_empty(option, text);
    case TextRule::web_address:
      return text.empty() ? std::nullopt : check_web_address(option, text);
    case TextRule::listen_address:
      return text.empty() ? std::nullopt : check_listen_address(option, text);
  }
  return std::nullopt;
}

std::string lowered_ascii(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : static_cast<char>(c);
  });
  return out;
}

}  // namespace virtmeter

#include "config/token.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/text.h"
#include "config/small_file.h"

namespace virtmeter {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::string_view kCredentialName = "influx-token";

struct ReadToken {
  Secret token;
  mode_t mode = 0;
};

// The message of an error is a clause that fits behind the path.
Result<ReadToken> read_file(const std::string& path) {
  auto file = read_small_file(path, kTokenBytesMax);
  if (!file) return std::move(file).error();
  const std::string_view token = trimmed(file->text);
  if (token.empty()) return Error{Errc::invalid, "is empty", "write the token into it"};
  if (token.find('\n') != std::string_view::npos) {
    return Error{Errc::invalid, "holds more than one line", "leave only the token in it"};
  }
  if (printable(token, token.size() + 1) != token) {
    return Error{Errc::invalid, "holds control characters or is not UTF-8", "leave only the token in it"};
  }
  return ReadToken{Secret(std::string(token)), file->mode};
}

Error with_path(Error error, const std::string& path) {
  error.message = "influx_token: " + printable(path, 400) + " " + error.message;
  return error;
}

// Reads the token and says where it came from in the origin: `kind` is "file" or "credential".
void take_token(const std::string& path, const std::string& kind, SettingPlace place, SettingsDraft& draft) {
  auto read = read_file(path);
  if (!read) {
    const Error error = with_path(std::move(read).error(), path);
    draft.report(std::move(place), error.message, error.fix);
    return;
  }
  if ((read->mode & 0007) != 0) draft.warnings.push_back(open_secret_warning(path, read->mode));
  draft.settings.influx_token = std::move(read->token);
  draft.settings.influx_token_path = path;
  place.via = kind + " " + path;
  draft.origins[option_index(*find_option("influx_token"))] = std::move(place);
}

void take_credential(const std::string& directory, SettingsDraft& draft) {
  const std::string path = directory + "/" + std::string(kCredentialName);
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return;
  take_token(path, "credential", {.layer = SettingLayer::environment, .name = "CREDENTIALS_DIRECTORY"},
             draft);
}

}  // namespace

void resolve_token(const std::string& credentials_directory, SettingsDraft& draft) {
  if (draft.is_refused("influx_token") || draft.is_refused("influx_token_file")) return;
  const bool has_token = !draft.settings.influx_token.empty();
  const bool has_file = !draft.settings.influx_token_file.empty();
  const SettingPlace token_place = draft.origin("influx_token");
  const SettingPlace file_place = draft.origin("influx_token_file");
  if (has_token && has_file && token_place.layer == file_place.layer) {
    draft.report(file_place, "influx_token and influx_token_file are both set", "keep one of the two");
  } else if (has_file && (!has_token || file_place.layer > token_place.layer)) {
    take_token(draft.settings.influx_token_file, "file", file_place, draft);
  } else if (!has_token && !credentials_directory.empty()) {
    take_credential(credentials_directory, draft);
  }
}

Result<Secret> read_token(const std::string& path) {
  auto read = read_file(path);
  if (!read) return with_path(std::move(read).error(), path);
  return std::move(read->token);
}

std::string open_secret_warning(const std::string& path, mode_t mode) {
  std::array<char, 8> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", static_cast<unsigned>(mode & 07777));
  const std::string shown = printable(path, 400);
  return shown + " holds a secret and is open to every user (mode " + octal.data() + "); chmod 0640 " + shown;
}

}  // namespace virtmeter

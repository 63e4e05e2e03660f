// What a request asks and what is answered, as plain data: the handlers of web/ know nothing of a socket.
// Not thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace virtmeter {

// A GET or HEAD from this machine. Valid during the handler's call only.
struct HttpAsked {
  std::string_view path;  // Decoded, without the query: "/api/v1/status".
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

}  // namespace virtmeter

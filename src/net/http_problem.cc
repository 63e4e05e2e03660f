#include "net/http_problem.h"

#include <nlohmann/json.hpp>

namespace virtmeter {
namespace {

using Json = nlohmann::ordered_json;

std::string_view title_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

HttpReply http_problem(int status, std::string_view detail, std::string_view fix) {
  Json json;
  json["type"] = "about:blank";
  json["title"] = title_of(status);
  json["status"] = status;
  json["detail"] = detail;
  if (!fix.empty()) json["fix"] = fix;
  return {status, "application/problem+json",
          json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace virtmeter

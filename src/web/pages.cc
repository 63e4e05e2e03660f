#include "web/pages.h"

#include <array>
#include <string>

#include "base/text.h"
#include "net/http_problem.h"
#include "web/readiness.h"
#include "web/status_json.h"

namespace virtmeter {
namespace {

constexpr std::size_t kPathBytesShown = 100;

HttpReply health(const Report& report) { return {200, "application/json", health_json(report)}; }

HttpReply ready(const Report& report) {
  const std::vector<Reason> reasons = reasons_not_ready(report);
  return {reasons.empty() ? 200 : 503, "application/json", ready_json(reasons)};
}

HttpReply status(const Report& report) { return {200, "application/json", status_json(report)}; }

struct Page {
  std::string_view path;
  HttpReply (*answer)(const Report& report);
};
constexpr auto kPages =
    std::to_array<Page>({{"/health", health}, {"/ready", ready}, {"/api/v1/status", status}});

}  // namespace

HttpReply answer_page(const HttpAsked& asked, const ReportSource& source) {
  std::string paths;
  for (const Page& page : kPages) {
    if (page.path == asked.path) return page.answer(source.report());
    paths.append(paths.empty() ? "" : ", ").append(page.path);
  }
  return http_problem(404, "there is no page " + printable(asked.path, kPathBytesShown),
                      "there are: " + paths);
}

}  // namespace virtmeter

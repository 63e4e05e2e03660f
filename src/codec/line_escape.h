// The spelling of strangers' text in line protocol that every server reads alike. What cannot be spelled
// alike is replaced first: '\' by '/', a control character (below 0x20, 0x7f) by '_', invalid UTF-8 by
// U+FFFD, '"' in a measurement or field key by '_'. The rest is escaped where the grammar asks for it. Each
// function appends to `out` and cuts the text at its bound, at a UTF-8 boundary; the bound is on the text,
// before escapes. Pure functions. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace virtmeter {

// Of a measurement, tag key, tag value or field key.
inline constexpr std::size_t kNameBytesMax = 256;
// InfluxDB 2's limit; a line of four times that costs VictoriaMetrics the whole request.
inline constexpr std::size_t kStringValueBytesMax = 64 * 1024;

// A leading '#' would make the line a comment and becomes '_'.
void append_measurement(std::string& out, std::string_view text);

// A key that servers reserve ("time", "db", "__name__") gets a '_' behind it.
void append_tag_key(std::string& out, std::string_view text);

// The same key as a server will store it, without escapes: what tags are sorted by.
std::string stored_tag_key(std::string_view text);

void append_tag_value(std::string& out, std::string_view text);

// "time" gets a '_' behind it; the second ':' of "::" becomes '_', for InfluxDB 3 reads "::" as a field
// family.
void append_field_key(std::string& out, std::string_view text);

// With its quotes. Here a backslash is portable as "\\" and is kept.
void append_string_value(std::string& out, std::string_view text);

}  // namespace virtmeter

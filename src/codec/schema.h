// The catalog in words: what `virtmeter schema` prints and docs/metrics.md consists of. One row a field:
// measurement, devtype, field, type, unit, kind, source, the first libvirt that reports it in bulk, help; and
// the tags of each measurement. Pure functions. Thread-safe.
#pragma once

#include <string>

namespace virtmeter {

// Aligned columns for a terminal; the tags stand below the fields.
std::string schema_table();

// {"measurements":[{"measurement","tags":[{"tag","help"}],"fields":[{"field","devtype","type",...}]}]}
std::string schema_json();

// The whole of docs/metrics.md.
std::string schema_markdown();

}  // namespace virtmeter

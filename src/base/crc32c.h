// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of everything the spool writes. With SSE4.2 where
// the processor has it, else by tables, eight bytes a step. Pure functions. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace virtmeter {

// The checksum of `bytes`; `before` is that of what stands in front of them.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

// Always by tables; for tests and for other processors.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before = 0);

}  // namespace virtmeter

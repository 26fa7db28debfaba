/* Any bytes are JSON to the scanner exactly where they are to jansson, with the same rows, however
 * they come in. Built with -fsanitize=fuzzer. */
#include "base/base.h"

#include "support_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length > 0 && json_compare((const char *)bytes + 1, length - 1, 1 + bytes[0]))
        abort();
    return 0;
}

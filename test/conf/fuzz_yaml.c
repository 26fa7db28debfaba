/* Any file is a configuration or a sentence. */
#include "conf/yaml.h"

#include <string.h>

#include "sys/sys.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static unsigned char memory[4 << 20];
    struct yaml_value values[OPTION_COUNT];
    struct arena arena;
    struct error err;
    struct text content = {(const char *)bytes, length};

    arena_init(&arena, memory, sizeof memory);
    err.text[0] = '\0';
    if (yaml_read(values, &arena, "fuzz.yaml", content, &err) != STATUS_OK)
        ASSERT(strstr(err.text, "fuzz.yaml") != NULL);
    else
        for (unsigned i = 0; i < OPTION_COUNT; i++)
            ASSERT(!values[i].text || strlen(values[i].text) <= length);
    return 0;
}

/* Any bytes are a rule, or they are not; nothing else may happen.  Built with -fsanitize=fuzzer. */
#include "rule/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static unsigned char memory[16 << 20];
    struct arena arena;
    const struct rule *rule = NULL;
    struct error err;
    struct text source = {(const char *)bytes, length};

    arena_init(&arena, memory, sizeof memory);
    if (rule_compile(&rule, &arena, source, "fuzz.rule", &err) == STATUS_OK) {
        double values[RULE_PARAMETERS_MAX];
        struct buffer out = {0};

        for (int i = 0; i < rule->parameter_count; i++)
            values[i] = rule->parameters[i].value;
        rule_explain(rule, values, &out);
        (void)rule_lookback(rule, values);
        (void)rule_allows(rule, values);
        buffer_deinit(&out);
    }
    arena_reset(&arena, 0);
    (void)rule_compile_expression(&rule, &arena, source, &err);
    return 0;
}

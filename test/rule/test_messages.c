/* Every message, word for word: errors/NAME.rule and what is said of it beside it in
 * errors/NAME.txt. With UPDATE=1 in the environment the texts are written anew; read the difference
 * before you keep it. */
#include <dirent.h>

#include "support.h"

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(2 << 20);

    CHECK(bytes != NULL);
    *length = 0;
    if (file) {
        *length = fread(bytes, 1, (2 << 20) - 1, file);
        fclose(file);
    }
    bytes[*length] = '\0';
    return bytes;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL);
    fputs(text, file);
    fclose(file);
}

static void check_one(const char *name)
{
    char path[1024], text_path[1024], got[8192];
    struct compiled c;
    size_t length, expected_length;
    char *source, *expected;

    snprintf(path, sizeof path, "%s/errors/%s", RULE_TEST_DIRECTORY, name);
    snprintf(text_path, sizeof text_path, "%.*stxt", (int)(strlen(path) - 4), path);
    source = read_file(path, &length);
    compiled_init(&c);
    c.status = rule_compile(&c.rule, &c.arena, (struct text){source, length}, name, &c.err);
    snprintf(got, sizeof got, "%s%s", c.status == STATUS_OK ? rule_warnings(c.rule) : c.err.text,
             c.status == STATUS_OK ? "" : "\n");
    if (getenv("UPDATE"))
        write_file(text_path, got);
    expected = read_file(text_path, &expected_length);
    if (strcmp(got, expected) != 0)
        print_error("%s says\n%s\ninstead of\n%s\n", name, got, expected);
    CHECK(strcmp(got, expected) == 0);
    free(expected);
    free(source);
    drop(&c);
}

TEST(every_message_is_word_for_word_what_its_file_says)
{
    DIR *directory = opendir(RULE_TEST_DIRECTORY "/errors");
    struct dirent *entry;
    int count = 0;

    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);

        if (length > 5 && strcmp(entry->d_name + length - 5, ".rule") == 0) {
            check_one(entry->d_name);
            count++;
        }
    }
    closedir(directory);
    CHECK(count >= 26);
}

/* Code blocks that begin with ```rule must compile, those with ```wrong must not. */
TEST(the_examples_of_the_manual_compile)
{
    size_t length;
    char *manual = read_file(RULE_TEST_DIRECTORY "/../../doc/rule-language.md", &length),
         *at = manual;
    int right = 0, wrong = 0;

    while ((at = strstr(at, "\n```")) != NULL) {
        char *begin = strchr(at + 4, '\n') + 1, *end = strstr(begin, "\n```");
        bool is_rule = strncmp(at + 4, "rule\n", 5) == 0,
             is_wrong = strncmp(at + 4, "wrong\n", 6) == 0;
        struct compiled c;

        CHECK(end != NULL);
        if (is_rule || is_wrong) {
            compile_bytes(&c, begin, (size_t)(end + 1 - begin));
            if ((c.status == STATUS_OK) != is_rule)
                print_error("%.*s\n%s\n", (int)(end - begin), begin, c.err.text);
            CHECK((c.status == STATUS_OK) == is_rule);
            if (is_rule && c.rule->warnings[0])
                print_error("%s\n", c.rule->warnings);
            CHECK(!is_rule || c.rule->warnings[0] == '\0');
            drop(&c);
        }
        right += is_rule;
        wrong += is_wrong;
        at = end + 1;
    }
    CHECK(right >= 10 && wrong >= 2);
    free(manual);
}

/* The rules of the reference trades, in the JSON's own escapes. */
TEST(the_rules_of_the_reference_trades_compile)
{
    const char *shared = getenv("HARRIER_SHARED");
    char path[1024];
    size_t length;
    char *json, *at;
    int count = 0;

    snprintf(path, sizeof path, "%s/reference/fills_cases.json",
             shared ? shared : RULE_TEST_DIRECTORY "/../../../shared");
    json = at = read_file(path, &length);
    if (length == 0) {
        free(json);
        SKIP("the reference trades are not here (HARRIER_SHARED)");
    }
    while ((at = strstr(at, "\"rule_text\": \"")) != NULL) {
        char source[4096];
        size_t n = 0;
        struct compiled c;

        for (at += strlen("\"rule_text\": \""); *at != '"' && n + 1 < sizeof source; at++)
            source[n++] = *at == '\\' && at[1] == 'n' ? (at++, '\n') : *at;
        source[n] = '\0';
        compile(&c, source);
        drop(&c);
        count++;
    }
    CHECK(count >= 17);
    free(json);
}

/* Errors with sentences, memory, arenas. */
#include <errno.h>

#include "test.h"

TEST(the_status_of_an_errno_says_what_a_user_can_do)
{
    static const struct {
        int error_number;
        enum status status;
    } rows[] = {{ENOENT, STATUS_MISSING}, {EACCES, STATUS_REFUSED}, {EROFS, STATUS_REFUSED},
                {ENOSPC, STATUS_FULL},    {ENOMEM, STATUS_MEMORY},  {EIO, STATUS_SYSTEM}};

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error err;

        CHECK_STATUS(fail_errno(&err, rows[i].error_number, "%s", "cash.csv"), rows[i].status);
        CHECK_CONTAINS(err.text, "cash.csv: ");
        CHECK_CONTAINS(err.text, strerror(rows[i].error_number));
    }
}

TEST(exit_codes_are_those_of_the_manual)
{
    CHECK_INT(status_exit_code(STATUS_OK), 0);
    CHECK_INT(status_exit_code(STATUS_PARTIAL), 1);
    CHECK_INT(status_exit_code(STATUS_USAGE), 2);
    CHECK_INT(status_exit_code(STATUS_CORRUPT), 3);
    CHECK_INT(status_exit_code(STATUS_FULL), 4);
    CHECK_INT(status_exit_code(STATUS_BUG), 5);
    CHECK_INT(status_exit_code(STATUS_INTERRUPTED), 130);
    CHECK_INT(status_http_code(STATUS_MISSING), 404);
}

TEST(a_sentence_that_is_too_long_is_cut_and_ended)
{
    static char text[2 * ERROR_TEXT_BYTES];
    struct error err;

    memset(text, 'x', sizeof text - 1);
    fail(&err, STATUS_BUG, "%s", text);
    CHECK_INT(strlen(err.text), ERROR_TEXT_BYTES - 1);
    error_prefix(&err, "%s", "line 3: ");
    CHECK_INT(strlen(err.text), ERROR_TEXT_BYTES - 1);
    CHECK(memcmp(err.text, "line 3: xxx", 11) == 0);
    error_prefix(&err, "%s", text);
    CHECK_INT(strlen(err.text), ERROR_TEXT_BYTES - 1);
    fail_errno(&err, EIO, "%s", text);
    CHECK_INT(strlen(err.text), ERROR_TEXT_BYTES - 1);
}

TEST(an_arena_is_aligned_zeroed_and_has_an_end)
{
    static unsigned char memory[1000];
    struct arena arena;
    unsigned char *small, *large;
    size_t mark;

    memset(memory, 255, sizeof memory);
    arena_init(&arena, memory, sizeof memory);
    small = arena_alloc(&arena, 3);
    mark = arena_mark(&arena);
    large = arena_alloc(&arena, 100);
    CHECK_INT((uintptr_t)small % 16, 0);
    CHECK_INT((uintptr_t)large % 64, 0);
    CHECK_INT(small[0] | small[2] | large[0] | large[99], 0);
    CHECK_TEXT(arena_copy_text(&arena, "abcdef", 3), "abc");
    CHECK(!arena_alloc(&arena, 1000));
    CHECK(!arena_alloc(&arena, SIZE_MAX));
    arena_reset(&arena, mark);
    CHECK(arena_alloc(&arena, 100) == large);
    CHECK(arena.peak >= arena.used);
}

TEST(the_nth_allocation_fails_once_or_for_good)
{
    void *a, *b, *c;

    mem_fail_at(2, 0);
    a = mem_alloc(1);
    b = mem_alloc(1);
    c = mem_zero(1, 1);
    CHECK(a && !b && c);
    mem_free(a);
    mem_free(c);
    CHECK_INT(mem_fail_at(1, 1), 3);
    CHECK(!mem_alloc(1) && !mem_resize(NULL, 1) && !mem_alloc_aligned(64, 64) &&
          !mem_copy_text("x"));
    mem_fail_at(0, 0);
}

TEST(an_array_grows_and_stays_as_it_was_without_memory)
{
    void *items = NULL;
    size_t capacity = 0;

    CHECK_INT(mem_grow(&items, &capacity, 17, sizeof(double)), 0);
    CHECK(capacity >= 17);
    mem_fail_at(1, 0);
    CHECK_INT(mem_grow(&items, &capacity, capacity + 1, sizeof(double)), -1);
    mem_fail_at(0, 0);
    CHECK(items && capacity >= 17);
    CHECK_INT(mem_grow(&items, &capacity, SIZE_MAX / 4, sizeof(double)), -1);
    mem_free(items);
}

/* Operations on a market, and what it holds after each: for tests that break the world around them.
 */
#ifndef HARRIER_TEST_STORE_WORKLOAD_H
#define HARRIER_TEST_STORE_WORKLOAD_H

#include "fixture.h"
#include "store/journal.h"
#include "sys/simulated.h"

enum { OPERATIONS_MAX = 16, SYMBOLS_MAX = 8 };

/* What a market holds.  The bars are checked against their hash whenever one is taken. */
struct digest {
    bool missing, corrupt;
    size_t count;
    struct {
        char name[SYMBOL_BYTES_MAX];
        struct symbol_info info;
    } symbols[SYMBOLS_MAX];
    char text[256];
};

static inline void digest_take(struct digest *digest, struct env *env)
{
    struct snapshot *snapshot;
    struct error err;
    enum status status = snapshot_open(&snapshot, env, "data", &market, &err);

    memset(digest, 0, sizeof *digest);
    digest->missing = status == STATUS_MISSING;
    digest->corrupt = status != STATUS_OK && status != STATUS_MISSING;
    if (digest->corrupt)
        snprintf(digest->text, sizeof digest->text, "%.200s", err.text);
    if (status != STATUS_OK)
        return;
    digest->count = snapshot_symbol_count(snapshot);
    ASSERT(digest->count <= SYMBOLS_MAX);
    for (size_t i = 0; i < digest->count; i++) {
        strcpy(digest->symbols[i].name, snapshot_symbol_name(snapshot, i));
        digest->symbols[i].info = snapshot_symbol_info(snapshot, i);
        if (snapshot_check(snapshot, i, &err) != STATUS_OK) {
            digest->corrupt = true;
            snprintf(digest->text, sizeof digest->text, "%.200s", err.text);
        }
    }
    snapshot_close(snapshot);
}

static inline bool digests_are_equal(const struct digest *a, const struct digest *b)
{
    return a->missing == b->missing && a->corrupt == b->corrupt && a->count == b->count &&
           memcmp(a->symbols, b->symbols, sizeof a->symbols) == 0;
}

/* ---- workloads ------------------------------------------------------------------------------- */

enum operation {
    IMPORT, /* a symbol that was not there, or bars before those that were */
    APPEND, /* three bars behind the last, of two symbols in one batch */
    GROW,   /* so many behind that they do not go through the journal, or need a larger file */
    REMOVE,
    REPLACE, /* other bars in place of stored ones */
    UNDO,
    CHECKPOINT,
    RENAME,
    MARKET_REMOVE,
    OPERATION_COUNT
};
static const char operation_letters[] = "IAGRXUCNM";

/* Where the next bar of a symbol stands; 20 where the batch has no such symbol. */
static inline enum status find_end(struct writer *writer, const char *symbol, int64_t *end,
                                   bool *there, struct error *err)
{
    struct bars bars;
    enum status status = writer_bars(writer, text_of(symbol), &bars, err);

    *there = status == STATUS_OK;
    *end = status == STATUS_OK ? (bars.time[bars.count - 1] - INT64_C(1577836800000)) / DAY_MS + 1
                               : 20;
    return status == STATUS_MISSING ? STATUS_OK : status;
}

static inline enum status put_next(struct writer *writer, const char *symbol, uint64_t flavour,
                                   int64_t more, struct error *err)
{
    int64_t from;
    bool there;
    struct bars bars;
    struct fixture *fixture;
    struct put_result result;
    enum status status;

    TRY(find_end(writer, symbol, &from, &there, err));
    fixture = fixture_new(flavour, from, from + more);
    bars = fixture_bars(fixture);
    status = writer_put(writer, text_of(symbol), &bars, false, &result, err);
    free(fixture);
    return status;
}

static inline enum status put_here(struct writer *writer, const char *symbol, uint64_t flavour,
                                   int64_t from, int64_t to, struct error *err)
{
    struct fixture *fixture = fixture_new(flavour, from, to);
    struct bars bars = fixture_bars(fixture);
    struct put_result result;
    enum status status = writer_put(writer, text_of(symbol), &bars, true, &result, err);

    free(fixture);
    return status;
}

static inline enum status fill_batch(struct writer *writer, enum operation operation, unsigned step,
                                     struct error *err)
{
    bool there, taken = false;
    int64_t end;

    switch (operation) {
    case IMPORT:
        return put_here(writer, step % 2 ? "A" : "B", step, 20 - (int64_t)step, 30 - (int64_t)step,
                        err);
    case APPEND:
        TRY(put_next(writer, "A", 50 + step, 3, err));
        return put_next(writer, "B", 60 + step, 3, err);
    case GROW:
        return put_next(writer, "A", 70 + step, step % 2 ? 300 : 2500, err);
    case REMOVE:
        TRY(find_end(writer, "A", &end, &there, err));
        return there ? writer_remove(writer, TEXT("A"), err) : STATUS_OK;
    case REPLACE:
        return put_here(writer, "A", 80 + step, 18, 22, err);
    case RENAME:
        TRY(find_end(writer, "A", &end, &there, err));
        TRY(find_end(writer, "C/", &end, &taken, err));
        return there && !taken ? writer_rename(writer, TEXT("A"), TEXT("C/"), err) : STATUS_OK;
    case CHECKPOINT:
        return writer_checkpoint(writer, err);
    default:
        return STATUS_OK;
    }
}

static inline enum status operate(struct env *env, enum operation operation, unsigned step,
                                  struct error *err)
{
    struct undo_report undo;
    struct writer *writer;
    enum status status;

    if (operation == MARKET_REMOVE) {
        status = store_market_remove(env, "data", &market, err);
        return status == STATUS_MISSING ? STATUS_OK : status;
    }
    if (operation == UNDO) {
        status = store_undo(env, "data", &market, "test", &undo, err);
        return status == STATUS_MISSING ? STATUS_OK : status;
    }
    TRY(writer_open(&writer, env, "data", &market, "test", err));
    status = fill_batch(writer, operation, step, err);
    if (status == STATUS_OK)
        status = writer_commit(writer, err);
    writer_close(writer);
    return status;
}

/* HARRIER_TORTURE=1: all of it, as `make torture` asks; otherwise what CI has time for. */
static inline bool torture(void)
{
    const char *value = getenv("HARRIER_TORTURE");

    return value && *value && strcmp(value, "0") != 0;
}

#endif

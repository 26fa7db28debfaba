/* Fuzz: any bytes as the file of a symbol and as a journal.  Nothing crashes; what a reader is
 * given with a good checksum is sane; after a repair verify finds nothing.
 *
 * The first byte says how the rest is taken: bit 0: of the journal, not of a file; bit 1: with
 * right checksums put in, so that what lies behind them is reached; bit 2: as edits of good bytes
 * (place and value, 3 + 1 bytes each), not as bytes; bit 3: after the machine started anew. */
#include "store/format.h"
#include "store/journal.h"
#include "sys/simulated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct market_name market = {.venue = "fuzz", .frame = TIMEFRAME_1D};

enum { BARS = 20, EDIT_BYTES = 4, JOURNAL = 1, SEALS = 2, EDITS = 4, ANEW = 8 };

static void must(enum status status, const struct error *err)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", err->text);
        abort();
    }
}

/* `count` bars from `from` on into a batch. */
static enum status put(struct writer *writer, const char *symbol, int64_t from, size_t count,
                       struct error *err)
{
    int64_t time[BARS];
    double price[BARS], volume[BARS];
    struct bars bars = {.count = count, .time = time};
    struct put_result result;

    for (size_t i = 0; i < count; i++) {
        time[i] = (from + (int64_t)i) * DAY_MS;
        price[i] = 1.0 + (double)i;
        volume[i] = (double)i;
    }
    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = c == BAR_VOLUME ? volume : price;
    return writer_put(writer, text_of(symbol), &bars, false, &result, err);
}

static enum status write_batch(struct env *env, int64_t from, size_t count, struct error *err)
{
    struct writer *writer;
    enum status status;

    TRY(writer_open(&writer, env, "d", &market, "fuzz", err));
    status = put(writer, "A", from, count, err);
    if (status == STATUS_OK)
        status = put(writer, "B", from, count, err);
    if (status == STATUS_OK)
        status = writer_commit(writer, err);
    writer_close(writer);
    return status;
}

/* A market of two symbols with three batches in its journal; made once. */
static const struct env_power *good_disk(void)
{
    static struct env_power disk;
    struct error err;

    if (!disk.disk) {
        env_power_init(&disk, 1);
        must(write_batch(&disk.env, 0, BARS, &err), &err);
        must(write_batch(&disk.env, BARS, 3, &err), &err);
        must(write_batch(&disk.env, BARS + 3, 3, &err), &err);
    }
    return &disk;
}

static void seal_column(unsigned char *bytes, size_t length)
{
    static const size_t slots[] = {SLOT_A_AT, SLOT_B_AT, VISIBLE_AT};
    struct column_head *head = (void *)bytes;

    if (length < HEADER_BYTES)
        return;
    guard_make(&head->guard, COLUMN_MAGIC);
    SEAL(head);
    for (size_t i = 0; i < ARRAY_COUNT(slots); i++) {
        struct column_slot *slot = (void *)(bytes + slots[i]);

        SEAL(slot);
    }
}

/* Records one behind the other, as far as their lengths lead to one. */
static void seal_journal(unsigned char *bytes, size_t length)
{
    struct journal_head *head = (void *)bytes;
    struct journal_stamp *stamp = (void *)(bytes + STAMP_AT);
    uint64_t chain;

    if (length < HEADER_BYTES)
        return;
    guard_make(&head->guard, JOURNAL_MAGIC);
    SEAL(head);
    SEAL(stamp);
    chain = head->salt;
    for (size_t at = HEADER_BYTES; length - at >= sizeof(struct record_head);) {
        struct record_head *record = (void *)(bytes + at);
        size_t room = length - at - sizeof *record, rows, bars;

        if (record->row_count > 1000 || record->undo_count > 1000 || record->bar_count > 1000)
            return;
        rows = (size_t)(record->row_count + record->undo_count) * sizeof(struct row);
        bars = (size_t)record->bar_count * sizeof(struct disk_bar);
        if (rows + bars > room)
            return;
        record->magic = RECORD_MAGIC;
        record->chain = chain;
        record->rows_check = hash_bytes(record + 1, rows, 0);
        record->bars_check = hash_bytes((unsigned char *)(record + 1) + rows, bars, 0);
        SEAL(record);
        chain = record->check;
        at += sizeof *record + rows + bars;
    }
}

/* The bytes of the file to be: a block of its own, for its structs must stand aligned. */
static unsigned char *make_bytes(struct env *env, const char *path, const uint8_t *data,
                                 size_t size, unsigned how, size_t *length)
{
    unsigned char *bytes;
    char *good;
    struct error err;

    if (!(how & EDITS)) {
        bytes = mem_alloc(size);
        ASSERT(bytes);
        memcpy(bytes, data, size);
        *length = size;
    } else {
        must(file_read_whole(env, path, 1 << 20, &good, length, &err), &err);
        bytes = (unsigned char *)good;
        for (; size >= EDIT_BYTES; data += EDIT_BYTES, size -= EDIT_BYTES) {
            size_t at = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];

            if (at >= *length) /* a cut, in steps of 8 bytes */
                *length = MIN(*length, (at - *length) % (*length / 8 + 1) * 8);
            else
                bytes[at] ^= data[3];
        }
    }
    if (how & SEALS)
        (how & JOURNAL ? seal_journal : seal_column)(bytes, *length);
    return bytes;
}

static void replace_file(struct env *env, const char *path, const unsigned char *bytes,
                         size_t length)
{
    struct env_file *file;
    struct error err;

    must(env->calls->open(env, &file, path, OPEN_WRITE, &err), &err);
    must(env->calls->truncate(env, file, 0, &err), &err);
    must(env->calls->write(env, file, bytes, length, 0, &err), &err);
    env->calls->close(env, file);
}

static void read_all(struct env *env)
{
    struct snapshot *snapshot;
    struct bars bars;
    struct error err;
    size_t at;

    if (snapshot_open(&snapshot, env, "d", &market, &err) != STATUS_OK)
        return;
    for (size_t i = 0; i < snapshot_symbol_count(snapshot); i++)
        if (snapshot_check(snapshot, i, &err) == STATUS_OK) {
            must(snapshot_bars(snapshot, i, &bars, &err), &err);
            ASSERT(!bars_fault(&bars, &at));
        }
    snapshot_close(snapshot);
}

static void repair(struct env *env)
{
    struct verify_report report;
    struct error err;
    enum status status = store_verify(env, "d", &market, true, &report, &err);

    if (status == STATUS_NEWER || status == STATUS_MISSING)
        return;
    must(status, &err);
    verify_report_deinit(&report);
    status = store_verify(env, "d", &market, false, &report, &err);
    must(status, &err);
    if (report.problem_count) {
        fprintf(stderr, "%s: %s\n", report.problems[0].symbol, report.problems[0].text);
        abort();
    }
    verify_report_deinit(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct env_power *good = good_disk();
    unsigned how = size ? data[0] : 0;
    const char *path = how & JOURNAL ? "d/fuzz/1d/journal" : "d/fuzz/1d/A.1.bars";
    struct env_power disk;
    unsigned char *bytes;
    struct error err;
    size_t length;

    if (size == 0)
        return 0;
    if (how & ANEW)
        env_power_image(&disk, good, env_power_length(good), 0);
    else
        env_power_killed(&disk, good, env_power_length(good));
    bytes = make_bytes(&disk.env, path, data + 1, size - 1, how, &length);
    replace_file(&disk.env, path, bytes, length);
    mem_free(bytes);
    read_all(&disk.env);
    write_batch(&disk.env, BARS + 6, 2, &err);
    read_all(&disk.env);
    repair(&disk.env);
    read_all(&disk.env);
    env_power_deinit(&disk);
    return 0;
}

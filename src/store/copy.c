/* Copying a market as one snapshot shows it, into another data directory. */
#include "store/verify.h"

/* Mapped at once: a file that is replaced while others are copied is not waited for. */
static enum status map_all(struct snapshot *snapshot, struct error *err)
{
    struct error problem;
    struct bars bars;

    for (size_t i = 0; i < snapshot_symbol_count(snapshot); i++)
        if (snapshot_bars(snapshot, i, &bars, &problem) == STATUS_BUSY) {
            *err = problem;
            return STATUS_BUSY;
        }
    return STATUS_OK;
}

static enum status copy_symbol(struct snapshot *from, size_t symbol, struct writer *to,
                               struct error *err)
{
    struct put_result result;
    struct bars bars;

    TRY(snapshot_check(from, symbol, err));
    TRY(snapshot_bars(from, symbol, &bars, err));
    return writer_put(to, text_of(snapshot_symbol_name(from, symbol)), &bars, false, &result, err);
}

/* A symbol that is damaged is a problem of the report, and the others are copied. */
static enum status copy_symbols(struct env *env, struct snapshot *from, struct writer *to,
                                struct verify_report *report, struct error *err)
{
    for (size_t i = 0; i < snapshot_symbol_count(from); i++) {
        struct error problem;
        enum status status = copy_symbol(from, i, to, &problem);

        if (env_is_stopped(env))
            return fail(err, STATUS_INTERRUPTED, "interrupted");
        if (status == STATUS_CORRUPT || status == STATUS_MISSING) {
            TRY(report_problem(report, snapshot_symbol_name(from, i), problem.text, err));
        } else if (status != STATUS_OK) {
            *err = problem;
            return status;
        }
    }
    TRY(snapshot_whole(from, err));
    return writer_commit(to, err);
}

static enum status copy_snapshot(struct env *env, struct snapshot *from, const char *to_dir,
                                 const struct market_name *market, struct verify_report *report,
                                 struct error *err)
{
    struct writer *writer;
    enum status status;

    TRY(map_all(from, err));
    TRY(writer_open(&writer, env, to_dir, market, "harrier backup", err));
    status = copy_symbols(env, from, writer, report, err);
    writer_close(writer);
    return status;
}

/* Equal hashes are equal bars, and store_verify has read what the copy's stand for. */
static enum status compare(const struct snapshot *from, const struct snapshot *to, size_t left_out,
                           struct error *err)
{
    size_t same = 0;

    for (size_t i = 0; i < snapshot_symbol_count(from); i++) {
        ptrdiff_t at = snapshot_symbol_find(to, text_of(snapshot_symbol_name(from, i)));

        same += at >= 0 && hash128_equal(snapshot_symbol_info(from, i).hash,
                                         snapshot_symbol_info(to, (size_t)at).hash);
    }
    if (same + left_out != snapshot_symbol_count(from) || same != snapshot_symbol_count(to))
        return fail(err, STATUS_CORRUPT, "the copy is not what was copied: %zu of %zu symbols are",
                    same, snapshot_symbol_count(from));
    return STATUS_OK;
}

static enum status check_copy(struct env *env, const struct snapshot *from, const char *to_dir,
                              const struct market_name *market, struct verify_report *report,
                              struct error *err)
{
    size_t left_out = report->problem_count;
    struct verify_report copy = {0};
    struct snapshot *to;
    enum status status;

    if (left_out == snapshot_symbol_count(from)) /* nothing was committed: there is no market */
        return STATUS_OK;
    TRY(snapshot_open(&to, env, to_dir, market, err));
    status = compare(from, to, left_out, err);
    snapshot_close(to);
    TRY(status);
    TRY(store_verify(env, to_dir, market, false, &copy, err));
    report->symbols = copy.symbols;
    report->bars = copy.bars;
    report->bytes = copy.bytes;
    if (copy.problem_count)
        status = fail(err, STATUS_CORRUPT, "the copy is damaged: %s", copy.problems[0].text);
    verify_report_deinit(&copy);
    return status;
}

enum status store_copy(struct env *env, const char *data_dir, const struct market_name *market,
                       const char *to_dir, struct verify_report *report, struct error *err)
{
    struct snapshot *from;
    enum status status;

    *report = (struct verify_report){0};
    TRY(snapshot_open(&from, env, data_dir, market, err));
    status = copy_snapshot(env, from, to_dir, market, report, err);
    if (status == STATUS_OK)
        status = check_copy(env, from, to_dir, market, report, err);
    snapshot_close(from);
    if (status != STATUS_OK)
        verify_report_deinit(report);
    return status;
}

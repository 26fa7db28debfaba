/* import: bars into the store (from files, from a finer market, from a random generator), and out
 * as CSV.
 *
 *     PATH…  ──▶ source ──▶ layout ──▶ rows ──▶ series ──▶ store
 *     file, folder,  what the      read and    sorted, on the    one commit
 *     archive, "-"   columns are   judged      grid, no doubles  an import
 *
 * Nothing is guessed silently: what was recognised is a sentence of the report, what cannot be told
 * apart is an error that names the option which decides it, and a row that is not stored is counted
 * under a reason and shown with its line.  doc/importing.md is the user's side of this page. */
#ifndef HARRIER_IMPORT_H
#define HARRIER_IMPORT_H

#include "base/base.h"
#include "model/model.h"
#include "store/store.h"
#include "sys/sys.h"

enum {
    IMPORT_FILES_MAX = 1000000,   /* of one import */
    IMPORT_ROWS_MAX = 1 << 28,    /* of one file: they are in memory until the file is judged */
    IMPORT_REJECTS_SHOWN = 5,     /* rows listed a reason, by default */
    IMPORT_CHUNK_BYTES = 1 << 20, /* a file is read in pieces of this; also the longest line */
    IMPORT_COLUMNS_MAX = 256,     /* fields of a row */
    IMPORT_WHERES_MAX = 8
};

enum import_reason {
#define REASON(id, words) IMPORT_##id,
#include "import/reason.def"
#undef REASON
    IMPORT_REASON_COUNT
};
const char *import_reason_words(enum import_reason reason);

/* ---- import -------------------------------------------------------------------------------- */

/* How far it is.  Called on the caller's thread, about every 10 ms of work. */
struct import_progress {
    uint64_t bytes_done,
        bytes_total; /* of the files as they lie on disk; total 0: not known (a pipe) */
    uint64_t rows;
    size_t files;
};

/* What the command line says, as text; NULL or 0 is "not given".  All of it is borrowed. */
struct import_options {
    struct env *env;
    const char *data_dir;
    struct market_name market;

    const char *const *paths; /* files, folders, archives, "-" */
    size_t path_count;

    /* Words with commas: "csv", "json", "klines" (Binance's file without header); "dmy", "mdy" for
     * dates like 01/02/2020; "s", "ms", "us", "ns" for times that are plain numbers. */
    const char *format;
    const char *zone; /* of times without a zone: "+03:00", "UTC", "Europe/Athens" */
    const char *const
        *columns; /* FIELD=NAME or FIELD=NUMBER (1 is the first); fields: import_field_names() */
    size_t column_count;
    const char *symbol;        /* every row is this symbol's */
    const char *symbol_from;   /* POSIX extended expression over the file's name; group 1, else the
                                  whole match */
    const char *const *wheres; /* COLUMN=VALUE: other rows are left out and counted */
    size_t where_count;
    const char
        *scale; /* prices are multiplied by it: "0.00001" or "1/100000"; powers of ten exactly */
    const char *const *globs; /* of folders and archives, only these files (name or path inside) */
    size_t glob_count;
    bool drop_last;       /* leaves out the newest bar of every symbol: it is not complete */
    bool replace;         /* rows that contradict stored ones replace them */
    int threads;          /* 0: as many as may be used, 1: all on the caller's */
    size_t rejects_shown; /* rows listed a reason; 0: IMPORT_REJECTS_SHOWN */

    void (*progress)(void *context, const struct import_progress *progress);
    void *progress_context;
};

/* One row that is not stored (or of IMPORT_CONTRADICTS: not replaced). */
struct import_reject {
    const char *file; /* the name in the report's files */
    uint32_t line;    /* 1 is the first; of JSON the n-th bar */
    enum import_reason reason;
    char text[200]; /* "high 2 is below low 3" */
};

enum import_file_state {
    IMPORT_FILE_READ,    /* rows were read, perhaps with rejects */
    IMPORT_FILE_EMPTY,   /* 0 bytes, or a header alone */
    IMPORT_FILE_SKIPPED, /* --symbol-from does not match */
    IMPORT_FILE_FAILED   /* no row of it is stored; `text` says why */
};

struct import_counts {
    uint64_t rows;                  /* lines with data (blank ones and the header are none) */
    uint64_t blank;                 /* rows with nothing but a time, and empty lines */
    uint64_t left_out;              /* by --where */
    uint64_t dropped;               /* by --drop-last */
    uint64_t doubled;               /* rows that say the same as one before them in the file */
    uint64_t added, same, replaced; /* by the store */
    uint64_t rejected[IMPORT_REASON_COUNT];
    uint64_t rejected_all; /* their sum */
};

struct import_file {
    char *name; /* as shown: path, or ARCHIVE:ENTRY */
    enum import_file_state state;
    char symbol[SYMBOL_BYTES_MAX]; /* "" where a column has it and there are several */
    size_t symbols;
    uint64_t bytes;
    struct import_counts counts;
    size_t layout; /* index into the report's layouts; SIZE_MAX: none */
    char *text;    /* of a failed or skipped file: the sentence; else NULL */
};

/* A sentence on how files were understood, and how many were so: "comma, header …; time …; volume
 * …". */
struct import_layout {
    char *text;
    size_t files;
    size_t first_file;
};

struct import_report {
    struct import_file *files; /* in the order of paths and names */
    size_t file_count;
    struct import_layout *layouts;
    size_t layout_count;
    struct import_reject *rejects; /* by file and line; the first ones of each reason */
    size_t reject_count;
    struct import_counts counts; /* of all files */
    size_t files_read, files_empty, files_skipped, files_failed;
    size_t files_not_picked; /* of folders and archives: not by --files, or not named like data */
    size_t links_back;       /* of folders: links to one that they are in, left out */
    size_t symbols;          /* different ones that got or had rows */
    uint64_t bytes;          /* of text, decompressed */
    int64_t read_ns,
        store_ns; /* reading, parsing, judging, and merging into the batch; the commit */
};

/* Imports; one commit for all.  STATUS_OK; STATUS_PARTIAL where rows were rejected or a file failed
 * and the rest is stored; where nothing could be read the sentence and status of the first failure;
 * STATUS_MISSING for a path that is not there (before anything is read); STATUS_USAGE for options
 * that make no sense; STATUS_INTERRUPTED where env is stopped: the files that were merged by then
 * (those of the report) are committed, the others are left for the next time.  The report is filled
 * in every case, and import_report_deinit() ends it. */
enum status import_run(const struct import_options *options, struct import_report *report,
                       struct error *err);
void import_report_deinit(struct import_report *report);

/* "time, clock, open, …": the fields of --column, for help and completion; NULL-ended. */
const char *const *import_field_names(void);

/* ---- resample: a market into a coarser timeframe of the same venue ------------------------- */

struct resample_options {
    struct env *env;
    const char *data_dir;
    struct market_name from;
    enum timeframe to;
    bool closed;  /* without a last period that is not complete */
    bool replace; /* bars that the target market holds and that differ are replaced */
    void (*progress)(void *context, size_t done, size_t symbols);
    void *progress_context;
};

struct resample_report {
    size_t symbols, failed; /* failed: their bars are corrupt, or a volume too large */
    uint64_t bars_from, bars_to;
    uint64_t added, same, replaced, contradicted, not_closed;
    char first_failure[512];      /* SYMBOL: sentence; "" where none */
    char first_contradicted[512]; /* "SYMBOL 2020-01-01: stored bar differs" */
};

/* Every period with at least one bar: open of the first, highest high, lowest low, close of the
 * last, sum of volumes in the order of bars.  Days are UTC days, weeks begin on Monday, months are
 * calendar months.  A period is complete where some symbol of the market has a bar that ends at or
 * after its end.  A stored bar that is newest and that the first bars of its period make is an
 * earlier resample's, and is replaced; any other that differs contradicts, unless `replace`.
 * STATUS_USAGE for a timeframe that `from` does not divide; STATUS_PARTIAL where a
 * symbol failed or a stored bar contradicts. */
enum status resample_run(const struct resample_options *options, struct resample_report *report,
                         struct error *err);

/* The same for columns in memory, into arrays with room for `bars->count`; returns how many. */
size_t resample_bars(const struct bars *bars, enum timeframe to, int64_t *time,
                     double *const column[BAR_COLUMNS]);

/* Whether every period of `to` is made of whole periods of `from`, and is longer. */
bool resample_divides(enum timeframe from, enum timeframe to);

/* ---- sample: a random market, the same bytes on every machine ------------------------------ */

enum {
    SAMPLE_SYMBOLS = 211,
    SAMPLE_BARS = 1828,
    SAMPLE_SYMBOLS_MAX = 100000,
    SAMPLE_BARS_MAX = 100000000
};

struct sample_options {
    struct env *env;
    const char *data_dir;
    struct market_name market;
    size_t symbols, bars; /* of each; the last bar is that of 2025-01-01 00:00 UTC */
    uint64_t seed;
};

struct sample_report {
    uint64_t added, same;
};

/* S001, S002, …: random walks of differing volatility, drift and liquidity.  STATUS_REFUSED, with
 * nothing stored, where the market holds other bars for these symbols. */
enum status sample_run(const struct sample_options *options, struct sample_report *report,
                       struct error *err);

/* Bars of one symbol (0 is S001) into arrays with room for `bars`. */
void sample_bars(uint64_t seed, size_t symbol, enum timeframe frame, size_t bars, int64_t *time,
                 double *const column[BAR_COLUMNS]);

/* ---- bars as CSV --------------------------------------------------------------------------- */

/* "time,open,high,low,close,volume" without a line end, so that columns may follow. */
void bars_csv_header(struct buffer *buffer);

/* The row of bar `index`, without a line end.  Numbers are the shortest that read back to the same
 * bits; times YYYY-MM-DD for daily and longer timeframes, else YYYY-MM-DDTHH:MM:SSZ. */
void bars_csv_row(struct buffer *buffer, const struct bars *bars, size_t index,
                  enum timeframe frame);

/* A number as in bars_csv_row: "" for NaN. */
void bars_csv_number(struct buffer *buffer, double number);

/* Header and all rows, handed to `write` in pieces; stops at the first status that is not
 * STATUS_OK. */
enum status bars_write_csv(const struct bars *bars, enum timeframe frame,
                           enum status (*write)(void *context, const char *bytes, size_t length,
                                                struct error *err),
                           void *context, struct error *err);

#endif

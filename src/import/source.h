/* source: the files of an import, one after the other, whatever they lie in. */
#ifndef HARRIER_IMPORT_SOURCE_H
#define HARRIER_IMPORT_SOURCE_H

#include "import/unpack.h"
#include "import/import.h"

enum {
    SOURCE_ENTRY_BYTES_MAX =
        64 << 20, /* a file in an archive is held in memory up to this, else read as it comes */
    SOURCE_DEPTH_MAX = 16 /* folders in folders */
};

/* Where a file's bytes come from. */
enum source_kind {
    SOURCE_PATH,   /* a plain file */
    SOURCE_MEMORY, /* `bytes` */
    SOURCE_STREAM, /* `bytes`, then unpack_read(); must be read before the next source_next() */
    SOURCE_FAILED  /* `err` says why */
};

struct source_file {
    enum source_kind kind;
    char *name;         /* as shown: path, ARCHIVE:ENTRY, "standard input" */
    char *path;         /* of SOURCE_PATH */
    size_t base;        /* where in `name` the file's own name begins; its length is base_length */
    size_t base_length; /* without endings of compression; 0 for standard input */
    char *bytes;
    size_t length;
    struct unpacker *archive; /* of SOURCE_STREAM, borrowed */
    uint64_t disk_bytes;      /* 0 inside archives */
    struct error *err;        /* of SOURCE_FAILED */
};

void source_file_deinit(struct source_file *file);

struct source {
    struct env *env;
    const char *const *globs;
    size_t glob_count;
    struct source_place {
        char *path;
        uint64_t bytes;
    } * places;
    size_t count, capacity, next;
    uint64_t bytes_total; /* 0 where one is a pipe */
    atomic_uint_least64_t bytes_read;
    size_t not_picked, links_back;
    bool pipe;
    struct unpacker *archive; /* the one that is open */
};

/* Looks at every path and lists folders; a link to a folder around it is left out and counted:
 * what it leads to is being listed.  STATUS_MISSING where one is not there. */
enum status source_init(struct source *source, struct env *env,
                        const struct import_options *options, struct error *err);
void source_deinit(struct source *source);

/* The next file into `file` (source_file_deinit); false behind the last.  What cannot be read is a
 * file too, of kind SOURCE_FAILED.  False also where there is no memory: `*no_memory`. */
bool source_next(struct source *source, struct source_file *file, bool *no_memory);

#endif

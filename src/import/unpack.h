/* unpack: files inside tar and zip archives, and single compressed files, by libarchive.
 *
 * libarchive (with all that it links) is loaded when the first archive is opened and not before: a
 * program that reads plain files should not pay for it at every start. */
#ifndef HARRIER_IMPORT_UNPACK_H
#define HARRIER_IMPORT_UNPACK_H

#include "sys/sys.h"

#include <stdatomic.h>

struct unpacker;

/* Whether a file of this name is opened as an archive (.tar .tgz .zip .gz .zst .xz .bz2 …). */
bool unpack_is_named(struct text name);

/* Length of a name without the endings of compression: "x.csv.zst" is 5 ("x.csv"). */
size_t unpack_plain_length(struct text name);

/* What is not `named` (standard input) is an archive where its first bytes say so, else one file
 * as it stands.  `bytes_read` counts what was read of the file itself.  STATUS_SYSTEM where
 * libarchive is not installed.  No sentence of these calls names the file: the caller knows it. */
enum status unpack_open(struct unpacker **reader, struct env *env, const char *path, bool named,
                        atomic_uint_least64_t *bytes_read, struct error *err);
void unpack_close(struct unpacker *reader);

/* The next file inside; `*name` NULL at the end, "" for a single file, compressed or plain, and
 * UNPACK_NAMELESS where its name is beyond reading.  Borrowed until the next call. */
#define UNPACK_NAMELESS "/"
enum status unpack_next(struct unpacker *reader, const char **name, struct error *err);

/* Bytes of that file; 0 at its end. */
enum status unpack_read(struct unpacker *reader, void *bytes, size_t length, size_t *got,
                        struct error *err);

#endif

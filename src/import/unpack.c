/* unpack: libarchive behind a table of its calls; gzip is unpacked here, before it. */
#include "import/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <locale.h>
#include <string.h>

#include "import/gunzip.h"

enum { BLOCK_BYTES = 1 << 16 };

/* The calls that are used; filled in from the library by their names. */
struct calls {
    struct archive *(*archive_read_new)(void);
    int (*archive_read_free)(struct archive *);
    int (*archive_read_support_filter_all)(struct archive *);
    int (*archive_read_support_format_tar)(struct archive *);
    int (*archive_read_support_format_zip_streamable)(struct archive *);
    int (*archive_read_support_format_raw)(struct archive *);
    int (*archive_read_open)(struct archive *, void *, archive_open_callback *,
                             archive_read_callback *, archive_close_callback *);
    int (*archive_read_next_header)(struct archive *, struct archive_entry **);
    la_ssize_t (*archive_read_data)(struct archive *, void *, size_t);
    const char *(*archive_error_string)(struct archive *);
    int (*archive_format)(struct archive *);
    int (*archive_read_set_format_option)(struct archive *, const char *, const char *,
                                          const char *);
    la_int64_t (*archive_read_header_position)(struct archive *);
    la_int64_t (*archive_filter_bytes)(struct archive *, int);
    const char *(*archive_entry_pathname)(struct archive_entry *);
    const char *(*archive_entry_pathname_utf8)(struct archive_entry *);
    __LA_MODE_T (*archive_entry_filetype)(struct archive_entry *);
};

struct unpacker {
    void *library;
    struct calls calls;
    struct archive *archive;
    locale_t names; /* in which libarchive keeps names beyond ASCII; 0: there is none */
    struct env *env;
    struct env_file *file;
    const char *path;
    uint64_t at;
    atomic_uint_least64_t *bytes_read;
    struct error error; /* of reading the file itself */
    bool failed;
    bool plain, given;   /* text as it is, without the library; its one file was given */
    size_t begin, ended; /* what of the block was read ahead */
    unsigned char block[BLOCK_BYTES];
    struct gunzip *gunzip; /* NULL: libarchive gets the bytes of the file as they are */
    const unsigned char *packed;
    size_t packed_length;
    unsigned char unpacked[BLOCK_BYTES];
};

static const char *const endings[] = {".gz", ".zst", ".xz", ".bz2", ".lz4", ".Z"};
static const char *const containers[] = {".tar", ".tgz", ".tzst", ".tbz2", ".txz", ".zip"};

static bool ends_with(struct text name, const char *ending)
{
    size_t length = strlen(ending);

    return name.length > length && memcmp(name.at + name.length - length, ending, length) == 0;
}

size_t unpack_plain_length(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++)
        if (ends_with(name, endings[i]))
            return name.length - strlen(endings[i]);
    return name.length;
}

bool unpack_is_named(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(containers); i++)
        if (ends_with(name, containers[i]))
            return true;
    return unpack_plain_length(name) != name.length;
}

static enum status load_library(struct unpacker *reader, struct error *err)
{
    static const struct {
        const char *name;
        size_t offset;
    } wanted[] = {
#define CALL(name) {#name, offsetof(struct calls, name)}
        CALL(archive_read_new),
        CALL(archive_read_free),
        CALL(archive_read_support_filter_all),
        CALL(archive_read_support_format_tar),
        CALL(archive_read_support_format_zip_streamable),
        CALL(archive_read_support_format_raw),
        CALL(archive_read_open),
        CALL(archive_read_next_header),
        CALL(archive_read_data),
        CALL(archive_error_string),
        CALL(archive_format),
        CALL(archive_read_set_format_option),
        CALL(archive_read_header_position),
        CALL(archive_filter_bytes),
        CALL(archive_entry_pathname),
        CALL(archive_entry_pathname_utf8),
        CALL(archive_entry_filetype),
#undef CALL
    };

    reader->library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!reader->library)
        return fail(
            err, STATUS_SYSTEM,
            "archives need the library libarchive (Debian: libarchive13): %s; or unpack it first",
            dlerror());
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        void *call = dlsym(reader->library, wanted[i].name);

        if (!call)
            return fail(err, STATUS_SYSTEM, "this libarchive has no %s", wanted[i].name);
        memcpy((char *)&reader->calls + wanted[i].offset, &call, sizeof call);
    }
    return STATUS_OK;
}

/* The next bytes of the file into `block`; 0 at its end. */
static enum status fill_block(struct unpacker *reader, size_t *got, struct error *err)
{
    *got = reader->ended;
    reader->ended = 0;
    if (*got)
        return STATUS_OK;
    TRY(reader->env->calls->read(reader->env, reader->file, reader->block, sizeof reader->block,
                                 reader->at, got, err));
    reader->at += *got;
    atomic_fetch_add_explicit(reader->bytes_read, *got, memory_order_relaxed);
    return STATUS_OK;
}

static enum status unpack_block(struct unpacker *reader, size_t *got, struct error *err)
{
    size_t filled;

    do {
        filled = reader->packed_length;
        if (filled == 0) {
            TRY(fill_block(reader, &filled, err));
            reader->packed = reader->block;
            reader->packed_length = filled;
        }
        TRY(gunzip_read(reader->gunzip, &reader->packed, &reader->packed_length, reader->unpacked,
                        sizeof reader->unpacked, got, err));
    } while (*got == 0 && filled > 0);
    return STATUS_OK;
}

static la_ssize_t read_block(struct archive *archive, void *context, const void **block)
{
    struct unpacker *reader = context;
    enum status status;
    size_t got = 0;

    (void)archive;
    *block = reader->gunzip ? reader->unpacked : reader->block;
    status = reader->gunzip ? unpack_block(reader, &got, &reader->error)
                            : fill_block(reader, &got, &reader->error);
    reader->failed |= status != STATUS_OK;
    return reader->failed ? ARCHIVE_FATAL : (la_ssize_t)got;
}

static enum status library_failed(struct unpacker *reader, struct error *err)
{
    const char *words = reader->calls.archive_error_string(reader->archive);

    if (reader->failed) {
        *err = reader->error;
        return err->status;
    }
    return fail(err, STATUS_CORRUPT, "the archive cannot be read%s%s", words ? ": " : "",
                words ? words : "");
}

static const char gzip_magic[] = "\x1f\x8b";

/* What the endings above say of a name, by the first bytes. */
static bool is_packed(const unsigned char *bytes, size_t length)
{
    static const struct {
        size_t at, length;
        const char *magic;
    } packed[] = {
        {0, 2, gzip_magic},   {0, 4, "\x28\xb5\x2f\xfd"}, {0, 5, "\xfd\x37zXZ"},
        {0, 3, "BZh"},        {0, 4, "\x04\x22\x4d\x18"}, {0, 2, "\x1f\x9d"},
        {0, 4, "PK\x03\x04"}, {257, 5, "ustar"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(packed); i++)
        if (length >= packed[i].at + packed[i].length &&
            memcmp(bytes + packed[i].at, packed[i].magic, packed[i].length) == 0)
            return true;
    return false;
}

static enum status look_ahead(struct unpacker *reader, bool named, struct error *err)
{
    TRY(reader->env->calls->read(reader->env, reader->file, reader->block, sizeof reader->block, 0,
                                 &reader->ended, err));
    reader->at = reader->ended;
    atomic_fetch_add_explicit(reader->bytes_read, reader->ended, memory_order_relaxed);
    reader->plain = !named && !is_packed(reader->block, reader->ended);
    if (reader->ended >= 2 && memcmp(reader->block, gzip_magic, 2) == 0)
        TRY(gunzip_open(&reader->gunzip, err));
    return STATUS_OK;
}

static enum status start(struct unpacker *reader, bool named, struct error *err)
{
    const struct calls *calls = &reader->calls;

    TRY(reader->env->calls->open(reader->env, &reader->file, reader->path, OPEN_READ, err));
    TRY(look_ahead(reader, named, err));
    if (reader->plain)
        return STATUS_OK;
    TRY(load_library(reader, err));
    reader->names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    reader->archive = calls->archive_read_new();
    if (!reader->archive)
        return fail(err, STATUS_MEMORY, "no memory to read an archive");
    /* A filter may be there only as a program of its own, which is a warning and not used by us. */
    calls->archive_read_support_filter_all(reader->archive);
    calls->archive_read_support_format_tar(reader->archive);
    calls->archive_read_support_format_zip_streamable(reader->archive);
    calls->archive_read_support_format_raw(reader->archive);
    /* Else it stops at the end blocks, and the checksum of a filter behind them is never read. */
    calls->archive_read_set_format_option(reader->archive, "tar", "read_concatenated_archives",
                                          "1");
    if (calls->archive_read_open(reader->archive, reader, NULL, read_block, NULL) != ARCHIVE_OK)
        return library_failed(reader, err);
    return STATUS_OK;
}

enum status unpack_open(struct unpacker **opened, struct env *env, const char *path, bool named,
                        atomic_uint_least64_t *bytes_read, struct error *err)
{
    struct unpacker *reader = mem_zero(1, sizeof *reader);
    enum status status;

    if (!reader)
        return fail(err, STATUS_MEMORY, "no memory to read an archive");
    reader->env = env;
    reader->path = path;
    reader->bytes_read = bytes_read;
    status = start(reader, named, err);
    if (status != STATUS_OK) {
        unpack_close(reader);
        return status;
    }
    *opened = reader;
    return STATUS_OK;
}

void unpack_close(struct unpacker *reader)
{
    if (!reader)
        return;
    if (reader->archive)
        reader->calls.archive_read_free(reader->archive);
    gunzip_close(reader->gunzip);
    if (reader->names)
        freelocale(reader->names);
    if (reader->file)
        reader->env->calls->close(reader->env, reader->file);
    if (reader->library)
        dlclose(reader->library);
    mem_free(reader);
}

/* A tar ends with blocks of zeros; where there is none, it was cut between two files. */
static enum status check_end(struct unpacker *reader, struct error *err)
{
    const struct calls *calls = &reader->calls;

    if ((calls->archive_format(reader->archive) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR ||
        calls->archive_filter_bytes(reader->archive, 0) >
            calls->archive_read_header_position(reader->archive))
        return STATUS_OK;
    return fail(err, STATUS_CORRUPT,
                "the archive cannot be read to its end: it has none, as if cut behind a file");
}

/* libarchive converts names to the thread's locale, and the program's own is C. */
static int next_header(struct unpacker *reader, struct archive_entry **entry)
{
    locale_t before = reader->names ? uselocale(reader->names) : (locale_t)0;
    int result = reader->calls.archive_read_next_header(reader->archive, entry);

    if (before)
        uselocale(before);
    return result;
}

/* In UTF-8, or the bytes as they stand where they are none. */
static const char *name_of(const struct unpacker *reader, struct archive_entry *entry)
{
    const char *name = reader->calls.archive_entry_pathname(entry);

    if (!name)
        name = reader->calls.archive_entry_pathname_utf8(entry);
    return name ? name : UNPACK_NAMELESS;
}

enum status unpack_next(struct unpacker *reader, const char **name, struct error *err)
{
    const struct calls *calls = &reader->calls;

    if (reader->plain) {
        *name = reader->given ? NULL : "";
        reader->given = true;
        return STATUS_OK;
    }
    for (;;) {
        struct archive_entry *entry;
        int result = next_header(reader, &entry);

        *name = NULL;
        if (result == ARCHIVE_EOF)
            return check_end(reader, err);
        if (result < ARCHIVE_WARN || result == ARCHIVE_RETRY) /* a header that is damaged */
            return library_failed(reader, err);
        if (calls->archive_format(reader->archive) == ARCHIVE_FORMAT_RAW) {
            *name = "";
            return STATUS_OK;
        }
        if (calls->archive_entry_filetype(entry) != AE_IFREG)
            continue;
        *name = name_of(reader, entry);
        return STATUS_OK;
    }
}

static enum status read_plain(struct unpacker *reader, void *bytes, size_t length, size_t *got,
                              struct error *err)
{
    *got = MIN(length, reader->ended - reader->begin);
    if (*got) {
        memcpy(bytes, reader->block + reader->begin, *got);
        reader->begin += *got;
        return STATUS_OK;
    }
    TRY(reader->env->calls->read(reader->env, reader->file, bytes, length, reader->at, got, err));
    reader->at += *got;
    atomic_fetch_add_explicit(reader->bytes_read, *got, memory_order_relaxed);
    return STATUS_OK;
}

enum status unpack_read(struct unpacker *reader, void *bytes, size_t length, size_t *got,
                        struct error *err)
{
    la_ssize_t count;

    if (reader->plain)
        return read_plain(reader, bytes, length, got, err);
    count = reader->calls.archive_read_data(reader->archive, bytes, length);
    if (count < 0)
        return library_failed(reader, err);
    *got = (size_t)count;
    return STATUS_OK;
}
